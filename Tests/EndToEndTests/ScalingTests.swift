import Foundation
import Glibc
import Testing

/// Elastic pools: the number of workers follows the load.
@Suite(.takesTurn, .needs("python3")) struct ScalingTests {
    private static func serial(
        _ workers: String, _ options: [String] = [], environment: [String: String] = [:],
        bind: String = "127.0.0.1:0", wrapper: [String] = []
    ) throws -> Supervise {
        try Supervise(
            ["--bind", bind, "--workers", workers, "--name", "elastic"] + options
                + ["--", "python3", Place.worker("serial")],
            environment: environment, wrapper: wrapper)
    }

    private static func fetch(_ path: String, from master: Supervise) async throws -> String {
        let socket = master.controlSocket("elastic")
        return try await run(["curl", "--silent", "--unix-socket", socket, "http://x\(path)"])
            .output
    }

    private static func size(of master: Supervise) async throws -> Int {
        let json = try await master.command("status", "--json").json
        let pool = try #require((json["pools"] as? [[String: Any]])?.first)
        return try #require(pool["workers"] as? Int)
    }

    /// Waits until a condition holds.
    private static func wait(
        _ what: String, for master: Supervise, until condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            guard ContinuousClock.now < deadline else {
                throw Late(description: "not in time: \(what)\n\(master.tail)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Waits until the pool has this number of workers, and no others have a process.
    private static func settle(_ master: Supervise, at count: Int) async throws {
        try await wait("\(count) workers", for: master) {
            let size = try await size(of: master)
            let running = try await master.workers().count
            return size == count && running == count
        }
    }

    private static func expectOrder(
        of master: Supervise, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for line in master.lines("scaled-down") {
            let from = line["from"].flatMap { Int($0) }
            let to = line["to"].flatMap { Int($0) }
            #expect(from == to.map { $0 + 1 }, "\(line)", sourceLocation: sourceLocation)
        }
        for line in master.lines(Event.exit) where line["cause"] == "scaled-down" {
            #expect(line["signal"] != "KILL", "\(line)", sourceLocation: sourceLocation)
        }
    }

    /// 70 requests of 50 ms per second need 3.5 workers, and 8 serve what waited before.
    @Test(.takesLongTurn) func aBurstAddsWorkersAndQuietRemovesThem() async throws {
        let master = try Self.serial("2..8", ["--scale-down-after", "2s"])
        try await master.waitForWorkers(2)
        let address = try await master.address()
        let client = try LoadClient(address, requests: 560, rate: 70, timeout: 30)
        try await master.waitForEvent("scaled-up")
        expectNoFailure(try await client.result(), 560)
        let ups = master.lines("scaled-up")
        #expect(ups.first?["from"] == "2" && ups.first?["to"] == "4", "\(ups)")
        #expect(ups.allSatisfy { $0["cause"] == "waiting-time" || $0["cause"] == "unserved" })
        try await Self.settle(master, at: 2)
        Self.expectOrder(of: master)
        let metrics = try await Self.fetch("/metrics", from: master)
        #expect(metrics.contains("supervise_pool_max_workers{pool=\"default\"} 8"), "\(metrics)")
        #expect(metrics.contains("supervise_pool_min_workers{pool=\"default\"} 2"))
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    /// A reload and an upgrade while the number of workers grows, and while it falls.
    @Test(.takesLongTurn) func aReloadAndAnUpgradeInTheMiddleLoseNothing() async throws {
        let master = try Self.serial("2..8", ["--scale-down-after", "2s"])
        try await master.waitForWorkers(2)
        let address = try await master.address()
        let pid = try await master.pid()
        let client = try LoadClient(address, requests: 560, rate: 70, timeout: 30)
        try await master.waitForEvent("scaled-up")
        #expect(try await master.command("upgrade").status == .exited(0))
        #expect(try await master.command("reload", "--wait").status == .exited(0))
        expectNoFailure(try await client.result(), 560)
        try await master.wait("a worker less", deadline: .seconds(60)) {
            !master.lines("scaled-down").isEmpty
        }
        #expect(try await master.command("reload", "--wait").status == .exited(0))
        #expect(try await master.command("upgrade").status == .exited(0))
        try await Self.settle(master, at: 2)
        #expect(try await master.pid() == pid)
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    @Test(arguments: [false, true])
    func thePoolSleepsUntilAConnectionArrives(isUnix: Bool) async throws {
        let folder = try Folder()
        let bind = isUnix ? "unix:\(folder["socket"])" : "127.0.0.1:0"
        let master = try Self.serial("0..2", ["--scale-down-after", "500ms"], bind: bind)
        let address = try await master.address()
        try await master.waitForEvent("master-started")
        #expect(try await master.workers().isEmpty)
        #expect(try await Self.fetch("/readyz", from: master).contains("ready"))
        for round in 1...2 {
            let body = try #require(try await get("/", from: address), "\(master.tail)")
            #expect(body.hasPrefix("pid: "))
            try await master.wait("the worker's end") {
                master.lines(Event.exit).count == round
            }
            #expect(master.lines("scaled-up").count == round)
        }
        #expect(master.lines("scaled-up").allSatisfy { $0["cause"] == "connection" })
        try await Self.expectNoWakeups(of: master)
        // A reload tries a canary and stops it. A client finds the new generation.
        #expect(try await master.command("reload", "--wait").status == .exited(0))
        #expect(!master.lines(Event.canaryPassed).isEmpty)
        try await master.wait("the canary's end") { master.lines(Event.exit).count == 3 }
        #expect(try await master.command("upgrade").status == .exited(0))
        try await Self.expectNoWakeups(of: master)
        #expect(try await get("/", from: address)?.hasPrefix("pid: ") == true, "\(master.tail)")
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    /// Waits until the master rests, and expects that it does not wake within a second.
    private static func expectNoWakeups(of master: Supervise) async throws {
        try await wait("a second without wakeups", for: master) {
            let before = try await master.contextSwitches()
            try await Task.sleep(for: .seconds(1))
            return try await master.contextSwitches() == before
        }
    }

    /// A client that connects and sends nothing has an idle connection.
    @Test func aSilentClientKeepsNoWorker() async throws {
        let master = try Self.serial("0..2", ["--scale-down-after", "500ms"])
        let address = try await master.address()
        let port = try #require(address.split(separator: ":").last)
        let silent = try Cage(
            [
                "python3", "-c",
                "import socket, sys, time; c = socket.create_connection(('127.0.0.1', "
                    + "int(sys.argv[1]))); time.sleep(60)", String(port),
            ], environment: baseEnvironment, output: master.folder["silent"],
            errors: master.folder["silent"])
        try await master.waitForEvent("scaled-up")
        try await master.waitForEvent("scaled-down")
        try await master.wait("the worker's end") { !master.lines(Event.exit).isEmpty }
        #expect(silent.status == nil)
        #expect(try await master.stop() == .exited(0))
    }

    /// A reload whose program fails while the pool has no worker.
    @Test func aBrokenReloadLeavesNoWorker() async throws {
        let folder = try Folder()
        let master = try Supervise.pools(environment: [:]) { _ in
            """
            name = elastic
            [pool web]
            bind = 127.0.0.1:0
            workers = 0..2
            command = sh -c "test ! -e \(folder["broken"]) && exec python3 \(Place.worker("serial"))"

            """
        }
        let address = try await master.address()
        try await master.waitForEvent("master-started")
        try folder.write("broken", "")
        #expect(try await master.command("reload", "--wait").status != .exited(0))
        #expect(try await Self.size(of: master) == 0)
        folder.remove(file: "broken")
        #expect(try await get("/", from: address)?.hasPrefix("pid: ") == true, "\(master.tail)")
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    @Test func memoryLimitsTheNumberOfWorkers() async throws {
        // Each worker has about 50 MB, so three fit.
        let master = try Self.serial(
            "2..8", ["--max-pool-rss", "185M", "--scale-down-after", "60s"],
            environment: ["MEMORY_MB": "40"])
        try await master.waitForWorkers(2)
        let client = try LoadClient(
            try await master.address(), requests: 300, rate: 70, timeout: 30)
        let line = try await master.waitForEvent("scale-blocked")
        #expect(line["by"] == "max-pool-rss", "\(line)")
        expectNoFailure(try await client.result(), 300)
        #expect(try await Self.size(of: master) <= 3)
        let metrics = try await Self.fetch("/metrics", from: master)
        #expect(!metrics.contains("supervise_pool_scale_blocks_total{pool=\"default\"} 0"))
        #expect(try await master.stop() == .exited(0))
    }

    @Test func operatorsMoveTheBounds() async throws {
        let master = try Self.serial("1..4")
        try await master.waitForWorkers(1)
        let scaled = try await master.command("scale", "3..6")
        #expect(scaled.output.contains("scaled from 1 to 3 workers (3..6)"), "\(scaled)")
        try await master.waitForWorkers(3)
        try await master.signal(SIGTTOU)
        try await master.waitForLog("the bounds") { $0["to"] == "2..5" }
        try await master.waitForWorkers(3)
        #expect(try await master.command("scale", "2").output.contains("to 2 workers (2..2)"))
        try await master.waitForWorkers(2)
        #expect(try await master.command("reload", "--wait").status == .exited(0))
        let status = try await master.command("status").output
        #expect(status.contains("of 2 ready (1..4)"), "\(status)")
        #expect(try await master.stop() == .exited(0))
        let fixed = try Self.serial("2")
        try await fixed.waitForWorkers(2)
        let refused = try await fixed.command("scale", "1..4")
        #expect(refused.errors.contains("fixed number of workers"), "\(refused)")
        #expect(try await fixed.stop() == .exited(0))
    }
}
