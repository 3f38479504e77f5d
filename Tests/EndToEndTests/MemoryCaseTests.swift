import Glibc
import Testing

/// Typical user problems, with compressed time. Each prints its memory range and its failures.
@Suite(.takesTurn) struct MemoryCaseTests {
    private static let quick = ["--min-lifetime", "0s", "--memory-interval", "50ms"]

    private func report(_ what: String, _ megabytes: [Int], _ result: LoadResult, _ rest: String) {
        let band = "\(megabytes.min() ?? 0) to \(megabytes.max() ?? 0) MB"
        print("\(what): \(band), \(result.failed) of \(result.ok + result.failed) failed; \(rest)")
    }

    private func megabytes(_ lines: [LogLine]) -> [Int] {
        lines.compactMap { $0["rss"].flatMap { Int($0) } }.map { $0 >> 20 }
    }

    /// Case a. 80 MB per hour in a container of 512 MB, which was killed every 12 hours. Here all
    /// sizes are a quarter and three days are forty seconds: 1440 MB grow in a group of 128. The
    /// requests are sequential, so that the leak also slows down on a busy machine.
    @Test(.needsControlGroup, .takesLongTurn) func threeDaysInAContainer() async throws {
        let group = try #require(ControlGroup(limitBytes: 128 << 20))
        let folder = try Folder()
        let master = try Supervise(
            [
                "--bind", "127.0.0.1:0", "--workers", "2", "--max-rss", "40%",
                "--memory-pressure", "auto",
            ] + Self.quick + ["--", Place.helloWorker],
            wrapper: group.wrapper, folder: folder)
        try await master.waitForWorkers(2)
        // The number of boots is that of three real days; they take longer on a busy machine.
        let boots = master.lines(Event.ready).compactMap { $0["after"].flatMap { Double($0) } }
        let client = try LoadClient(
            try await master.address(), requests: 2400,
            rate: max(10, min(80, 20 / (boots.max() ?? 1))), path: "/leak?kb=614", inTurn: true)
        var usage: [Int] = []
        while client.isRunning {
            usage.append(group.usage >> 20)
            try await Task.sleep(for: .milliseconds(20))
        }
        let result = try await client.result()
        let exits = master.lines(Event.exit)
        report(
            "a: three days of 80 MB/h in 512 MB", usage, result,
            "\(exits.count) recycled, \(group.kills ?? 0) killed by the kernel")
        expectNoFailure(result, 2400)
        #expect(group.kills == 0, "\(master.tail)")
        #expect(exits.count > 20 && exits.allSatisfy { $0["signal"] == nil })
        #expect(try await master.stop() == .exited(0))
    }

    /// Case b. 400 KB per request, recycled after 1000 requests; here after 100.
    @Test func fourHundredKilobytesARequestByRequests() async throws {
        let master = try Supervise.hello([
            "--workers", "2", "--max-requests", "100", "--max-requests-jitter", "10",
            "--memory-log", "/dev/null", "--memory-log-interval", "100ms",
        ])
        try await master.waitForWorkers(2)
        let result = try await load(
            try await master.address(), requests: 1000, rate: 100, path: "/leak?kb=400",
            inTurn: true)
        let exits = master.lines(Event.exit)
        report(
            "b: 400 KB a request, max-requests", megabytes(exits), result, "\(exits.count) exits")
        expectNoFailure(result, 1000)
        // A worker keeps serving while its replacement boots.
        #expect(megabytes(exits).allSatisfy { (40..<200).contains($0) })
        for line in exits {
            #expect(line["cause"] == "max-requests")
        }
    }

