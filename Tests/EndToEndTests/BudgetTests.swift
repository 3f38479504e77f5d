import Glibc
import Testing

/// One budget for all causes, and replacements that start ahead.
@Suite(.takesTurn) struct BudgetTests {
    /// A budget and its values for four workers.
    struct Amounts {
        let surge: String
        let unavailable: String
        let extra: Int
        let missing: Int
    }

    @Test(arguments: [
        Amounts(surge: "1", unavailable: "0", extra: 1, missing: 0),
        Amounts(surge: "30%", unavailable: "10%", extra: 2, missing: 0),
        Amounts(surge: "0", unavailable: "1", extra: 0, missing: 1),
    ])
    func allCausesTogetherKeepToTheBudget(amounts: Amounts) async throws {
        let calm = """
            bind = 127.0.0.1:0
            workers = 4
            stable-after = 200ms
            max-surge = \(amounts.surge)
            max-unavailable = \(amounts.unavailable)
            max-rss = 80M
            min-lifetime = 0s
            memory-interval = 100ms

            """
        let master = try Supervise.pools(environment: ["BOOT_SECONDS": "0.2"]) { _ in
            calm + "max-lifetime = 8s\n"
        }
        let before = try await master.waitForWorkers(4)
        let client = try LoadClient(try await master.address(), requests: 1000, rate: 100)
        try await client.begun()
        // All lifetimes expire, two workers exceed their cap, and a reload starts as well.
        try await master.waitForEvent(Event.recycleScheduled)
        for worker in before[2...] { kill(worker.pid, SIGUSR2) }
        try await master.reload(calm)
        try await master.waitForEvent(Event.reloadComplete, deadline: .seconds(30))
        try await master.waitForWorkers(4, without: before)
        expectNoFailure(try await client.result(), 1000)
        #expect(master.mostAlive <= 4 + amounts.extra)
        #expect(master.roster.lowestReady(full: 4) ?? 0 >= 4 - amounts.missing)
        let causes = Set(
            master.lines(Event.retiring).filter { line in
                before.contains { $0.pid == line.pid }
            }.compactMap { $0["cause"] })
        #expect(causes.contains("max-lifetime") && causes.contains("max-rss"), "\(causes)")
    }

    @Test(.takesLongTurn) func replacementsStartAheadOfTheLimit() async throws {
        let master = try Supervise.hello(
            ["--max-requests", "300"], environment: ["HELLO_BOOT_MS": "500"])
        try await master.waitForWorkers(1)
        let client = try LoadClient(try await master.address(), requests: 1200, rate: 200)
        let result = try await client.result()
        expectNoFailure(result, 1200)
        // The first workers have no estimate of the boot time and the request rate.
        let dues = master.lines(Event.recycleScheduled)
        #expect(dues.first?["requests"] == "300")
        for line in dues.dropFirst() {
            let requests = try #require(line["requests"].flatMap { Int($0) })
            #expect((150..<300).contains(requests), "\(line)")
        }
        let overshoot = master.lines(Event.exit).compactMap { line in
            line["requests"].flatMap { Int($0) }.map { $0 - 300 }
        }
        try #require(overshoot.count >= 3)
        #expect(overshoot[0] >= 50, "\(overshoot)")
        // The median, because a worker may also wait for the machine.
        let later = overshoot[1...].sorted()
        #expect(later[later.count / 2] < overshoot[0] / 2, "\(overshoot)")
    }

    @Test func whatIsInFlightSurvivesARecycling() async throws {
        let master = try Supervise.hello(["--max-requests", "20", "--stable-after", "100ms"])
        let before = try await master.waitForWorkers(1)
        let address = try await master.address()
        let idle = ProcessTable.sockets(of: before[0].pid)
        let slow = try LoadClient(address, requests: 10, rate: 1000, path: "/slow?ms=2000")
        try await master.wait("10 connections") {
            ProcessTable.sockets(of: before[0].pid) == idle + 10
        }
        let quick = try await load(address, requests: 50, rate: 100)
        expectNoFailure(quick, 50)
        let result = try await slow.result()
        expectNoFailure(result, 10)
        #expect(result.pids == ["\(before[0].pid)": 10])
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit.pid == before[0].pid && exit["cause"] == "max-requests")
        #expect(exit["status"] == "0")
    }
}
