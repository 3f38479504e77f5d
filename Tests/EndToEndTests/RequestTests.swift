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

/// What the master shows of the requests in flight.
@Suite(.takesTurn) struct RequestsInFlightTests {
    private static let slow = """
        import socket, sys
        client = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
        client.sendall(b'GET /slow/7?token=secret HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n')
        client.recv(1)
        """

    private func start(_ options: [String]) async throws -> (Supervise, Cage) {
        let port = try freePort()
        let master = try Supervise(
            ["--bind", "127.0.0.1:\(port)"] + options
                + ["--", "python3", "-c", RequestTests.server, "\(port)"])
        try await master.waitForWorkers(1)
        let client = try Cage(
            ["python3", "-c", Self.slow, "\(port)"], environment: baseEnvironment,
            output: "/dev/null", errors: "/dev/null")
        return (master, client)
    }

    @Test func theStatusAndTheExitNameTheOldestOne() async throws {
        let (master, client) = try await start(["--name", "web"])
        var text = ""
        for _ in 0..<200 where !text.contains("GET /slow/*") {
            text = try await master.command("status").output
        }
        #expect(text.contains("GET /slow/*"), "\(text)")
        #expect(!text.contains("secret"))
        let worker = try await master.waitForWorkers(1)[0]
        kill(worker.pid, SIGKILL)
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit["during"]?.hasPrefix("GET /slow/* ") == true, "\(exit)")
        let after = try await master.command("status").output
        #expect(after.contains("DURING") && after.contains("GET /slow/*"), "\(after)")
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        withExtendedLifetime(client) {}
    }

    @Test(.needs("curl")) func statusBindNamesNoRoutes() async throws {
        let (master, client) = try await start(
            ["--name", "web", "--status-bind", "127.0.0.1:0"])
        let address = try await master.statusAddress()
        var text = ""
        for _ in 0..<200 where !text.contains("current") {
            text = try await master.curl("/status", at: address).output
        }
        #expect(text.contains("current") && !text.contains("/slow"), "\(text)")
        let worker = try await master.waitForWorkers(1)[0]
        kill(worker.pid, SIGKILL)
        try await master.waitForEvent(Event.exit)
        for path in ["/status", "/events", "/metrics"] {
            let text = try await master.curl(path, at: address).output
            #expect(!text.contains("/slow"), "\(text)")
        }
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        withExtendedLifetime(client) {}
    }
}

/// Draining by the requests in flight.
@Suite(.takesTurn) struct RequestDrainTests {
    /// A server on a unix socket that drops its requests on SIGTERM.
    private static let server = """
        import http.server, socketserver, sys, time
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def do_GET(self):
                time.sleep(0.02)
                self.send_response(200)
                self.send_header('Content-Length', '2')
                self.end_headers()
                self.wfile.write(b'ok')
            def log_message(self, *arguments):
                pass
        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            request_queue_size = 100
            daemon_threads = True
        Server(sys.argv[1], Handler).serve_forever()
        """

    /// Clients with keep-alive connections, as a proxy has: a connection that ends before it is used again
    /// is replaced, and nothing else may fail.
    private static let clients = """
        import socket, sys, threading
        failures = []
        def connect():
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(30)
            client.connect(sys.argv[1])
            return client
        def exchange(client):
            client.sendall(b'GET /items/1 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n')
            answer = b''
            while not answer.endswith(b'ok'):
                piece = client.recv(4096)
                if not piece:
                    raise EOFError(answer)
                answer += piece
        def work():
            client, is_new = connect(), True
            for number in range(int(sys.argv[2])):
                while True:
                    try:
                        exchange(client)
                        is_new = False
                        break
                    except (EOFError, OSError) as error:
                        if is_new or error.args and error.args[0] not in (b'', 32, 104):
                            failures.append(repr(error))
                            break
                        client, is_new = connect(), True
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print('failures', failures)
        """

    @Test func busyConnectionsOverAUnixSocketLoseNoRequest() async throws {
        let folder = try Folder()
        let path = folder["socket"]
        let master = try Supervise(
            [
                "--bind", "unix:\(path)", "--workers", "2", "--max-requests", "20", "--log-level",
                "debug", "--", "python3", "-c", Self.server, path,
            ])
        try await master.waitForWorkers(2)
        let result = try await run(
            ["python3", "-c", Self.clients, path, "250"], deadline: .seconds(120))
        #expect(result.output == "failures []\n", "\(result.output) \(result.errors)")
        let drains = master.lines("drained")
        #expect(drains.count { $0["by"] == "idle" } >= 2, "\(drains)")
        // A connection that is used again and again ends behind a response.
        for drain in drains where drain["by"] == "idle" {
            #expect(try #require(drain.seconds("after")) < 10, "\(drain)")
        }
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
    }
}
