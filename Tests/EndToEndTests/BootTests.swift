import Glibc
import Testing

/// Boots that fail, hang or are slow.
@Suite(.takesTurn) struct BootTests {
    @Test func aSlotThatCannotBootBacksOffAlone() async throws {
        let master = try Supervise.web(["--workers", "2", "--backoff", "200ms"])
        let before = try await master.waitForWorkers(2)
        try master.folder.write("crash", "")
        kill(before[0].pid, SIGKILL)
        let booted = master.roster.count(of: "boot")
        let client = try LoadClient(try await master.address(), requests: 500, rate: 100)
        let result = try await client.result()
        expectNoFailure(result, 500)
        // 0, 0.2, 0.6, 1.4, 3.0 s with jitter; without backoff there would be a hundred.
        let starts = master.roster.count(of: "boot") - booted
        #expect((2...10).contains(starts), "\(starts)")
        #expect(ProcessTable.isAlive(before[1].pid))
        master.folder.remove(file: "crash")
        try await master.waitForWorkers(2, without: [before[0]])
    }

    @Test func aHungBootIsNoticed() async throws {
        let master = try Supervise.web(["--ready-timeout", "1s", "--ready", "notify"])
        let before = try await master.waitForWorkers(1)
        try master.folder.write("hang", "")
        kill(before[0].pid, SIGKILL)
        try await master.waitForLog("the hung boot's end") {
            $0.event == Event.exit && $0["cause"] == "boot-timeout"
        }
        master.folder.remove(file: "hang")
        try await master.waitForWorkers(1, without: before)
    }

    /// gunicorn does this: it sends READY=1 before the program is loaded.
    @Test func anEarlyWordOfReadinessIsNotBelieved() async throws {
        let master = try Supervise.web(
            [], environment: ["BOOT_SECONDS": "1", "BOOT_TELL": "READY=1"])
        let ready = try await master.waitForEvent(Event.ready)
        #expect(ready["by"] == "notify")
        #expect(try #require(ready["after"].flatMap { Double($0) }) >= 1)
    }

    @Test func aStopDoesNotWaitForTheBoot() async throws {
        let master = try Supervise.web(
            ["--workers", "2", "--ready", "notify"], environment: ["BOOT_SECONDS": "600"])
        try await master.wait("two boots") { master.roster.count(of: "boot") == 2 }
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    @Test(arguments: ["epoll", "poll", "select", "accept"])
    func evidenceMakesAPlainWorkerReady(how: String) async throws {
        let master = try Supervise([
            "--bind", "127.0.0.1:0", "--workers", "2", "--", "python3",
            Place.worker("plain_worker"), how,
        ])
        // A worker without evidence is ready only after 5 s.
        try await master.waitForWorkers(2, deadline: .seconds(4))
        expectNoFailure(try await load(try await master.address(), requests: 50, rate: 100), 50)
        #expect(try await master.stop() == .exited(0))
    }

    /// Missing evidence so far is not unavailable evidence: the rule of 5 s applies only to workers
    /// that cannot be inspected.
    @Test(arguments: [false, true])
    func aSlowBootIsReadyWhenItServes(isHidden: Bool) async throws {
        guard !isHidden || getuid() == 0 else { return }
        let script = """
            import select, socket, time
            time.sleep(7)
            listener = socket.socket(fileno=3)
            while True: select.select([listener], [], []); listener.accept()[0].close()
            """
        let master = try Supervise(
            ["--bind", "127.0.0.1:0", "--workers", "2"]
                + (isHidden ? ["--user", "65534", "--group", "65534"] : [])
                + ["--", "python3", "-c", script],
            wrapper: isHidden ? ["setpriv", "--bounding-set=-sys_ptrace"] : [])
        try await master.waitForWorkers(2)
        for line in master.lines(Event.ready) {
            #expect(line["by"] == "listening", "\(line)")
            #expect(try #require(line["after"].flatMap { Double($0) }) >= 7)
        }
        #expect(try await master.stop() == .exited(0))
    }

    @Test func aProgramThatDiesAfterSixSecondsHasNotBooted() async throws {
        let master = try Supervise([
            "--bind", "127.0.0.1:0", "--boot-attempts", "1", "--", "sh", "-c", "sleep 6; exit 1",
        ])
        #expect(try await master.waitForExit() == .exited(13))
        #expect(master.lines(Event.ready).isEmpty)
        #expect(master.lines(Event.exit).first?["cause"] == "boot-failed")
    }

    /// Nothing shows whether they serve, and the master does not keep sampling.
    @Test(.needsRoot) func workersThatAreAssumedReadyLetTheMasterSleep() async throws {
        let script = """
            import socket
            listener = socket.socket(fileno=3)
            while True: listener.accept()[0].close()
            """
        let master = try Supervise(
            [
                "--bind", "127.0.0.1:0", "--workers", "8", "--user", "65534", "--group", "65534",
                "--adopt", "off", "--count", "off", "--drain", "signal", "--", "python3", "-c",
                script,
            ], wrapper: ["setpriv", "--bounding-set=-sys_ptrace"])
        try await master.waitForWorkers(8)
        #expect(master.lines(Event.ready).allSatisfy { $0["by"] == "assumed" })
        // The sampling process and the listener check have finished.
        try await Task.sleep(for: .seconds(12))
        let before = try await master.contextSwitches()
        try await Task.sleep(for: .seconds(4))
        #expect(try await master.contextSwitches() == before)
        #expect(try await master.stop() == .exited(0))
    }

    @Test func aJobIsReadyWhenItLives() async throws {
        let master = try Supervise(
            ["--", "python3", Place.worker("job")], environment: ["JOB_SECONDS": "600"])
        try await master.waitForWorkers(1)
        #expect(try await master.stop() == .exited(0))
    }
}
