import Glibc
import SuperviseLinux
import Testing

/// Real servers, unmodified: the ledger has the requests that a client counts, by route and by status
/// class.
@Suite(.serialized) struct MixedTests {
    @Test(arguments: MixedServer.all)
    func theLedgerCountsWhatTheClientCounts(_ server: MixedServer) async throws {
        if let missing = server.missing {
            try Test.cancel("\(server.name) skipped: \(missing) is not installed")
        }
        let stage = try Stage()
        let folder = try Folder()
        func filled(_ text: String) -> String {
            server.filled(text, port: stage.port, folder: folder)
        }
        if !server.build.isEmpty {
            let build = try Child(server.build.map(filled), environment: [])
            try #require(try await build.end() == .exited(0))
        }
        if let name = server.configuration {
            let text = try TextFile.read("\(Place.programs)/mixed/\(name)")
            try folder.write(filled(text), to: name)
            for name in ["file", "large"] { try folder.write("content", to: name) }
        }
        let worker = try stage.worker(server.command.map(filled), ledger: .all)
        let client = try Child(
            [
                "python3", "\(Place.programs)/mixed.py", stage.address, "1000", folder["counted"],
            ] + server.without, environment: [])
        try #require(try await client.end() == .exited(0))
        let expected = try TextFile.read(folder["counted"])
        // A server may finish a response a moment after the client has it.
        let deadline = ContinuousClock.now + .seconds(5)
        var counted = summary(worker.page.ledger)
        while !agrees(counted, expected, server.lateRoutes), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
            counted = summary(worker.page.ledger)
        }
        #expect(agrees(counted, expected, server.lateRoutes), "\(counted)\n\(expected)")
        let inFlight = try #require(worker.page.ledger.inFlight())
        #expect(inFlight.exchanges.isEmpty && inFlight.unlisted == 0, "\(inFlight)")
    }

    /// Whether both are equal, apart from at most this many requests that count with all others.
    private func agrees(_ counted: String, _ expected: String, _ late: Int) -> Bool {
        guard late > 0 else { return counted == expected }
        var left = requests(in: expected)
        for (route, count) in requests(in: counted) where route != "all others" {
            left[route, default: 0] -= count
        }
        let others = requests(in: counted)["all others"] ?? 0
        return left.values.allSatisfy { $0 >= 0 } && left.values.reduce(0, +) == others
            && others <= late
    }

    /// The requests by route, and the responses by class.
    private func requests(in summary: String) -> [String: Int] {
        var requests: [String: Int] = [:]
        for line in summary.split(separator: "\n") {
            if let match = line.firstMatch(of: /^(.*?): ([0-9]+)/), let count = Int(match.2) {
                requests[String(match.1)] = count
            }
        }
        return requests
    }

    /// The format of mixed.py.
    private func summary(_ ledger: Ledger) -> String {
        let routes = (ledger.routes() ?? []).map {
            "\($0.name ?? "all others"): \($0.requests), errors: \($0.errors)\n"
        }
        let responses = ledger.totals()?.responses ?? []
        let classes = (1...5).map { "\($0)xx: \($0 < responses.count ? responses[$0] : 0)\n" }
        return (routes.sorted() + classes).joined()
    }
}
