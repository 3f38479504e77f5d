import Glibc
import Testing

/// Requests of an unmodified program, as the preload library sees them.
@Suite(.takesTurn) struct RequestTests {
    /// A server with keep-alive connections. It binds the port by itself.
    static let server = """
        import http.server, sys, time
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def do_GET(self):
                if self.path.startswith('/slow'):
                    time.sleep(3600)
                self.send_response(200)
                self.send_header('Content-Length', '2')
                self.end_headers()
                self.wfile.write(b'ok')
            def log_message(self, *arguments):
                pass
        http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
        """

    /// As a proxy with keep-alive connections does.
    static func send(_ count: Int, to port: Int) throws -> Cage {
        try Cage(
            [
                "python3", "-c",
                """
                import http.client, sys
                client = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=60)
                for number in range(int(sys.argv[2])):
                    client.request('GET', f'/items/{number}?q=secret')
                    assert client.getresponse().read() == b'ok'
                """, "\(port)", "\(count)",
            ], environment: baseEnvironment, output: "/dev/null", errors: "/dev/null")
    }

    @Test func aWorkerIsRecycledByTheRequestsOnOneConnection() async throws {
        let port = try freePort()
        let master = try Supervise(
            [
                "--bind", "127.0.0.1:\(port)", "--max-requests", "20", "--", "python3", "-c",
                Self.server, "\(port)",
            ])
        try await master.waitForWorkers(1)
        let client = try Self.send(20, to: port)
        let due = try await master.waitForEvent(Event.recycleScheduled)
        #expect(due["cause"] == "max-requests" && due["requests"] == "20", "\(due)")
        #expect(due["unit"] == "requests")
        let counting = try await master.waitForEvent("counting")
        #expect(counting["source"] == "preload" && counting["level"] == "info", "\(counting)")
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit["cause"] == "max-requests" && exit["unit"] == "requests", "\(exit)")
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        withExtendedLifetime(client) {}
    }
}
