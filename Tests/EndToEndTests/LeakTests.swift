import Foundation
import Testing

/// `supervise leaks` with programs that leak.
@Suite(.takesLongTurn) struct LeakTests {
    private struct Service {
        let master: Supervise
        let clients: [Cage]

        /// Returns the report about the only pool, once it satisfies the condition.
        func report(
            _ what: String, deadline: Duration = .seconds(60),
            where fits: ([String: Any]) throws -> Bool
        ) async throws -> [String: Any] {
            let end = ContinuousClock.now + deadline
            while true {
                let answer = try await master.command("leaks", "--json")
                let pools = try answer.json["pools"] as? [[String: Any]]
                let pool = try #require(pools?.first, "\(answer)")
                if try fits(pool) { return pool }
                guard ContinuousClock.now < end else {
                    throw Late(description: "not within \(deadline): \(what)\n\(pool)")
                }
            }
        }

        func stop() async throws {
            #expect(try await master.stop() == .exited(0), "\(master.tail)")
            withExtendedLifetime(clients) {}
        }
    }

    private func start(
        _ conduct: String, _ options: [String] = ["--max-rss", "4G"],
        python: String = "python3", framework: String = "", clients: Int = 2
    ) async throws -> Service {
        let port = try freePort()
        let master = try Supervise(
            ["--bind", "127.0.0.1:\(port)", "--memory-interval", "10ms", "--workers", "2"]
                + options
                + ["--", python, "\(Place.tests)/Workers/leaking_routes.py", "\(port)", conduct],
            environment: ["LEAKING_FRAMEWORK": framework])
        try await master.waitForWorkers(2)
        let cages = try (0..<clients).map { seed in
            try Cage(
                ["python3", "\(Place.tests)/Clients/routes.py", "\(port)", "\(seed)"],
                environment: baseEnvironment, output: "/dev/null", errors: "/dev/null")
        }
        return Service(master: master, clients: cages)
    }

    private func named(_ pool: [String: Any]) -> [String] {
        routes(pool).filter { $0["standing"] as? String == "suspect" }
            .compactMap { $0["route"] as? String }
    }

    private func routes(_ pool: [String: Any]) -> [[String: Any]] {
        pool["routes"] as? [[String: Any]] ?? []
    }

    /// Whether the right route is named, with about the right amount.
    private func isFound(_ pool: [String: Any]) throws -> Bool {
        guard !named(pool).isEmpty else { return false }
        let bytes = try #require(routes(pool).first?["bytes_per_request"] as? Double)
        return abs(bytes - 50_000) < 10_000
    }

    private func expectLeak(_ pool: [String: Any]) throws {
        #expect(named(pool) == ["GET /report"])
        let route = try #require(routes(pool).first)
        let bytes = try #require(route["bytes_per_request"] as? Double)
        #expect(abs(bytes - 50_000) < 10_000, "\(pool)")
        #expect((route["share"] as? Double ?? 0) > 0.5, "\(pool)")
    }

    @Test func theRouteThatLeaksIsNamed() async throws {
        let service = try await start("leak", ["--max-rss", "4G", "--name", "shop"])
        let pool = try await service.report("a suspect", where: isFound)
        try expectLeak(pool)
        let text = try await service.master.command("leaks").output
        #expect(text.contains("GET /report") && text.contains("sure (z "), "\(text)")
        #expect(text.contains("GET /report retains memory with every request"), "\(text)")
        #expect(!text.contains("\u{1B}"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(text)")
        let unknown = try await service.master.command("leaks", "--pool", "x")
        #expect(unknown.status == .exited(1) && unknown.errors.contains("unknown pool x"))
        // The evidence outlives an upgrade, and not a reload, which may have fixed the leak.
        let upgrade = try await service.master.command("upgrade")
        #expect(upgrade.status == .exited(0), "\(upgrade)")
        let after = try await service.report("the same suspect") { !named($0).isEmpty }
        #expect(
            after["observations"] as? Int ?? 0 >= pool["observations"] as? Int ?? 1, "\(after)")
        #expect(try await service.master.command("reload", "--wait").status == .exited(0))
        _ = try await service.report("new evidence") { $0["generation"] as? Int == 2 }
        try await service.stop()
    }

    @Test func workersThatAreRecycledAllTheTimeAreEvidence() async throws {
        let service = try await start("leak", ["--max-rss", "4G", "--max-requests", "600"])
        let pool = try await service.report("a suspect", deadline: .seconds(120), where: isFound)
        try expectLeak(pool)
        try await service.stop()
    }

    @Test(arguments: ["cache", "nothing"])
    func aProgramThatDoesNotLeakHasNoSuspect(conduct: String) async throws {
        let service = try await start(conduct)
        let pool = try await service.report("evidence") {
            #expect(named($0).isEmpty, "\($0)")
            return $0["observations"] as? Int ?? 0 >= 150
        }
        #expect(pool["state"] as? String != "suspects", "\(pool)")
        try await service.stop()
    }

    @Test(arguments: ["django", "flask"])
    func aViewOfAFrameworkIsNamed(framework: String) async throws {
        let python = "\(Place.package)/.build/servers/bin/python3"
        guard FileManager.default.fileExists(atPath: python) else { return }
        let service = try await start("leak", python: python, framework: framework)
        try expectLeak(
            try await service.report("a suspect", deadline: .seconds(120), where: isFound))
        try await service.stop()
    }

    @Test func forkedWorkersAreEvidence() async throws {
        let service = try await start("leak", ["--max-rss", "4G", "--mold", "auto"])
        try expectLeak(
            try await service.report("a suspect", deadline: .seconds(120), where: isFound))
        try await service.stop()
    }

    @Test(arguments: [
        (["--max-rss", "4G", "--request-info", "off"], "request-info-off"),
        ([], "not-sampled"),
        (["--max-rss", "4G", "--adopt", "seccomp", "--count", "report"], "not-observed"),
    ])
    func theReasonForNoEvidenceIsReported(options: [String], state: String) async throws {
        let service = try await start("leak", options, clients: 0)
        let pool = try await service.report("the reason") { $0["state"] as? String == state }
        #expect((pool["message"] as? String ?? "").count > 20)
        try await service.stop()
    }

    @Test func workersThatEndAtOnceAreReported() async throws {
        let service = try await start(
            "leak", ["--max-rss", "4G", "--max-requests", "20", "--memory-interval", "200ms"])
        let pool = try await service.report("short lives", deadline: .seconds(120)) {
            $0["state"] as? String == "short-lives"
        }
        #expect((pool["message"] as? String ?? "").contains("max-requests"), "\(pool)")
        try await service.stop()
    }

    @Test(.needs("curl")) func statusBindNamesRoutesOnlyIfSet() async throws {
        let options = ["--max-rss", "4G", "--status-bind", "127.0.0.1:0"]
        for (setting, status) in [("no", "403"), ("yes", "200")] {
            let service = try await start("leak", options + ["--status-routes", setting])
            _ = try await service.report("a suspect") { !named($0).isEmpty }
            let address = try await service.master.statusAddress()
            let answer = try await run(
                ["curl", "-s", "-w", "%{http_code}", "http://\(address)/leaks"])
            #expect(answer.output.hasSuffix(status), "\(answer)")
            #expect(answer.output.contains("/report") == (setting == "yes"), "\(answer)")
            let whole = try await service.master.curl("/status", at: address).output
            #expect(whole.contains("\"names_routes\":\(setting == "yes")"), "\(whole)")
            try await service.stop()
        }
    }
}
