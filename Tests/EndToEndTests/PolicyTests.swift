import Glibc
import Testing

/// Deferring a recycle, requesting one, and what follows an exit.
@Suite(.takesTurn) struct PolicyTests {
    @Test func aCapBelowTheProgramsSizeRaisesAnAlarmOnly() async throws {
        let master = try Supervise.web([
            "--max-rss", "5M", "--min-lifetime", "3s", "--memory-interval", "100ms",
            "--backoff-max", "1s",
        ])
        let worker = try await master.waitForWorkers(1)[0]
        let alarm = try await master.waitForEvent("memory-alarm")
        #expect(alarm.pid == worker.pid)
        // By then it could have been recycled after the same time again.
        try await Task.sleep(for: .seconds(6))
        #expect(master.lines("memory-alarm").count == 1)
        #expect(master.lines(Event.recycleScheduled).isEmpty && ProcessTable.isAlive(worker.pid))
        // It is not exempt from the cap: once it grows, it is recycled.
        kill(worker.pid, SIGUSR2)
        let due = try await master.waitForEvent(Event.recycleScheduled)
        #expect(due.pid == worker.pid && due["cause"] == "max-rss")
        try await master.waitForWorkers(1, without: [worker])
    }

    @Test func aHoldEnds() async throws {
        // It sends the request while it boots, so before its recycling is scheduled.
        let master = try Supervise.web(
            ["--max-lifetime", "3s", "--max-hold", "1s"],
            environment: ["BOOT_SECONDS": "0.3", "BOOT_TELL": "X_HOLD=600"])
        // From the log: on a busy machine the worker may exit before its pid is read.
        let first = try await master.waitForEvent(Event.started).pid
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit.pid == first && exit["cause"] == "max-lifetime", "\(master.tail)")
        #expect(try #require(exit.seconds("age")) >= 4)
    }

    @Test func aHoldCanBeTakenBack() async throws {
        // Without a second worker, so that this worker serves the request below.
        let master = try Supervise.web(
            ["--max-lifetime", "3s", "--max-surge", "0", "--max-unavailable", "1"],
            environment: ["BOOT_SECONDS": "0.3", "BOOT_TELL": "X_HOLD=600"])
        let worker = try await master.waitForWorkers(1)[0]
        try await master.waitForEvent(Event.recycleScheduled)
        try await Task.sleep(for: .seconds(1))
        #expect(master.lines(Event.retiring).isEmpty)
        try await master.tell("X_HOLD=0", by: worker)
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit.pid == worker.pid && exit["cause"] == "max-lifetime")
    }

    @Test func aWorkerMayAskToBeReplaced() async throws {
        let master = try Supervise.web(["--workers", "2"])
        let before = try await master.waitForWorkers(2)
        let answer = try await get("/tell?message=X_RECYCLE=1", from: try await master.address())
        let asking = try #require(
            before.first { answer?.contains("pid \($0.pid),") == true })
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit.pid == asking.pid && exit["cause"] == "requested" && exit["status"] == "0")
        let after = try await master.waitForWorkers(2, without: [asking])
        #expect(after.contains { before.contains($0) })
        #expect(master.roster.lowestReady(full: 2) == 2)
    }

    @Test func aStoppingWorkerIsReplacedImmediatelyAndKilledIfItStays() async throws {
        let master = try Supervise.web(["--graceful-timeout", "2s"])
        let worker = try await master.waitForWorkers(1)[0]
        try await master.tell("STOPPING=1", by: worker)
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit.pid == worker.pid && exit["cause"] == "announced" && exit["signal"] == "KILL")
        let told = try #require(master.lines(Event.retiring).first?.seconds("age"))
        #expect(try #require(exit.seconds("age")) - told >= 1.999)
        // Both ran at the same time.
        #expect(master.mostAlive == 2)
        try await master.waitForWorkers(1, without: [worker])
    }

    @Test(arguments: [
        ("always", 0, nil), ("always", 1, nil), ("on-failure", 0, 0), ("on-failure", 1, nil),
        ("never", 0, 0), ("never", 1, 15),
    ])
    func whatFollowsTheEndOfAWebWorker(restart: String, status: Int, code: Int?) async throws {
        let master = try Supervise.web(["--restart", restart])
        let before = try await master.waitForWorkers(1)
        _ = try await get("/die?status=\(status)", from: try await master.address())
        if let code {
            #expect(try await master.waitForExit() == .exited(code))
            #expect(master.lines(Event.started).count == 1)
        } else {
            try await master.waitForWorkers(1, without: before)
        }
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit["cause"] == (status == 0 ? "finished" : "crashed"))
        #expect(exit["status"] == "\(status)")
    }

    @Test func theBackoffGrowsAndIsForgotten() async throws {
        let master = try Supervise.web([
            "--backoff", "50ms", "--backoff-max", "800ms", "--stable-after", "300ms",
        ])
        var worker = try await master.waitForWorkers(1)
        try await Task.sleep(for: .milliseconds(400))
        try master.folder.write("crash", "")
        kill(worker[0].pid, SIGKILL)
        try await master.wait("six delays") { master.lines(Event.backoff).count >= 6 }
        master.folder.remove(file: "crash")
        // The first failure causes no delay; then each delay doubles, with up to a quarter of
        // jitter.
        let expected = [0.05, 0.1, 0.2, 0.4, 0.8, 0.8]
        for (line, least) in zip(master.lines(Event.backoff), expected) {
            let delay = try #require(line.seconds("delay"))
            #expect(delay >= least - 0.001 && delay <= least * 1.25 + 0.001, "\(line)")
        }
        worker = try await master.waitForWorkers(1)
        try await Task.sleep(for: .milliseconds(400))
        let delays = master.lines(Event.backoff).count
        kill(worker[0].pid, SIGKILL)
        try await master.waitForWorkers(1, without: worker)
        #expect(master.lines(Event.backoff).count == delays)
    }
}
