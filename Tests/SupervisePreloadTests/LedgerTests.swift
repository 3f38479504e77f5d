import Glibc
import SuperviseLinux
import Testing

/// The library's entries in the ledger.
@Suite(.serialized) struct LedgerTests {
    /// A server that responds to any request on a keep-alive connection, and sleeps for /slow.
    private static let server = [
        "python3", "\(Place.programs)/mixed/plain.py", "PORT", "HTTP/1.1", "threads",
    ]

    private func start(_ stage: Stage, limit: UInt64 = 0) throws -> Worker {
        try stage.worker(
            Self.server.map { $0 == "PORT" ? stage.port : $0 }, limit: limit, ledger: .all)
    }

    /// Sends these requests on one connection and reads the responses.
    private func send(_ paths: String, to stage: Stage) async throws {
        let script = """
            import http.client, sys
            client = http.client.HTTPConnection(sys.argv[1], timeout=60)
            for path in \(paths):
                client.request('GET', path, headers={'Cookie': 'session=c00kie'})
                client.getresponse().read()
            """
        let client = try Child(["python3", "-c", script, stage.address], environment: [])
        try #require(try await client.end() == .exited(0))
    }

    @Test func itNeverHoldsWhatIdentifiesAPerson() async throws {
        let stage = try Stage()
        let worker = try start(stage)
        try await send(
            """
            ['/items/alice@example.com/reset?token=s3cret', '/items/0123456789abcdef',
             '/items/4f9c0e1a-0000-4000-8000-000000000001', '/items/' + 'averylongsegment' * 3]
            """, to: stage)
        try await eventually("four responses") { worker.page.ledger.totals()?.requests == 4 }
        var bytes = [UInt8](repeating: 0, count: 7 * 4096)
        #expect(pread(worker.page.rawValue, &bytes, bytes.count, 0) == bytes.count)
        let text = String(decoding: bytes, as: Unicode.ASCII.self)
        for secret in ["alice", "s3cret", "c00kie", "0123456789abcdef0", "4f9c0e1a", "averylong"] {
            #expect(!text.contains(secret), "\(secret)")
        }
        let names = worker.page.ledger.routes()?.compactMap(\.name)
        #expect(names == ["GET /items/*/reset", "GET /items/*"])
    }

    @Test func routesWithoutEndAreBounded() async throws {
        let stage = try Stage()
        let worker = try start(stage)
        try await send(
            """
            ['/items/' + ''.join(chr(97 + (n // 26 ** i) % 26) for i in range(4))
             for n in range(0, 90000, 30)]
            """, to: stage)
        try await eventually("3000 responses") { worker.page.ledger.totals()?.requests == 3000 }
        let routes = try #require(worker.page.ledger.routes())
        #expect(routes.map(\.name) == ["GET /items/*"])
        #expect(routes.map(\.requests) == [3000])
    }

    @Test func scannersEnterNoRoutes() async throws {
        let stage = try Stage()
        let worker = try start(stage)
        try await send("['/wp-admin', '/.env', '/']", to: stage)
        try await eventually("three responses") { worker.page.ledger.totals()?.requests == 3 }
        #expect(worker.page.ledger.routes()?.map(\.name) == ["GET /"])
        #expect(worker.page.ledger.totals()?.responses == [0, 0, 1, 0, 2, 0])
    }

    @Test func theLimitIsNotifiedOnceByResponses() async throws {
        let stage = try Stage()
        let worker = try start(stage, limit: 20)
        try await send("['/'] * 19", to: stage)
        try await eventually("19 responses") { worker.page.ledger.totals()?.requests == 19 }
        #expect(stage.messages().isEmpty)
        try await send("['/'] * 5", to: stage)
        try await eventually("24 responses") { worker.page.ledger.totals()?.requests == 24 }
        #expect(stage.messages() == ["X_RESPONSES=20"])
    }

    /// Errors and fast responses are not.
    @Test func slowResponsesAreRecorded() async throws {
        let stage = try Stage()
        let worker = try stage.worker(
            [
                "python3", "-c",
                """
                import time
                from probe import *
                server = bound()
                for count in 2, 1:
                    client, _ = server.accept()
                    for _ in range(count):
                        path = client.recv(4096).split()[1]
                        if path != b'/fast':
                            time.sleep(0.2)
                        status = b'500 No' if path == b'/error' else b'200 OK'
                        client.send(
                            b'HTTP/1.1 ' + status + b'\\r\\nContent-Length: 0\\r\\n\\r\\n')
                """,
            ], ledger: .all)
        try worker.page.ledger.setSlowTime(100_000_000)
        try await send("['/error', '/fast']", to: stage)
        try await eventually("two responses") { worker.page.ledger.totals()?.requests == 2 }
        #expect(worker.page.ledger.lastSlowResponse() == nil)
        try await send("['/slow']", to: stage)
        try await eventually("a third one") { worker.page.ledger.totals()?.requests == 3 }
        let time = try #require(worker.page.ledger.lastSlowResponse())
        #expect(time <= UInt64(MonotonicClock.nanoseconds()))
    }

    @Test func aRequestIsInFlightUntilItsResponseEnds() async throws {
        let stage = try Stage()
        let worker = try stage.worker(
            [
                "python3", "-c",
                """
                from probe import *
                server = bound()
                client, _ = server.accept()
                client.recv(4096)
                client.send(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n')
                client.recv(4096)
                client.send(b'ok')
                client.recv(4096)
                """,
            ], ledger: .all)
        let client = try Child(
            [
                "python3", "-c",
                """
                import signal, socket, sys
                host, port = sys.argv[1].split(':')
                client = socket.create_connection((host, int(port)))
                client.send(b'POST /export/7 HTTP/1.1\\r\\nContent-Length: 2\\r\\n\\r\\n')
                signal.pause()
                """, stage.address,
            ], environment: [])
        let exchange = try await eventually("a response that has begun") {
            worker.page.ledger.inFlight()?.exchanges.first { $0.responded != nil }
        }
        #expect(exchange.route == "POST /export/*")
        #expect(exchange.received == nil)
        #expect(exchange.pid == worker.child.pid)
        withExtendedLifetime(client) {}
    }
}
