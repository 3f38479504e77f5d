import Glibc
import Testing

/// Recycling by requests, age and memory: the pool never falls below full strength.
@Suite(.takesTurn) struct RecyclingTests {
    @Test func drawnLimitsLieInTheirRange() async throws {
        let master = try Supervise.hello([
            "--workers", "8", "--max-requests", "100", "--max-requests-jitter", "50",
        ])
        let limits = try await master.waitForWorkers(8).map(\.limit)
        #expect(limits.allSatisfy { (100...150).contains($0) }, "\(limits)")
        #expect(Set(limits).count > 1, "\(limits)")
    }

    @Test(.takesLongTurn) func aSlowBootLeavesNoGap() async throws {
        let master = try Supervise.web(
            ["--workers", "2", "--max-requests", "200", "--max-requests-jitter", "50"],
            environment: ["BOOT_SECONDS": "3"])
        let before = try await master.waitForWorkers(2, deadline: .seconds(30))
        let result = try await load(try await master.address(), requests: 2000, rate: 100)
        expectNoFailure(result, 2000)
        // A stop-first pool has a gap of one boot.
        #expect(result.longestGapSeconds < 3, "\(result.longestGapSeconds)")
        #expect(Set(result.pids.keys).subtracting(before.map { "\($0.pid)" }).count >= 2)
        #expect(master.roster.lowestReady(full: 2) == 2)
    }

    @Test func simultaneouslyDueWorkersStopOneAtATime() async throws {
        let master = try Supervise.web(
            ["--workers", "4", "--max-lifetime", "3s", "--stable-after", "100ms"],
            environment: ["BOOT_SECONDS": "0.5"])
        try await master.waitForWorkers(4)
        try await master.wait("four replacements", deadline: .seconds(30)) {
            master.roster.count(of: "stop") >= 4
        }
        #expect(master.roster.lowestReady(full: 4) == 4)
        #expect(master.roster.mostBooting(after: 4) == 1)
    }

    @Test func jobsAreRecycledByAge() async throws {
        let folder = try Folder()
        let master = try Supervise(
            ["--workers", "2", "--max-lifetime", "2s", "--", "python3", Place.worker("job")],
            environment: ["JOB_SECONDS": "600", "JOB_STARTS": folder["starts"]])
        // A job counts as ready after a second, so with such a short lifetime one is always
        // booting, and the two may never be ready at the same time.
        let before = try await eventually("two starts", context: { master.tail }) {
            let pids = master.lines(Event.started).prefix(2).compactMap(\.pid)
            return pids.count == 2 ? pids : nil
        }
        try await master.wait("both are replaced") {
            folder.lines("starts").count >= 4 && !before.contains(where: ProcessTable.isAlive)
        }
        let line = try await master.waitForEvent(Event.exit)
        #expect(line["cause"] == "max-lifetime")
    }

    @Test func theSoftCapIsGraceful() async throws {
        let master = try Supervise.web([
            "--workers", "2", "--max-rss", "80M", "--min-lifetime", "0s", "--memory-interval",
            "100ms",
        ])
        let before = try await master.waitForWorkers(2)
        let address = try await master.address()
        _ = try await get("/leak?kb=100000", from: address)
        let client = try LoadClient(address, requests: 300, rate: 100)
        let line = try await master.waitForEvent(Event.exit)
        #expect(line["cause"] == "max-rss" && line["status"] == "0")
        #expect(before.contains { $0.pid == line.pid })
        let due = try await master.waitForEvent(Event.recycleScheduled)
        #expect(due["cause"] == "max-rss" && due["limit"] == "\(80 << 20)")
        expectNoFailure(try await client.result(), 300)
        #expect(master.roster.lowestReady(full: 2) == 2)
    }

    @Test func theHardCapKillsAtOnce() async throws {
        let master = try Supervise.web(
            [
                "--kill-rss", "80M", "--warn-rss", "1M", "--memory-interval", "100ms",
                "--graceful-timeout", "10m",
            ],
            environment: ["IGNORE_TERM": "1"])
        let before = try await master.waitForWorkers(1)
        // A worker that is above the cap before it has served a request may need that much, and is
        // spared.
        try await master.waitForEvent("memory-warning")
        _ = try await get("/", from: try await master.address())
        _ = try await get("/leak?kb=100000", from: try await master.address())
        let line = try await master.waitForEvent(Event.exit)
        #expect(
            line.pid == before[0].pid && line["cause"] == "kill-rss" && line["signal"] == "KILL")
        #expect(line["level"] == "error")
        try await master.waitForWorkers(1, without: before)
    }

    @Test func aHeldWorkerIsNotRecycled() async throws {
        // It sends the request while it boots, so before its recycling is scheduled.
        let master = try Supervise.web(
            ["--max-lifetime", "3s"],
            environment: ["BOOT_SECONDS": "0.3", "BOOT_TELL": "X_HOLD=8"])
        let before = try await master.waitForWorkers(1)
        try await master.waitForEvent(Event.recycleScheduled)
        try await Task.sleep(for: .seconds(1))
        #expect(ProcessTable.isAlive(before[0].pid))
        #expect(master.lines(Event.retiring).isEmpty)
        try await master.waitForWorkers(1, without: before)
    }
}

/// The long test: everything at once under a steady load.
@Suite(.takesLongTurn) struct EnduranceTests {
    @Test func twentyThousandRequestsThroughEverything() async throws {
        let master = try Supervise.web(
            [
                "--workers", "4", "--max-requests", "200", "--max-requests-jitter", "50",
                "--stable-after", "1s",
            ], environment: ["BOOT_SECONDS": "0.5"])
        try await master.waitForWorkers(4)
        let client = try LoadClient(try await master.address(), requests: 20_000, rate: 300)
        for signal in [SIGHUP, SIGTTIN, SIGTTOU] {
            try await Task.sleep(for: .seconds(15))
            try await master.signal(signal)
        }
        let result = try await client.result()
        expectNoFailure(result, 20_000)
        #expect(master.roster.lowestReady(full: 4) ?? 0 >= 4)
        #expect(result.pids.count > 50)
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }
}
