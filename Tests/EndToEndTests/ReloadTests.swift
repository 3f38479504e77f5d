import Glibc
import Testing

/// HUP: new code without a lost request, and without leaving the service worse than before.
@Suite(.takesTurn) struct ReloadTests {
    @Test(arguments: [false, true])
    func replacesEveryWorkerUnderLoad(keepAlive: Bool) async throws {
        let master = try Supervise.hello(["--workers", "2", "--stable-after", "300ms"])
        let before = try await master.waitForWorkers(2)
        let pid = try await master.pid()
        let client = try LoadClient(
            try await master.address(), requests: 600, rate: 150, keepAlive: keepAlive)
        try await Task.sleep(for: .milliseconds(500))
        try await master.signal(SIGHUP)
        let after = try await master.waitForWorkers(2, without: before)
        #expect(after.allSatisfy { $0.generation > (before.map(\.generation).max() ?? 0) })
        expectNoFailure(try await client.result(), 600)
        #expect(try await master.pid() == pid && master.isRunning)
    }

    @Test func aBrokenConfigChangesNothing() async throws {
        let config = "workers = 2\nbind = 127.0.0.1:0\ncommand = \(Place.helloWorker)\n"
        let master = try Supervise([], config: config)
        let before = try await master.waitForWorkers(2)
        try master.folder.write("supervise.conf", config + "max-rss = 12Q\nno-such-key = 1\n")
        try await master.signal(SIGHUP)
        for word in ["max-rss", "no-such-key"] {
            try await master.waitForLog("an error naming \(word)") {
                $0["level"] == "error" && $0.mentions(word)
            }
        }
        try await Task.sleep(for: .milliseconds(300))
        #expect(try await master.workers() == before)
        expectNoFailure(try await load(try await master.address(), requests: 20, rate: 100), 20)

        try master.folder.write("supervise.conf", config.replacing("= 2", with: "= 3"))
        try await master.signal(SIGHUP)
        try await master.waitForWorkers(3, without: before)
    }

    /// New workers would be killed repeatedly.
    @Test func aHardCapBelowTheProgramsSizeIsNotCommitted() async throws {
        let config = "workers = 2\nbind = 127.0.0.1:0\ncommand = \(Place.helloWorker)\n"
        let master = try Supervise([], config: config)
        let before = try await master.waitForWorkers(2)
        try master.folder.write("supervise.conf", config + "kill-rss = 1M\n")
        let reload = try await master.command("reload", "--wait")
        #expect(reload.status == .exited(1) && reload.errors.contains("kill-rss"))
        #expect(try await master.workers() == before)
        expectNoFailure(try await load(try await master.address(), requests: 20, rate: 100), 20)
    }

    /// A broken configuration read during a reload does not affect that reload.
    @Test func eachReloadHasItsOwnVerdict() async throws {
        let config = "workers = 1\nbind = 127.0.0.1:0\ncommand = \(Place.helloWorker)\n"
        let master = try Supervise([], config: config)
        let before = try await master.waitForWorkers(1)
        let runtime = ["XDG_RUNTIME_DIR": master.folder.path]
        async let first = run([Place.supervise, "reload", "--wait"], environment: runtime)
        try await master.waitForEvent("canary-started")
        try master.folder.write("supervise.conf", config + "no-such-key = 1\n")
        let second = try await master.command("reload", "--wait")
        #expect(second.status == .exited(1) && second.errors.contains("no-such-key"))
        #expect(try await first.status == .exited(0))
        try await master.waitForWorkers(1, without: before)
        #expect(!(try await master.command("status").output.contains("failed")))
    }

    @Test func theGracefulTimeoutHolds() async throws {
        let master = try Supervise.hello([
            "--workers", "2", "--graceful-timeout", "1s", "--stable-after", "100ms",
        ])
        let before = try await master.waitForWorkers(2)
        let idle = before.map { ProcessTable.sockets(of: $0.pid) }.reduce(0, +)
        let slow = try LoadClient(
            try await master.address(), requests: 20, rate: 1000, path: "/slow?ms=60000",
            timeout: 90)
        try await master.wait("20 connections") {
            before.map { ProcessTable.sockets(of: $0.pid) }.reduce(0, +) == idle + 20
        }
        try await master.signal(SIGHUP)
        try await master.waitForWorkers(2, without: before)
        let killed = master.log.filter { $0.event == Event.exit && $0["signal"] == "KILL" }
        #expect(!killed.isEmpty)
        #expect(try await slow.result().failed == 20)
    }

    @Test func aStopDuringAReloadIsObeyedAtOnce() async throws {
        let master = try Supervise.web(["--workers", "2"])
        try await master.waitForWorkers(2)
        try master.folder.write("hang", "")
        try await master.signal(SIGHUP)
        try await master.wait("the canary's boot") { master.roster.count(of: "boot") == 3 }
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    @Test func aCrashDuringAReloadIsReplaced() async throws {
        let master = try Supervise.web(["--workers", "2"])
        let before = try await master.waitForWorkers(2)
        try master.folder.write("hang", "")
        try await master.signal(SIGHUP)
        try await master.wait("the canary's boot") { master.roster.count(of: "boot") == 3 }
        kill(before[0].pid, SIGKILL)
        try await master.wait("a replacement's boot") { master.roster.count(of: "boot") == 4 }
        master.folder.remove(file: "hang")
        try await master.waitForWorkers(2, without: before)
    }

    @Test(.takesLongTurn) func nothingIsLeftOpenByReloadsAndCrashes() async throws {
        let master = try Supervise.hello([
            "--workers", "4", "--stable-after", "20ms", "--backoff", "10ms", "--backoff-max",
            "20ms",
        ])
        var workers = try await master.waitForWorkers(4)
        // The first of each kind may open descriptors that stay open.
        for _ in 0..<2 {
            try await master.signal(SIGHUP)
            workers = try await master.waitForWorkers(4, without: workers)
        }
        kill(workers[0].pid, SIGKILL)
        workers = try await master.waitForWorkers(4, without: [workers[0]])
        // An exiting process has no environment and so does not count as a worker, but the master
        // still holds its resources.
        let pid = try await master.pid()
        try await master.wait("nothing but four workers") {
            ProcessTable.entries().filter { $0.parent == pid }.count == 4
        }
        try await Task.sleep(for: .milliseconds(200))
        let before = ProcessTable.descriptors(of: pid)
        for _ in 0..<50 {
            try await master.signal(SIGHUP)
            workers = try await master.waitForWorkers(4, without: workers)
        }
        for _ in 0..<50 {
            for worker in workers { kill(worker.pid, SIGKILL) }
            workers = try await master.waitForWorkers(4, without: workers)
        }
        try await eventually(
            "\(before.count) descriptors: \(before)",
            context: { "\(ProcessTable.descriptors(of: pid))" }
        ) {
            ProcessTable.descriptors(of: pid).count == before.count
        }
        #expect(ProcessTable.entries().filter { $0.parent == pid }.count == 4)
    }
}
