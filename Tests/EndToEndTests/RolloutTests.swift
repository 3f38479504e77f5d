import Glibc
import Testing

/// Faulty code in a reload: it must not leave the service worse than before.
@Suite(.takesTurn) struct RolloutTests {
    @Test(arguments: [
        ("crash", ["cause": "exited", "status": "1"]), ("hang", ["cause": "boot-timeout"]),
        ("brief", ["cause": "exited", "status": "7"]),
    ])
    func badCodeIsNotRolledOut(fault: String, facts: [String: String]) async throws {
        let timeout = fault == "hang" ? "2s" : "20s"
        let master = try Supervise.web(["--workers", "2", "--ready-timeout", timeout])
        let before = try await master.waitForWorkers(2)
        let client = try LoadClient(try await master.address(), requests: 500, rate: 100)
        try await client.begun()
        try master.folder.write(fault, "")
        try await master.signal(SIGHUP)
        let failure = try await master.waitForEvent(Event.canaryFailed)
        for (name, value) in facts { #expect(failure[name] == value, "\(failure)") }
        try await master.waitForEvent(Event.reloadAborted)
        expectNoFailure(try await client.result(), 500)
        #expect(try await master.workers() == before)
        #expect(master.mostAlive == 3)

        master.folder.remove(file: fault)
        try await master.signal(SIGHUP)
        try await master.waitForWorkers(2, without: before)
    }

    @Test func aCommandThatIsGoneIsNotRolledOut() async throws {
        let config = "bind = 127.0.0.1:0\nstable-after = 200ms\n"
        let master = try Supervise.pools { _ in config }
        let before = try await master.waitForWorkers(1)
        let command = "command = /no/such/program\n"
        try master.folder.write("supervise.conf", config + command)
        try await master.signal(SIGHUP)
        let failure = try await master.waitForEvent(Event.canaryFailed)
        #expect(failure["cause"] == "start-failed" && failure.mentions("/no/such/program"))
        try await master.waitForEvent(Event.reloadAborted)
        #expect(try await master.workers() == before)
        try await master.reload(config)
        try await master.waitForWorkers(1, without: before)
    }

    @Test func oneBadCanaryStopsTheReloadOfAllPools() async throws {
        let config = """
            stable-after = 200ms
            bind = 127.0.0.1:0
            workers = 2
            [pool good]
            [pool bad]
            """
        let master = try Supervise.pools { _ in config }
        let before = try await master.waitForWorkers(4)
        try await master.reload(config + "\nenv = CRASH_FILE=/dev/null\n")
        try await master.waitForEvent(Event.reloadAborted)
        let failures = master.lines(Event.canaryFailed)
        #expect(failures.count == 1 && failures.first?["pool"] == "bad")
        let pid = try await master.pid()
        try await master.wait("the canaries' end") { master.workers(of: pid) == before }
        // The canary of the good pool may have been ready: it is stopped too, and no other worker
        // is.
        let old = Set(before.map(\.pid))
        #expect(master.lines(Event.retiring).compactMap(\.pid).allSatisfy { !old.contains($0) })

        try await master.reload(config)
        try await master.waitForWorkers(4, without: before)
        #expect(master.lines(Event.reloadCommitted).count == 1)
    }

    @Test func theNewestReloadWins() async throws {
        let config = "stable-after = 200ms\nbind = 127.0.0.1:0\nworkers = 2\n"
        let master = try Supervise.pools { _ in config }
        let before = try await master.waitForWorkers(2)
        let client = try LoadClient(try await master.address(), requests: 200, rate: 100)
        try await client.begun()
        try await master.reload(config + "env = HANG_FILE=/dev/null\n")
        try await master.wait("the canary's boot") { master.roster.count(of: "boot") == 3 }
        let canary = try #require(master.lines(Event.canaryStarted).first?["slot"])
        try await master.reload(config + "env = VERSION=newest\n")
        let after = try await master.waitForWorkers(2, without: before)
        #expect(after.allSatisfy { $0.generation == 3 })
        for worker in after {
            #expect(ProcessTable.environment(of: worker.pid)["VERSION"] == "newest")
        }
        let abandoned = master.lines(Event.exit).first { $0["cause"] == "generation-abandoned" }
        #expect(abandoned?["slot"] == canary && abandoned?["generation"] == "2")
        let aborted = master.lines(Event.reloadAborted)
        #expect(aborted.map { $0["generation"] } == ["2"])
        #expect(aborted.map { $0["level"] } == ["info"])
        #expect(master.lines(Event.reloadCommitted).map { $0["generation"] } == ["3"])
        // The exit of the abandoned canary says nothing about how it is adopted.
        #expect(!master.log.contains { $0.event == "adoption" && $0["by"] == "preload,seccomp" })
        expectNoFailure(try await client.result(), 200)
    }

    @Test func aReloadDuringARolloutTakesItOver() async throws {
        let master = try Supervise.web(
            ["--workers", "4", "--stable-after", "100ms"], environment: ["BOOT_SECONDS": "0.3"])
        let before = try await master.waitForWorkers(4)
        try await master.signal(SIGHUP)
        try await master.waitForEvent(Event.reloadCommitted)
        try await master.signal(SIGHUP)
        let after = try await master.waitForWorkers(4, without: before)
        try await master.waitForLog("the end of the second reload") {
            $0.event == Event.reloadComplete && $0["generation"] == "3"
        }
        #expect(after.isEmpty == false)
        #expect(try await master.workers().allSatisfy { $0.generation == 3 })
        #expect(master.roster.lowestReady(full: 4) == 4)
        #expect(master.mostAlive == 5)
    }

    @Test func aStopDuringTheTrialIsObeyedAtOnce() async throws {
        let master = try Supervise.web(["--workers", "2"])
        try await master.waitForWorkers(2)
        try await master.signal(SIGHUP)
        // Once ready, it must stay up for two seconds.
        try await master.waitForWorkers(3)
        #expect(try await master.stop() == .exited(0))
        #expect(master.lines(Event.reloadCommitted).isEmpty)
        #expect(master.leftBehind.isEmpty)
    }
}

/// Changes of the configuration in a reload.
@Suite(.takesTurn) struct ReconfigurationTests {
    @Test func poolsComeAndGo() async throws {
        func config(_ folder: Folder, _ other: String) -> String {
            """
            stable-after = 200ms
            [pool kept]
            bind = unix:\(folder["kept"])
            [pool \(other)]
            bind = unix:\(folder[other])

            """
        }
        let master = try Supervise.pools { config($0, "old") }
        let folder = master.folder
        let before = try await master.waitForWorkers(2)
        let client = try LoadClient("unix:" + folder["kept"], requests: 300, rate: 100)
        try await client.begun()
        try await master.reload(config(folder, "new"))
        try await master.waitForEvent(Event.reloadComplete)
        let after = try await master.waitForWorkers(2, without: before)
        #expect(Set(after.map(\.pool)) == ["kept", "new"])
        expectNoFailure(try await load("unix:" + folder["new"], requests: 5, rate: 100), 5)
        #expect(!folder.exists("old"))
        let removed = master.lines(Event.exit).filter { $0["pool"] == "old" }
        #expect(removed.count == 1 && removed.first?["status"] == "0", "\(master.tail)")
        expectNoFailure(try await client.result(), 300)
        #expect(try await master.stop() == .exited(0))
        #expect(!folder.exists("kept") && !folder.exists("new"))
    }

