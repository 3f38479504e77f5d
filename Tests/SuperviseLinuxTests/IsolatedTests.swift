import CSupervise
import Glibc
import Testing

@testable import SuperviseLinux

/// Tests of process-wide state, each in its own process: parallel tests also open descriptors and
/// start children.
struct IsolatedTests {
    @Test func nothingIsLeftOpen() async {
        await #expect(processExitsWith: .success) {
            try useEverything()
            let before = openDescriptors()
            // Proves that the counter works.
            let extra = try TimerDescriptor()
            try #require(openDescriptors() == before + 1)
            close(extra)
            try #require(openDescriptors() == before)

            for _ in 0..<20 { try useEverything() }
            try #require(openDescriptors() == before)
            try #require(try ChildProcesses.nextExited() == nil)
            try #require(ChildList().numbers().isEmpty)
        }
    }

    @Test func exitsAreReportedUntilReaped() async {
        await #expect(processExitsWith: .success) {
            try #require(try ChildProcesses.nextExited() == nil)
            let plan = try SpawnPlan(arguments: ["sh", "-c", "exit 3"], searchPath: nil)
            var pids: Set<Int32> = []
            for _ in 0..<3 { pids.insert(try plan.spawn(environment: []).pid) }
            try #require(Set(ChildList().numbers()) == pids)
            while !pids.isEmpty {
                var next: ExitedChild?
                _ = try eventually {
                    next = try ChildProcesses.nextExited()
                    return next != nil
                }
                let exited = try #require(next)
                try #require(try ChildProcesses.nextExited() == exited)
                try #require(exited.status == .exited(3))
                try #require(pids.remove(exited.pid) != nil)
                try ChildProcesses.reap(exited.pid)
            }
            try #require(try ChildProcesses.nextExited() == nil)
        }
    }

    /// A fault of the new program, once it owns the descriptors of the state.
    @Test func aFaultFallsBack() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let ends = try TestPipe()
            let number = ends.reading.rawValue
            let kept = open("/bin/sh", csupervise_path_only)
            let script = "[ -e /proc/self/fd/\(number) ] && [ \"$0\" = \"$1\" ] || exit 1; exit 7"
            let fallback = Fallback(
                program: kept,
                arguments: [
                    "sh", "-c", script, "", "it crashed while it took over",
                ], environment: [])
            fallback.hold([number])
            _ = FileDescriptor(owning: number)
            withExtendedLifetime(ends) { _ = raise(SIGTRAP) }
        }
    }

    @Test func orphansFallToASubreaper() async {
        await #expect(processExitsWith: .success) {
            try ChildProcesses.becomeSubreaper()
            let plan = try SpawnPlan(
                arguments: ["sh", "-c", "sleep 60 & exit"], searchPath: "/usr/bin:/bin")
            let child = try plan.spawn(environment: ["PATH=/usr/bin:/bin"])
            try systemCall("waitid") { csupervise_wait_blocking(child.pid) }
            let orphan = try #require(ProcessTree.children(of: getpid()).first)
            try #require(ProcessStatus.read(orphan)?.group == child.pid)
            try ProcessGroup.signal(child.pid, SIGKILL)
            try systemCall("waitid") { csupervise_wait_blocking(orphan) }
        }
    }

    @Test func theRaisedLimitIsGivenBack() async {
        await #expect(processExitsWith: .success) {
            var low = rlimit(rlim_cur: 200, rlim_max: 400)
            try #require(setrlimit(__rlimit_resource_t(ResourceLimit.openFiles), &low) == 0)
            let original = try FileLimit.raise()
            try #require(original.soft == 200)
            try #require(try FileLimit.current().soft == 400)
            // More descriptors are open than the worker may have; its own must still fit.
            let busy = try (0..<120).map { _ in try TestPipe() }
            var attributes = SpawnAttributes()
            attributes.limits = [original]
            let text = try shell("ulimit -n >&3", attributes: attributes)
            try #require(text == "200\n")
            withExtendedLifetime(busy) {}
        }
    }

    @Test func closedStandardStreamsAreFilled() async {
        await #expect(processExitsWith: .success) {
            close(0)
            close(2)
            try StandardStreams.ensureOpen()
            try #require(openDescriptors(below: 3) == 3)
            // A child still gets its own empty input.
            close(0)
            let text = try shell("readlink /proc/self/fd/0 >&3")
            try #require(text == "/dev/null\n")
        }
    }

    @Test func allSignalsButFaultsAreBlocked() async {
        await #expect(processExitsWith: .success) {
            var soon = itimerval(
                it_interval: timeval(tv_sec: 0, tv_usec: 1000),
                it_value: timeval(tv_sec: 30, tv_usec: 0))
            let timers = [ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF].map {
                __itimer_which_t($0.rawValue)
            }
            for timer in timers { try #require(setitimer(timer, &soon, nil) == 0) }
            let signals = try SignalDescriptor(blockingAllAndServing: [SIGTERM])
            // A timer that the process inherited is stopped.
            for timer in timers {
                var left = itimerval()
                try #require(getitimer(timer, &left) == 0)
                try #require(left.it_value.tv_sec == 0 && left.it_value.tv_usec == 0)
            }
            let faults = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS]
            let blocked = (Int32(1)...64).filter {
                !(faults + [SIGKILL, SIGSTOP]).contains($0)
            }
            // Including those that glibc reserves and none of its functions can send.
            let status = Procfs.text("/proc/thread-self/status") ?? ""
            let line = status.split(separator: "\n").first { $0.hasPrefix("SigBlk:\t") }
            let mask = UInt64(line?.dropFirst(8) ?? "", radix: 16) ?? 0
            for number in blocked { try #require(mask >> UInt64(number - 1) & 1 == 1) }
            // CONT and the stop signals cancel each other.
            let sent = blocked.filter { ![SIGCONT, 32, 33].contains($0) }
            for number in sent { try #require(pthread_kill(pthread_self(), number) == 0) }
            try #require(Set(signals.read().map(\.number)) == Set(sent))
            let text = try shell("grep -E '^Sig(Blk|Ign|Pnd)' /proc/self/status >&3")
            for line in text.split(separator: "\n") {
                try #require(line.hasSuffix("\t0000000000000000"))
            }
        }
    }

    /// A thread of our own starts the child and ends, because the threads of the test's pool come
    /// and go.
    @Test func theDeathSignalComesWithTheParentThread() async {
        await #expect(processExitsWith: .success) {
            let thread = Thread {
                var attributes = SpawnAttributes()
                attributes.deathSignal = SIGUSR2
                return try TestChild(["sleep", "60"], attributes: attributes)
            }
            let child = try thread.join().get()
            try #require(
                try child.exitStatus() == .signaled(SIGUSR2, coreDumped: false))
        }
    }
}

