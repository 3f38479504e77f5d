import Glibc
import Testing

@testable import SuperviseLinux

/// Messages of molds, and the channel of a worker that is being forked.
@Suite(.serialized) struct MoldProtocolTests {
    private func parse(_ text: String) -> MoldMessage { MoldMessage.parse(Array(text.utf8)) }

    @Test func messagesAreParsed() {
        #expect(parse("READY=1") == .ready)
        #expect(parse("READY=1\n") == .ready)
        #expect(parse("HERE") == .here)
        #expect(
            parse("FAILED=fork: no memory") == .failed(step: "fork", message: "no memory"))
        #expect(parse("FAILED=no memory") == .failed(step: "start", message: "no memory"))
        #expect(parse("FAILED=: x") == .failed(step: "start", message: ": x"))
        #expect(parse("FAILED=") == .failed(step: "start", message: ""))
    }

    @Test func anythingElseIsUnknownAndBounded() {
        #expect(parse("") == .unknown(""))
        #expect(parse("READY=10") == .unknown("READY=10"))
        #expect(parse("HERE I AM") == .unknown("HERE I AM"))
        #expect(MoldMessage.parse([0x1B, 0x5B, 0x32]) == .unknown(" [2"))
        #expect(MoldMessage.parse([0xFF, 0xFE]) == .unknown("\u{FFFD}\u{FFFD}"))
        let long = String(repeating: "x", count: 5000)
        guard case .failed(_, let message) = parse("FAILED=a: \(long)") else {
            Issue.record("a failure has its text")
            return
        }
        #expect(message.count == 300)
    }

    @Test func anOrderIsAListOfTexts() {
        let order = MoldOrder(
            number: 7, parent: 42, deathSignal: 15, arguments: ["a", ""], environment: ["B=c"])
        #expect(order.bytes == Array("1\u{0}7\u{0}42\u{0}15\u{0}2\u{0}a\u{0}\u{0}B=c\u{0}".utf8))
    }

    @Test func theChannelNamesTheSender() throws {
        let (channel, other) = try MoldChannel.make()
        #expect(try channel.receive() == .nothing)
        let text = Array("HERE".utf8)
        #expect(send(other.rawValue, text, text.count, 0) == text.count)
        #expect(try channel.receive() == .message(.here, pid: getpid()))
        try channel.proceed()
        var answer = [UInt8](repeating: 0, count: 16)
        #expect(recv(other.rawValue, &answer, answer.count, 0) == 2)
    }

    @Test func aClosedChannelEnds() throws {
        let channel = try closedChannel()
        #expect(try channel.receive() == .end)
        #expect(throws: SystemCallError.self) { try channel.proceed() }
    }

    private func closedChannel() throws -> MoldChannel {
        let (channel, other) = try MoldChannel.make()
        withExtendedLifetime(other) {}
        return channel
    }

    @Test func onlyChildrenAreChildren() throws {
        #expect(!ChildProcesses.include(getpid()))
        #expect(!ChildProcesses.include(1))
        let spawned = try SpawnPlan(arguments: ["/bin/sleep", "60"], searchPath: nil)
            .spawn(environment: [])
        #expect(ChildProcesses.include(spawned.pid))
        try spawned.process.signal(SIGKILL)
        spawned.process.waitForExit(milliseconds: 10_000)
        // Also a zombie, until it is reaped.
        #expect(ChildProcesses.include(spawned.pid))
        try ChildProcesses.reap(spawned.pid)
        #expect(!ChildProcesses.include(spawned.pid))
    }

    @Test func anInspectionFindsConnectionsAndEpollSets() throws {
        let pid = getpid()
        let process = try ProcessDescriptor.open(pid: pid)
        let (one, two) = try MessageSocket.pair()
        let epoll = try EventPoll()
        let inspection = MoldInspection.inspect(process, pid: pid, except: one.rawValue)
        withExtendedLifetime((one, two, epoll)) {
            // The test process has others.
            #expect(inspection.shared.contains { $0.contains("epoll") })
            #expect(inspection.obstacle == nil)
            #expect(inspection.threadCount >= 1)
        }
    }
}