    /// With either rule: a scheduled recycle must not keep the old listeners of a worker open.
    @Test(arguments: ["auto", "1s"]) func bindsComeAndGo(ready: String) async throws {
        func config(_ host: String) -> String {
            "stable-after = 200ms\nworkers = 2\nready = \(ready)\nbind = 127.0.0.1:0\n"
                + "bind = \(host):0\n"
        }
        let master = try Supervise.pools { _ in config("127.0.0.2") }
        let before = try await master.waitForWorkers(2)
        let kept = try await master.address()
        let removed = try #require(master.lines(Event.listening).last?["address"])
        expectNoFailure(try await load(removed, requests: 5, rate: 100), 5)
        let client = try LoadClient(kept, requests: 300, rate: 100)
        try await client.begun()
        try await master.reload(config("127.0.0.3"))
        try await master.waitForWorkers(2, without: before)
        let added = try await master.waitForLog("the new listener") {
            $0.event == Event.listening && ($0["address"] ?? "").hasPrefix("127.0.0.3:")
        }
        let address = try #require(added["address"])
        expectNoFailure(try await load(address, requests: 5, rate: 100), 5)
        let late = try await load(removed, requests: 5, rate: 100)
        #expect(late.reasons == ["refused": 5], "\(late.reasons)")
        expectNoFailure(try await client.result(), 300)
        // The kept socket was neither closed nor announced again.
        #expect(master.lines(Event.listening).count == 3)
    }

