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
        while summary(worker.page.ledger) != expected, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(summary(worker.page.ledger) == expected)
        let inFlight = try #require(worker.page.ledger.inFlight())
        #expect(inFlight.exchanges.isEmpty && inFlight.unlisted == 0, "\(inFlight)")
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
