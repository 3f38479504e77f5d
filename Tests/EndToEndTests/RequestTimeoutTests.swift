import Glibc
import Testing

/// Requests that get no response.
@Suite(.takesTurn) struct RequestTimeoutTests {
    /// Never responds to /stuck, after 2.5 s to /slow, and while a file exists not to /database.
    static let server = """
        import http.server, os, sys, time
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def do_GET(self):
                if self.path.startswith('/stuck'):
                    time.sleep(3600)
                if self.path.startswith('/database'):
                    open(sys.argv[2] + '.seen', 'w').close()
                while self.path.startswith('/database') and os.path.exists(sys.argv[2]):
                    time.sleep(0.05)
                if self.path.startswith('/slow'):
                    time.sleep(2.5)
                if self.path.startswith('/events'):
                    self.send_response(200)
                    self.send_header('Content-Length', '8')
                    self.end_headers()
                    for number in range(8):
                        self.wfile.write(b'x')
                        time.sleep(0.5)
                    return
                self.respond(b'ok')
            def do_POST(self):
                self.rfile.read(int(self.headers['Content-Length']))
                self.respond(b'ok')
            def respond(self, body):
                self.send_response(200)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def log_message(self, *arguments):
                pass
        http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
        """

    private func start(
        workers: Int, _ options: [String] = []
    ) async throws -> (master: Supervise, port: Int) {
        let port = try freePort()
        let folder = try Folder()
        let file = try folder.write("outage", "")
        let master = try Supervise(
            [
                "--name", "web", "--bind", "127.0.0.1:\(port)", "--workers", "\(workers)",
                "--request-timeout", "1s",
            ] + options + ["--", "python3", "-c", Self.server, "\(port)", file], folder: folder)
        try await master.waitForWorkers(workers)
        return (master, port)
    }

    /// Sends these requests at the same time, each over its own connection, and exits with 0 if all
    /// were answered.
    private func send(_ paths: [String], to port: Int) throws -> Cage {
        try Cage(
            [
                "python3", "-c",
                """
                import sys, threading, urllib.request
                def get(path):
                    with urllib.request.urlopen(f'http://127.0.0.1:{sys.argv[1]}{path}') as answer:
                        good.append(answer.read())
                good = []
                threads = [threading.Thread(target=get, args=[path]) for path in sys.argv[2:]]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                sys.exit(len(good) != len(threads))
                """, "\(port)",
            ] + paths, environment: baseEnvironment, output: "/dev/null", errors: "/dev/null")
    }

