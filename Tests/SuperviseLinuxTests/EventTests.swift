import CSupervise
import Glibc
import Testing

@testable import SuperviseLinux

struct EventTests {
    /// An otherwise unused real-time signal.
    private static let signal: Int32 = 40

    @Test func readinessComesWithItsToken() throws {
        let poll = try EventPoll()
        let pipe = try TestPipe()
        try poll.add(pipe.reading.rawValue, .readable, token: 7)
        try poll.add(pipe.writing.rawValue, .writable, token: .max)
        #expect(
            try poll.wait(timeoutMilliseconds: 0) == [Ready(token: .max, events: .writable)])
        try poll.modify(pipe.writing.rawValue, [], token: .max)
        #expect(try poll.wait(timeoutMilliseconds: 0).isEmpty)
        try poll.remove(pipe.writing.rawValue)
        #expect(write(pipe.writing.rawValue, "x", 1) == 1)
        #expect(try poll.wait(timeoutMilliseconds: -1) == [Ready(token: 7, events: .readable)])
        #expect(throws: SystemCallError(call: "epoll_ctl", code: EEXIST)) {
            try poll.add(pipe.reading.rawValue, .readable, token: 8)
        }
    }

    @Test func hangUpsAreReportedUnasked() throws {
        let poll = try EventPoll()
        let reading = try TestPipe().reading
        try poll.add(reading.rawValue, [], token: 1)
        // A child that another test starts holds the writing end until its exec.
        #expect(
            try poll.wait(timeoutMilliseconds: 20_000) == [
                Ready(token: 1, events: Interest(rawValue: EPOLLHUP.rawValue))
            ])
    }

    @Test(arguments: [Int64.min, -1, 0, 1])
    func aDeadlineInThePastFiresAtOnce(_ deadline: Int64) throws {
        let poll = try EventPoll()
        let timer = try TimerDescriptor()
        try poll.add(timer.rawValue, .readable, token: 1)
        timer.acknowledge()
        timer.arm(atNanoseconds: deadline)
        #expect(try poll.wait(timeoutMilliseconds: 20_000).count == 1)
        timer.acknowledge()
        #expect(try poll.wait(timeoutMilliseconds: 0).isEmpty)
    }

    @Test func aTimerFiresAtItsTimeAndCanBeDisarmed() throws {
        let poll = try EventPoll()
        let timer = try TimerDescriptor()
        try poll.add(timer.rawValue, .readable, token: 1)
        let deadline = MonotonicClock.nanoseconds() + 20_000_000
        timer.arm(atNanoseconds: deadline)
        #expect(try poll.wait(timeoutMilliseconds: 20_000).count == 1)
        #expect(MonotonicClock.nanoseconds() >= deadline)
        // Far in the future, so not fired; then disarmed.
        timer.arm(atNanoseconds: .max)
        #expect(try poll.wait(timeoutMilliseconds: 0).isEmpty)
        timer.arm(atNanoseconds: 1)
        timer.arm(atNanoseconds: nil)
        #expect(try poll.wait(timeoutMilliseconds: 0).isEmpty)
    }

    /// The mask belongs to a thread: the signal is blocked, sent and read within one call.
    @Test func aBlockedSignalIsReadWithItsSender() throws {
        let before = blockedSignals()
        defer { before.apply() }
        let signals = try SignalDescriptor(blocking: [Self.signal])
        #expect(blockedSignals().contains(Self.signal))
        #expect(signals.read().isEmpty)
        #expect(pthread_kill(pthread_self(), Self.signal) == 0)
        let received = signals.read()
        #expect(received.map(\.number) == [Self.signal])
        #expect(received.first?.senderPID == getpid())
        #expect(received.first?.senderUID == getuid())
        #expect(signals.read().isEmpty)
    }

    @Test func errorsNameTheCall() {
        let error = SystemCallError(call: "bind", code: EADDRINUSE)
        #expect(error.description == "bind: Address already in use")
        #expect(error.message == "Address already in use")
        #expect(SystemCallError(call: "x", code: 9999).message == "errno 9999")
    }
}