    @Test func aBindThatFailsChangesNothing() async throws {
        let config = "stable-after = 200ms\nbind = 127.0.0.1:0\n"
        let taken = try Supervise.hello()
        let address = try await taken.address()
        let master = try Supervise.pools { _ in config }
        let before = try await master.waitForWorkers(1)
        try await master.reload(config + "bind = \(address)\nworkers = 3\n")
        try await master.waitForLog("an error naming the address") {
            $0["level"] == "error" && $0.mentions(address)
        }
        try await Task.sleep(for: .milliseconds(300))
        #expect(try await master.workers() == before)
        expectNoFailure(try await load(try await master.address(), requests: 5, rate: 100), 5)
    }

    @Test(arguments: [(2, 4), (4, 1)])
    func theNumberOfWorkersChanges(from: Int, to: Int) async throws {
        func config(_ workers: Int) -> String {
            "stable-after = 200ms\nbind = 127.0.0.1:0\nworkers = \(workers)\n"
        }
        let master = try Supervise.pools { _ in config(from) }
        let before = try await master.waitForWorkers(from)
        let client = try LoadClient(try await master.address(), requests: 300, rate: 100)
        try await client.begun()
        try await master.reload(config(to))
        try await master.waitForEvent(Event.reloadComplete)
        let after = try await master.waitForWorkers(to, without: before)
        #expect(after.allSatisfy { $0.generation == 2 })
        expectNoFailure(try await client.result(), 300)
        #expect(master.roster.lowestReady(full: from) ?? 0 >= min(from, to))
        #expect(master.mostAlive <= max(from, to) + 1)
    }
}

/// Reloads of pools in special states.
@Suite(.takesTurn) struct OddStateReloadTests {
    private static let stopFirst = """
        stable-after = 200ms
        backoff-max = 200ms
        max-surge = 0
        max-unavailable = 1
        workers = 3
        bind = 127.0.0.1:0

        """

    @Test func aStopFirstPoolRollsOneByOne() async throws {
        let master = try Supervise.pools { _ in Self.stopFirst }
        let before = try await master.waitForWorkers(3)
        let client = try LoadClient(try await master.address(), requests: 300, rate: 100)
        try await client.begun()
        try await master.signal(SIGHUP)
        try await master.waitForWorkers(3, without: before)
        expectNoFailure(try await client.result(), 300)
        #expect(master.mostAlive == 3)
        #expect(master.roster.lowestReady(full: 3) == 2)
    }