private func openDescriptors(below limit: Int = .max) -> Int {
    // Minus the descriptor that the count itself opens.
    Directory.entries("/proc/self/fd").compactMap { Int($0) }.filter { $0 < limit }.count
        - (limit == .max ? 1 : 0)
}

private func close(_ timer: consuming TimerDescriptor) {}

private func useEverything() throws {
    func refused<Failure: Error>(_: Failure.Type, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch is Failure {
            return
        }
        Issue.record("this succeeded")
    }
    var other = SpawnAttributes()
    other.credentials = Credentials(uid: 65534, gid: 65534, supplementaryGroups: [])
    var asking = SpawnAttributes()
    asking.interceptsBinds = true
    for attributes in [SpawnAttributes(), other, asking] {
        let child = try TestChild(["sh", "-c", "exit 0"], attributes: attributes)
        _ = try child.spawned.filterChannel?.receive()
        _ = try child.exitStatus()
    }
    try refused(SpawnFailure.self) { _ = try TestChild(["no-such-program"]) }
    try refused(SpawnFailure.self) { _ = try TestChild(["no-such-program"], attributes: asking) }

    let folder = try TestFolder()
    let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 1)
    let port = UInt16(listener.address.split(separator: ":").last ?? "") ?? 0
    try refused(ListenFailure.self) {
        _ = try ListenSocket.tcp(host: "127.0.0.1", port: port, backlog: 1)
    }
    let unix = try ListenSocket.unix(path: "\(folder.path)/s", mode: 0o600, backlog: 1)
    try refused(ListenFailure.self) {
        _ = try ListenSocket.unix(path: "\(folder.path)/s", mode: 0o600, backlog: 1)
    }
    try unix.removeIfStillOurs()

    let nonce = try Nonce().text
    let socket = try NotifySocket(nonce: nonce)
    try refused(SystemCallError.self) { _ = try NotifySocket(nonce: nonce) }
    _ = socket.receive(limit: 1)
    _ = try RequestPage(nonce: nonce, limit: 1).requests()
    _ = try ProcessMemory(pid: getpid()).residentBytes()
    _ = try SignalDescriptor(blocking: [40]).read()
    _ = try EventPoll().wait(timeoutMilliseconds: 0)
    _ = AcceptEvidence.observe(
        from: getpid(), listeners: [listener.identity], depth: .thorough, within: .besideLoop())
    let writer = try LogWriter(path: "\(folder.path)/log")
    try writer.reopen(path: "\(folder.path)/log")
    try PidFile(creating: "\(folder.path)/pid").removeIfStillOurs()
    _ = try TextFile.read("\(folder.path)/log")
}

/// A thread for a single call.
private final class Thread<Value> {
    private let body: () throws -> Value
    private var result: Result<Value, any Error>?
    private var identifier = pthread_t()

    init(_ body: @escaping () throws -> Value) {
        self.body = body
        pthread_create(
            &identifier, nil,
            { argument in
                guard let argument else { return nil }
                let thread = Unmanaged<AnyObject>.fromOpaque(argument).takeRetainedValue()
                (thread as? any Runnable)?.run()
                return nil
            }, Unmanaged<AnyObject>.passRetained(self).toOpaque())
    }

    func join() throws -> Result<Value, any Error> {
        pthread_join(identifier, nil)
        return try #require(result)
    }

    func run() {
        result = Result { try body() }
    }
}

private protocol Runnable {
    func run()
}

extension Thread: Runnable {}
