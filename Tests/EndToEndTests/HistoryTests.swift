import Foundation
import Testing

/// `/history`: the figures that a browser reads once.
@Suite(.takesTurn) struct HistoryTests {
    private struct History {
        var times: [Double]
        var memory: [Double?]
        var requests: [Double?]
        var ready: [Double?]
        var changes: [String]
        var uptime: Double
    }

    private static func history(
        of master: Supervise, _ path: String = "/history"
    ) async throws -> History {
        let text = try await master.curl(path).output
        // The last line is the status code.
        let body = text.split(separator: "\n").first.map(String.init) ?? ""
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
        let pool = try #require((json["pools"] as? [[String: Any]])?.first)
        func column(_ name: String) throws -> [Double?] {
            try #require(pool[name] as? [Any]).map { $0 as? Double }
        }
        let changes = try #require(json["changes"] as? [[String: Any]])
        return History(
            times: try column("at_seconds").compactMap { $0 }, memory: try column("memory_bytes"),
            requests: try column("requests"), ready: try column("ready"),
            changes: changes.compactMap { $0["event"] as? String },
            uptime: try #require(json["uptime_seconds"] as? Double))
    }

    /// Waits until the history satisfies a condition.
    private static func wait(
        _ what: String, _ master: Supervise, until isThere: (History) -> Bool
    ) async throws -> History {
        let limit = ContinuousClock.now + .seconds(40)
        while true {
            let found = try await history(of: master)
            if isThere(found) { return found }
            try #require(ContinuousClock.now < limit, "\(what): \(found)")
        }
    }

    /// The cap makes the master sample the memory without any client of the status.
    @Test(.takesLongTurn) func figuresAndChangesSurviveAnUpgrade() async throws {
        let master = try Supervise.hello([
            "--workers", "2", "--max-rss", "1G", "--memory-interval", "1s",
        ])
        try await master.waitForWorkers(2)
        _ = try await load(try await master.address(), requests: 20, rate: 100)
        #expect(try await master.command("scale", "3").status == .exited(0))
        try await master.waitForWorkers(3)
        let before = try await Self.wait("samples of all workers", master) { history in
            let last = history.times.indices.last
            return last.map {
                history.requests[$0] == 20 && history.ready[$0] == 3 && history.memory[$0] != nil
                    && history.times.count > 1
            } ?? false
        }
        #expect(before.times == before.times.sorted())
        #expect(before.times.allSatisfy { 0...before.uptime ~= $0 })
        #expect(before.changes == ["master-started", "resized"])

        #expect(try await master.command("upgrade").status == .exited(0))
        let after = try await Self.wait("a new point", master) {
            $0.times.count > before.times.count && $0.requests.last == .some(20)
        }
        #expect(after.times.starts(with: before.times))
        #expect(after.memory.starts(with: before.memory))
        #expect(after.changes == ["master-started", "resized", "upgraded"])

        let newest = try await Self.history(of: master, "/history?since=\(Int(after.uptime))")
        #expect(newest.times.allSatisfy { $0 > after.uptime.rounded(.down) })
        #expect(newest.changes == after.changes)
        #expect(try await master.stop() == .exited(0))
    }

    /// Without a cap or a client, the memory is not sampled, which the history does not hide.
    @Test func whatWasNotReadIsNull() async throws {
        let master = try Supervise.hello(["--workers", "1"])
        try await master.waitForLog("readiness") { $0.event == "ready" }
        let unread = try await Self.history(of: master)
        #expect(unread.times.count == 1 && unread.memory == [nil] && unread.requests == [nil])
        _ = try await master.curl("/status")
        let read = try await Self.history(of: master)
        #expect(read.memory.last.map { $0 ?? 0 > 0 } == true && read.requests.last == 0.0)
    }
}