    @Test func aStopFirstPoolTakesBackBadSettings() async throws {
        let master = try Supervise.pools { _ in Self.stopFirst }
        let before = try await master.waitForWorkers(3)
        let client = try LoadClient(try await master.address(), requests: 300, rate: 100)
        try await client.begun()
        try await master.reload(Self.stopFirst + "env = CRASH_FILE=/dev/null\n")
        try await master.waitForEvent(Event.reloadAborted)
        let after = try await master.waitForWorkers(3)
        // The canary took one slot, whose worker was replaced.
        #expect(after.filter { before.contains($0) }.count == 2)
        #expect(after.allSatisfy { $0.generation == 1 })
        expectNoFailure(try await client.result(), 300)
        #expect(master.mostAlive == 3)
        #expect(master.roster.lowestReady(full: 3) == 2)
    }

    @Test func aStopFirstPoolIsNotTakenDownByBadCode() async throws {
        let master = try Supervise.pools { _ in Self.stopFirst + "max-lifetime = 2s\n" }
        let before = try await master.waitForWorkers(3)
        try master.folder.write("crash", "")
        try await master.signal(SIGHUP)
        try await master.waitForEvent(Event.reloadAborted)
        // New workers run the code on disk, so the slot cannot be filled. The other workers exceed
        // their lifetime but are not replaced.
        let client = try LoadClient(try await master.address(), requests: 300, rate: 100)
        try await client.begun()
        expectNoFailure(try await client.result(), 300)
        let kept = try await master.readyWorkers()
        #expect(kept.count == 2 && kept.allSatisfy { before.contains($0) })
        master.folder.remove(file: "crash")
        try await master.wait("the others' turn") {
            !before.map(\.pid).contains(where: ProcessTable.isAlive)
        }
    }

    @Test(arguments: [1, 2])
    func aReloadEndsACrashLoopAtOnce(crashing: Int) async throws {
        let master = try Supervise.web([
            "--workers", "2", "--backoff", "10m", "--backoff-max", "10m", "--stable-after", "100ms",
        ])
        let before = try await master.waitForWorkers(2)
        try await Task.sleep(for: .milliseconds(100))
        try master.folder.write("crash", "")
        for worker in before.prefix(crashing) { kill(worker.pid, SIGKILL) }
        try await master.wait("the backoff") {
            master.lines(Event.backoff).count == crashing
        }
        master.folder.remove(file: "crash")
        try await master.signal(SIGHUP)
        try await master.waitForWorkers(2, without: before)
    }

    @Test(arguments: [SIGHUP, SIGTTIN])
    func parkedWorkersComeBack(number: Int32) async throws {
        let master = try Supervise.web(["--workers", "2", "--stable-after", "100ms"])
        let before = try await master.waitForWorkers(2)
        let client = try LoadClient(try await master.address(), rate: 100)
        try await client.begun()
        try await master.signal(SIGWINCH)
        let pid = try await master.pid()
        try await master.wait("no workers") { master.workers(of: pid).isEmpty }
        try await master.waitForEvent("parked")
        try await Task.sleep(for: .milliseconds(500))
        #expect(try await master.workers().isEmpty && master.isRunning)
        try await master.signal(number)
        try await master.waitForWorkers(2, without: before)
        // Connections that arrived meanwhile waited in the queue.
        let result = try await client.end()
        expectNoFailure(result)
        #expect(result.longestGapSeconds > 0.4)
    }

    @Test func aTerminalsResizeParksNoWorker() async throws {
        let terminal = """
            import fcntl, os, pty, sys, termios
            leader, terminal = pty.openpty()
            os.set_inheritable(leader, True)
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
            os.execvp(sys.argv[1], sys.argv[1:])
            """
        let master = try Supervise(
            ["--bind", "127.0.0.1:0", "--", Place.helloWorker],
            wrapper: ["python3", "-c", terminal])
        let before = try await master.waitForWorkers(1)
        try await master.signal(SIGWINCH)
        try await master.waitForEvent("park-ignored")
        try await Task.sleep(for: .milliseconds(200))
        #expect(try await master.workers() == before)
        #expect(try await master.stop() == .exited(0))
    }
}