    /// Case c. The same, by memory only; the worker counts nothing.
    @Test func fourHundredKilobytesARequestByMemory() async throws {
        let master = try Supervise.hello(
            ["--workers", "2", "--max-rss", "50M"] + Self.quick, environment: ["HELLO_COUNT": "0"])
        try await master.waitForWorkers(2)
        let result = try await load(
            try await master.address(), requests: 1000, rate: 100, path: "/leak?kb=400",
            inTurn: true)
        try await master.wait("three exits") { master.lines(Event.exit).count >= 3 }
        let exits = master.lines(Event.exit)
        let growth = exits.compactMap { $0["growth_per_hour"].flatMap { Int($0) } }
        report(
            "c: 400 KB a request, max-rss 50M", megabytes(exits), result,
            "growth of \(growth.map { $0 >> 20 }) MB an hour")
        expectNoFailure(result, 1000)
        #expect(exits.count >= 3 && exits.allSatisfy { $0["cause"] == "max-rss" })
        // The last replacement may be booting when the requests end.
        #expect(megabytes(exits).allSatisfy { (40..<200).contains($0) })
        // 20 MB per second for each of the two, if they alternate and the machine is not busy.
        #expect(growth.contains { (1_000...162_000).contains($0 >> 20) }, "\(growth)")
    }

    /// Case d. One type of request adds 200 MB at once. The soft cap loses no request, the hard cap
    /// at most the requests in the worker. The other worker keeps serving in both cases.
    @Test(arguments: ["max-rss", "kill-rss"]) func oneBadRequest(cap: String) async throws {
        let master = try Supervise.hello(
            ["--workers", "2", "--\(cap)", "150M", "--graceful-timeout", "5s"] + Self.quick)
        let before = try await master.waitForWorkers(2)
        let address = try await master.address()
        let client = try LoadClient(address, requests: 300, rate: 100)
        try await client.begun()
        _ = try await get("/leak?kb=200000", from: address)
        try await master.waitForEvent(Event.exit)
        let result = try await client.result()
        let exits = master.lines(Event.exit)
        report("d: 200 MB at once, \(cap)", megabytes(exits), result, "\(exits.count) exit")
        #expect(exits.count == 1 && exits.first?["cause"] == cap)
        #expect(result.failed <= (cap == "max-rss" ? 0 : 1), "\(result.reasons)")
        let untouched = before.filter { $0.pid != exits.first?.pid }
        #expect(untouched.count == 1 && untouched.allSatisfy { ProcessTable.isAlive($0.pid) })
        if cap == "kill-rss" { #expect(exits.first?["killed_by"] == "supervise") }
    }

    /// Case e. Jobs of 50 MB that never end, in a pool without a listener; a minute is two seconds.
    @Test func stuckJobs() async throws {
        let folder = try Folder()
        let master = try Supervise(
            ["--workers", "3", "--max-lifetime", "2s", "--", "python3", Place.worker("job")],
            environment: [
                "JOB_SECONDS": "600", "JOB_STARTS": folder["starts"], "JOB_MB": "50",
            ])
        try await master.wait("nine jobs", deadline: .seconds(40)) {
            folder.lines("starts").count >= 9
        }
        let exits = master.lines(Event.exit)
        let ages = exits.compactMap { $0["age"].flatMap { Double($0) } }
        let alive = master.mostAlive
        print("e: stuck jobs, max-lifetime: at most \(alive) of 3, ages \(ages)")
        #expect(exits.count >= 6 && exits.allSatisfy { $0["cause"] == "max-lifetime" })
        #expect(alive == 3)
    }

    /// Case f. Four workers reach the cap in the same second and are recycled one at a time.
    @Test func fourAtTheSameTime() async throws {
        let master = try Supervise.web(
            ["--workers", "4", "--max-rss", "80M"] + Self.quick,
            environment: ["BOOT_SECONDS": "0.2"])
        let before = try await master.waitForWorkers(4)
        let client = try LoadClient(try await master.address(), requests: 600, rate: 100)
        try await client.begun()
        for worker in before { kill(worker.pid, SIGUSR2) }
        try await master.waitForWorkers(4, deadline: .seconds(30), without: before)
        let result = try await client.result()
        let exits = master.lines(Event.exit)
        let lowest = master.roster.lowestReady(full: 4) ?? 0
        report(
            "f: four at the cap at once", megabytes(exits), result,
            "never fewer than \(lowest) ready, \(master.roster.mostBooting(after: 4)) booting")
        expectNoFailure(result, 600)
        #expect(lowest == 4 && master.roster.mostBooting(after: 4) == 1)
        #expect(exits.allSatisfy { $0["cause"] == "max-rss" })
    }
}
