import Glibc
import Testing

/// `request-timeout` on other sockets, in forked workers, and with real servers.
@Suite(.takesTurn) struct RequestTimeoutServerTests {
    /// How the workers of a test listen and start.
    enum Kind: String, CaseIterable {
        case tcp, unix, mold
    }

    private static let worker = Place.worker("patient_worker")

    /// One worker, which `--request-timeout 1s` applies to, and its address for clients.
    private func start(_ kind: Kind, in folder: Folder) async throws -> (Supervise, String) {
        let port = try freePort()
        let address = kind == .unix ? folder["web.sock"] : "\(port)"
        let master = try Supervise(
            [
                "--name", "web", "--request-timeout", "1s", "--graceful-timeout", "12s",
                "--bind", kind == .unix ? "unix:\(address)" : "127.0.0.1:\(port)",
                "--mold", kind == .mold ? "auto" : "off", "--",
                "python3", Self.worker, address,
            ], folder: folder)
        try await master.waitForEvent(Event.ready)
        #expect(master.lines("mold-ready").count == (kind == .mold ? 1 : 0), "\(master.tail)")
        return (master, address)
    }

    private func clients(_ names: [String], of address: String, in folder: Folder) throws -> Cage {
        try Cage(
            ["python3", "\(Place.tests)/Clients/patient.py", address] + names,
            environment: baseEnvironment, output: folder["clients"], errors: folder["clients"])
    }

    @Test(arguments: Kind.allCases)
    func clientsThatTakeTheirTimeAreNotStuck(_ kind: Kind) async throws {
        let folder = try Folder()
        let (master, address) = try await start(kind, in: folder)
        let names = ["websocket", "sse", "begun", "reader", "upload"]
        let clients = try clients(names, of: address, in: folder)
        try await master.wait("the clients") { clients.status != nil }
        #expect(clients.status == .exited(0), "\(folder.lines("clients")) \(master.tail)")
        #expect(master.lines("request-stuck").isEmpty, "\(master.tail)")
        #expect(master.lines("requests-hang").isEmpty)
        #expect(master.lines(Event.exit).isEmpty)
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
    }

    @Test(arguments: Kind.allCases)
    func aStuckRequestIsNamedAndTheOthersFinish(_ kind: Kind) async throws {
        let folder = try Folder()
        let (master, address) = try await start(kind, in: folder)
        let clients = try clients(["stuck", "begun", "sse"], of: address, in: folder)
        let line = try await master.waitForEvent("request-stuck")
        #expect(line["route"] == "GET /stuck/*", "\(line)")
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit["cause"] == "request-timeout" && exit["signal"] == "ABRT", "\(exit)")
        try await master.wait("the clients") { clients.status != nil }
        #expect(clients.status == .exited(0), "\(folder.lines("clients")) \(master.tail)")
        try await master.wait("the replacement") { master.lines(Event.ready).count == 2 }
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
    }

    /// Nothing shows the requests on a unix socket but the ledger, and a WebSocket is not in it.
    @Test func aWebSocketHidesNoRequestOnAUnixSocket() async throws {
        let folder = try Folder()
        let (master, address) = try await start(.unix, in: folder)
        let first = try clients(["websocket"], of: address, in: folder)
        try await master.wait("the WebSocket") { first.status == .exited(0) }
        let clients = try clients(["stuck", "begun"], of: address, in: folder)
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit["cause"] == "request-timeout" && exit["signal"] == "ABRT", "\(exit)")
        try await master.wait("the clients") { clients.status != nil }
        #expect(clients.status == .exited(0), "\(folder.lines("clients")) \(master.tail)")
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
    }

    /// Three threads of a worker finish, and one hangs.
    @Test func gunicornWithThreadsFinishesItsOtherRequests() async throws {
        let program = "\(Server.installed)/gunicorn"
        guard access(program, X_OK) == 0 else { try Test.cancel("gunicorn is not installed") }
        let folder = try Folder()
        try folder.write(
            "app.py",
            """
            import time
            def app(environ, start):
                if environ['PATH_INFO'].startswith('/stuck'):
                    time.sleep(3600)
                start('200 OK', [('Content-Length', '2')])
                if environ['PATH_INFO'] == '/begun':
                    yield b'o'
                    time.sleep(2)
                    yield b'k'
                else:
                    yield b'ok'

            """)
        let port = try freePort()
        let master = try Supervise(
            [
                "--name", "web", "--request-timeout", "1s", "--bind", "127.0.0.1:\(port)",
                "--chdir", folder.path, "--", program, "--no-control-socket", "--threads", "4",
                "--bind", "127.0.0.1:\(port)", "app:app",
            ], folder: folder)
        let before = try await master.waitForWorkers(1)
        let clients = try clients(
            ["stuck", "begun", "begun", "begun"], of: "\(port)", in: folder)
        let line = try await master.waitForEvent("request-stuck")
        #expect(line["route"] == "GET /stuck/*", "\(line)")
        try await master.wait("the clients") { clients.status != nil }
        #expect(clients.status == .exited(0), "\(folder.lines("clients")) \(master.tail)")
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit["cause"] == "request-timeout", "\(exit)")
        try await master.waitForWorkers(1, without: before)
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        #expect(master.leftBehind.isEmpty)
    }

    /// nginx keeps its connections to the workers, and sends many requests over each.
    @Test(arguments: [Kind.tcp, .unix])
    func nginxBehindKeepAliveLosesNoOtherRequest(_ kind: Kind) async throws {
        guard Place.program("nginx") != nil else { try Test.cancel("nginx is not installed") }
        let folder = try Folder()
        chmod(folder.path, 0o755)
        let (master, address) = try await start(kind, in: folder)
        let front = try freePort()
        let upstream = kind == .unix ? "unix:\(address)" : "127.0.0.1:\(address)"
        let configuration = try folder.write(
            "nginx.conf",
            """
            daemon off;
            pid \(folder.path)/nginx.pid;
            error_log \(folder.path)/nginx.log;
            worker_processes 1;
            user root;
            events {}
            http {
                access_log off;
                client_body_temp_path \(folder.path)/body;
                proxy_temp_path \(folder.path)/proxy;
                fastcgi_temp_path \(folder.path)/fastcgi;
                uwsgi_temp_path \(folder.path)/uwsgi;
                scgi_temp_path \(folder.path)/scgi;
                upstream web { server \(upstream); keepalive 8; }
                server {
                    listen 127.0.0.1:\(front);
                    location / {
                        proxy_pass http://web;
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                    }
                }
            }

            """)
        let nginx = try Cage(
            ["nginx", "-c", configuration, "-e", folder["nginx.log"]],
            environment: baseEnvironment, output: "/dev/null", errors: folder["nginx.err"])
        try await master.wait("nginx") { folder.exists("nginx.pid") }
        let stuck = try Cage(
            [
                "python3", "-c",
                "import sys, urllib.request; urllib.request.urlopen(sys.argv[1])",
                "http://127.0.0.1:\(front)/stuck/1",
            ], environment: baseEnvironment, output: "/dev/null", errors: "/dev/null")
        let result = try await load("127.0.0.1:\(front)", requests: 400, rate: 80, timeout: 20)
        #expect(result.ok == 400, "\(result.reasons) \(master.tail)")
        let line = try #require(master.lines("request-stuck").first)
        #expect(line["route"] == "GET /stuck/*", "\(line)")
        try await master.waitForEvent(Event.exit)
        // nginx has sent the stuck request again, so the stop takes all of the graceful timeout.
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        withExtendedLifetime((nginx, stuck)) {}
    }
}
