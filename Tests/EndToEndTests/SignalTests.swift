import Glibc
import Testing

/// The signals that users of gunicorn know.
@Suite(.takesTurn) struct SignalTests {
    @Test(arguments: [SIGTERM, SIGINT, SIGQUIT])
    func aStopEndsAllWithZero(number: Int32) async throws {
        let master = try Supervise.hello(["--workers", "2"])
        let workers = try await master.waitForWorkers(2)
        try await master.signal(number)
        #expect(try await master.waitForExit() == .exited(0))
        #expect(
            master.leftBehind.isEmpty && !workers.map(\.pid).contains(where: ProcessTable.isAlive))
    }

    @Test(arguments: [
        [SIGTERM, SIGTERM], [SIGTERM, SIGINT], [SIGINT, SIGINT], [SIGQUIT, SIGINT],
    ])
    func aSecondSignalEscalates(numbers: [Int32]) async throws {
        let master = try Supervise.hello(
            ["--graceful-timeout", "10m"], environment: ["HELLO_IGNORE_TERM": "1"])
        try await master.waitForWorkers(1)
        for number in numbers where master.isRunning {
            try await master.signal(number)
            // The same signal counts again after a second.
            try await Task.sleep(for: .milliseconds(1100))
        }
        #expect(try await master.waitForExit() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    /// A stopped process handles the stop-signal only once it is resumed, and so does the program
    /// of a wrapper.
    @Test(arguments: [[], ["sh", "-c", "trap 'kill $!; wait' TERM; \"$0\" & wait"]])
    func aStoppedWorkerEndsAtOnce(wrapper: [String]) async throws {
        let master = try Supervise(
            ["--bind", "127.0.0.1:0", "--graceful-timeout", "10m", "--"] + wrapper
                + [Place.helloWorker])
        let worker = try #require(try await master.waitForWorkers(1).first)
        try #require(kill(-worker.pid, SIGSTOP) == 0)
        #expect(try await master.stop() == .exited(0))
        #expect(master.lines("killed").isEmpty && master.leftBehind.isEmpty)
    }

    /// As timeout(1) does, which signals the process and its group.
    @Test func twoTermsAtOnceLoseNothing() async throws {
        let master = try Supervise.hello()
        try await master.waitForWorkers(1)
        let workers = try await master.workers()
        let idle = workers.map { ProcessTable.sockets(of: $0.pid) }.reduce(0, +)
        let slow = try LoadClient(
            try await master.address(), requests: 20, rate: 1000, path: "/slow?ms=4000")
        try await master.wait("20 connections") {
            workers.map { ProcessTable.sockets(of: $0.pid) }.reduce(0, +) == idle + 20
        }
        try await master.signal(SIGTERM)
        try await master.waitForEvent("signal")
        try await master.signal(SIGTERM)
        try await master.wait("both signals") { master.lines("signal").count == 2 }
        #expect(try await master.waitForExit() == .exited(0))
        expectNoFailure(try await slow.result(), 20)
    }

    /// All signals that a process can send, except those of faults and those with a meaning.
    @Test func noSignalWithoutAMeaningEndsTheMaster() async throws {
        let master = try Supervise.hello()
        let before = try await master.waitForWorkers(1)
        let meant = [
            SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGCHLD, SIGPIPE, SIGXFSZ, SIGCONT,
            SIGTTIN, SIGTTOU, SIGWINCH, SIGKILL, SIGSTOP,
        ]
        let faults = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS]
        let others = (Int32(1)...64).filter { !(meant + faults).contains($0) }
        for number in others + others { try await master.signal(number) }
        try await master.wait("a line for each") {
            Set(master.lines("signal-ignored").compactMap { $0["name"] }).count == others.count
        }
        for number in [SIGPIPE, SIGXFSZ, SIGCONT] { try await master.signal(number) }
        // One line for each, however often it arrived.
        #expect(master.lines("signal-ignored").count == others.count)
        #expect(try await master.workers() == before)
        // A worker does not receive them.
        for field in ["SigBlk", "SigIgn"] {
            let text = readFile("/proc/\(before[0].pid)/status") ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix(field + ":") }
            #expect(line?.hasSuffix("\t0000000000000000") == true, "\(line ?? "")")
        }
        #expect(try await master.stop() == .exited(0))
    }

    @Test func termFinishesWhatIsInFlight() async throws {
        let master = try Supervise.hello(["--workers", "2"])
        try await master.waitForWorkers(2)
        let address = try await master.address()
        let workers = try await master.workers()
        let idle = workers.map { ProcessTable.sockets(of: $0.pid) }.reduce(0, +)
        let slow = try LoadClient(address, requests: 40, rate: 1000, path: "/slow?ms=1500")
        try await master.wait("40 connections") {
            workers.map { ProcessTable.sockets(of: $0.pid) }.reduce(0, +) == idle + 40
        }
        #expect(try await master.stop() == .exited(0))
        expectNoFailure(try await slow.result(), 40)
    }

    @Test func aKilledWorkerIsReplaced() async throws {
        let master = try Supervise.hello(["--workers", "3"])
        let before = try await master.waitForWorkers(3)
        kill(before[1].pid, SIGKILL)
        let after = try await master.waitForWorkers(3, without: [before[1]])
        #expect(after.map(\.slot) == [0, 1, 2])
        #expect(after[0] == before[0] && after[2] == before[2])
        let line = try await master.waitForEvent(Event.exit)
        #expect(line.pid == before[1].pid && line["signal"] == "KILL")
    }

    @Test func aKilledWorkersSuccessorStartsAtOnce() async throws {
        let master = try Supervise.hello(["--stable-after", "100ms"])
        var delays: [Double] = []
        for _ in 0..<5 {
            let worker = try await master.waitForWorkers(1)
            try await Task.sleep(for: .milliseconds(200))
            kill(worker[0].pid, SIGKILL)
            try await master.waitForWorkers(1, without: worker)
            let end = try #require(master.lines(Event.exit).last?.timeOfDay)
            let start = try #require(master.lines(Event.started).last?.timeOfDay)
            delays.append(start - end)
        }
        // On a busy machine one may be late, but not all; a difference across midnight is far below
        // zero.
        #expect(delays.contains { (0..<0.1).contains($0) }, "\(delays)")
    }

    @Test(arguments: [false, true])
    func reopeningIsNoBusinessOfWorkersUnlessTheyAsk(asked: Bool) async throws {
        // This worker is terminated by any signal.
        let master = try Supervise(
            ["--bind", "127.0.0.1:0"] + (asked ? ["--reopen-signal", "USR1"] : []) + [
                "--", "python3", Place.worker("plain_worker"), "poll",
            ])
        let before = try await master.waitForWorkers(1)
        try await master.signal(SIGUSR1)
        if asked {
            let exit = try await master.waitForEvent(Event.exit)
            #expect(exit.pid == before[0].pid && exit["signal"] == "USR1")
        } else {
            try await Task.sleep(for: .milliseconds(300))
            #expect(try await master.workers() == before)
        }
    }

    @Test func oneMoreAndOneFewer() async throws {
        let master = try Supervise.hello(["--workers", "2"])
        try await master.waitForWorkers(2)
        try await master.signal(SIGTTIN)
        try await master.waitForWorkers(3)
        for expected in [2, 1] {
            try await master.signal(SIGTTOU)
            try await master.waitForWorkers(expected)
        }
        try await master.signal(SIGTTOU)
        try await Task.sleep(for: .milliseconds(500))
        try await master.waitForWorkers(1)
        // The configured number is not lost: a reload restores it.
        let last = try await master.workers()
        try await master.signal(SIGHUP)
        try await master.waitForWorkers(2, without: last)
    }

    @Test func reopensARenamedLog() async throws {
        let folder = try Folder()
        let master = try Supervise.hello(["--log-file", folder["log"]])
        try await eventually("a ready line") {
            folder.lines("log").contains { LogLine($0).event == Event.ready }
        }
        #expect(rename(folder["log"], folder["log.1"]) == 0)
        try await master.signal(SIGUSR1)
        try await eventually("a new file") { folder.exists("log") }
        let length = folder.lines("log.1").count
        try await master.signal(SIGTERM)
        #expect(try await master.waitForExit() == .exited(0))
        #expect(folder.lines("log").contains { LogLine($0).event == Event.exit })
        #expect(folder.lines("log.1").count <= length + 1)
    }

    @Test func workersGoWithAKilledMaster() async throws {
        let master = try Supervise.hello(["--workers", "3"])
        let workers = try await master.waitForWorkers(3)
        try await master.signal(SIGKILL)
        #expect(try await master.waitForExit() == .killed(signal: 9))
        try await eventually("the workers' end") {
            !workers.map(\.pid).contains(where: ProcessTable.isAlive)
        }
    }
}