    @Test func aStuckWorkerIsReplacedBehindItsOtherRequests() async throws {
        let (master, port) = try await start(
            workers: 1,
            ["--before-recycle", "sh -c 'echo evidence of $SUPERVISE_WORKER_ROUTE >&2'"])
        let before = try await master.waitForWorkers(1)
        let stuck = try send(["/stuck/17?token=secret"], to: port)
        let late = try send(["/events"], to: port)
        let line = try await master.waitForEvent("request-stuck")
        #expect(line["route"] == "GET /stuck/*" && line["level"] == "warning", "\(line)")
        #expect(line["peer"]?.hasPrefix("127.0.0.1:") == true, "\(line)")
        #expect(!line.mentions("secret"))
        let after = try await master.waitForWorkers(1, without: before)
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit["cause"] == "request-timeout" && exit["signal"] == "ABRT", "\(exit)")
        #expect(exit["during"]?.hasPrefix("GET /stuck/* ") == true, "\(exit)")
        try await master.wait("the other requests") { late.status == .exited(0) }
        try await master.wait("the evidence") {
            master.tail.contains("evidence of GET /stuck/*")
        }
        #expect(try await master.workers() == after)
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        withExtendedLifetime(stuck) {}
    }

    @Test func anOutageKillsNobody() async throws {
        let (master, port) = try await start(workers: 3)
        let before = try await master.waitForWorkers(3)
        // Every worker gets some of them.
        let waiting = try send(Array(repeating: "/database", count: 60), to: port)
        let line = try await master.waitForEvent("requests-hang")
        #expect(line["route"] == "GET /database", "\(line)")
        // Long enough for many samples.
        let end = ContinuousClock.now + .seconds(4)
        try await master.wait("the end of the outage") { ContinuousClock.now >= end }
        master.folder.remove(file: "outage")
        try await master.wait("the responses") { waiting.status == .exited(0) }
        #expect(try await master.workers() == before)
        #expect(master.lines("requests-hang").count == 1)
        #expect(master.lines("request-stuck").isEmpty)
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
    }

    /// All workers always have slow requests, which get their responses.
    @Test func slowRequestsAreNoOutage() async throws {
        let (master, port) = try await start(workers: 2, ["--request-timeout", "4s"])
        let before = try await master.waitForWorkers(2)
        let load = try Cage(
            [
                "python3", "-c",
                """
                import sys, threading, time, urllib.request
                def loop(delay):
                    time.sleep(delay)
                    while True:
                        url = f'http://127.0.0.1:{sys.argv[1]}/slow'
                        with urllib.request.urlopen(url) as answer:
                            answer.read()
                threads = [threading.Thread(target=loop, args=[n / 6], daemon=True)
                           for n in range(12)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                """, "\(port)",
            ], environment: baseEnvironment, output: "/dev/null", errors: "/dev/null")
        let stuck = try send(["/stuck/1"], to: port)
        let line = try await master.waitForEvent("request-stuck")
        #expect(line["route"] == "GET /stuck/*", "\(line)")
        let waited = try #require(line["waited"].flatMap { Double($0) })
        #expect(waited < 8, "\(line)")
        #expect(master.lines("requests-hang").isEmpty, "\(master.tail)")
        try await master.wait("the replacement") {
            master.lines(Event.exit).contains { $0["cause"] == "request-timeout" }
        }
        #expect(master.lines("request-stuck").count == 1)
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        withExtendedLifetime((stuck, load, before)) {}
    }

    /// A worker of the old generation, on another port, has a slow request too.
    @Test func requestsOnNewListenersAreSeenBesideOldOnes() async throws {
        let folder = try Folder()
        let file = try folder.write("outage", "")
        let ports = (old: try freePort(), new: try freePort())
        let server = try folder.write("server.py", Self.server)
        func configuration(_ port: Int) -> String {
            """
            request-timeout = 8s
            graceful-timeout = 15s
            bind = 127.0.0.1:\(port)
            command = python3 \(server) \(port) \(file)

            """
        }
        let master = try Supervise([], config: configuration(ports.old), folder: folder)
        let before = try await master.waitForWorkers(1)
        let slow = try send(["/database"], to: ports.old)
        try await master.wait("a request in flight") { folder.exists("outage.seen") }
        try folder.write("supervise.conf", configuration(ports.new))
        try await master.signal(SIGHUP)
        try await master.waitForEvent(Event.reloadCommitted)
        let stuck = try send(["/stuck/1"], to: ports.new)
        let line = try await master.waitForEvent("request-stuck")
        #expect(line["route"] == "GET /stuck/*", "\(line)")
        #expect(line["generation"] == "2", "\(line)")
        #expect(try await master.workers().contains(before[0]))
        folder.remove(file: "outage")
        try await master.wait("the old response") { slow.status == .exited(0) }
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        withExtendedLifetime(stuck) {}
    }

    /// Slow clients, long responses and WebSockets are not stuck.
    @Test func slowClientsAreNotStuck() async throws {
        let (master, port) = try await start(workers: 2)
        let before = try await master.waitForWorkers(2)
        let clients = try await run([
            "python3", "-c",
            """
            import socket, sys, threading, time
            def connect():
                return socket.create_connection(('127.0.0.1', int(sys.argv[1])))
            def trickle_body():
                client = connect()
                client.sendall(b'POST /upload HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 30\\r\\n\\r\\n')
                for _ in range(30):
                    client.sendall(b'x')
                    time.sleep(0.1)
                assert client.recv(100).startswith(b'HTTP/1.1 200')
                done.append(1)
            def trickle_head():
                client = connect()
                for byte in b'GET /head HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n':
                    client.sendall(bytes([byte]))
                    time.sleep(0.1)
                assert client.recv(100).startswith(b'HTTP/1.1 200')
                done.append(1)
            def read_slowly():
                client = connect()
                client.sendall(b'GET /events HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n')
                seen = b''
                while not seen.endswith(b'x' * 8):
                    seen += client.recv(1)
                done.append(1)
            def idle():
                client = connect()
                client.sendall(b'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n')
                assert client.recv(100).startswith(b'HTTP/1.1 200')
                time.sleep(3)
                done.append(1)
            done = []
            threads = [threading.Thread(target=target)
                       for target in (trickle_body, trickle_head, read_slowly, idle)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            sys.exit(len(done) != 4)
            """, "\(port)",
        ])
        #expect(clients.status == .exited(0), "\(clients.errors)")
        #expect(try await master.workers() == before)
        #expect(master.lines("request-stuck").isEmpty, "\(master.tail)")
        #expect(master.lines("requests-hang").isEmpty)
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
    }
}
