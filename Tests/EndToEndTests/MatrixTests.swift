import Glibc
import Testing

/// Real servers, unmodified and, if they accept a descriptor, with their own option: four workers
/// on one socket, with every connection counted, recycled at the drawn limits and rolled over by
/// HUP.
@Suite(.takesLongTurn) struct MatrixTests {
    @Test(arguments: unmodified.filter { only($0.name) })
    func binds(_ server: Server) async throws {
        try await run(server)
    }

    @Test(arguments: byDescriptor.filter { only($0.name) })
    func takesADescriptor(_ server: Server) async throws {
        try await run(server)
    }

    /// The same servers in Python and Ruby, forked from a mold.
    @Test(arguments: (unmodified + byDescriptor).filter { $0.canBeForked && only($0.name) })
    func isForked(_ server: Server) async throws {
        let master = try await run(server, options: ["--mold", "auto", "--mold-import", "json"])
        #expect(master.lines("mold-ready").count == 2)
        #expect(master.lines("mold-failed").isEmpty)
        #expect(master.lines("exec-instead").isEmpty)
    }

    private static let bin = Server.installed

    private static let unmodified = [
        Server(
            name: "http.server",
            command: ["python3", "-m", "http.server", "PORT", "-d", "/proc/self"], path: "/status"),
        Server(
            name: "uvicorn",
            command: ["\(bin)/uvicorn", "--app-dir", "SERVERS", "asgi:app", "--port", "PORT"]),
        Server(
            name: "hypercorn",
            command: ["\(bin)/hypercorn", "--bind", "127.0.0.1:PORT", "SERVERS/asgi:app"]),
        Server(
            name: "gunicorn",
            command: [
                "\(bin)/gunicorn", "--no-control-socket", "--chdir", "SERVERS", "--bind",
                "127.0.0.1:PORT", "wsgi:app",
            ]),
        Server(
            name: "waitress",
            command: ["\(bin)/waitress-serve", "--listen", "127.0.0.1:PORT", "wsgi:app"],
            environment: ["PYTHONPATH": Server.folder]),
        Server(
            name: "flask run",
            command: ["\(bin)/flask", "--app", "SERVERS/flask_app", "run", "--port", "PORT"]),
        Server(name: "node", command: ["node", "SERVERS/server.js", "PORT"]),
        Server(name: "php", command: ["php", "-S", "127.0.0.1:PORT", "SERVERS/router.php"]),
        Server(name: "ruby", command: ["ruby", "SERVERS/server.rb", "PORT"]),
        Server(
            name: "puma",
            command: ["puma", "-b", "tcp://127.0.0.1:PORT", "SERVERS/config.ru"]),
        Server(
            name: "starman",
            command: [
                "starman", "--listen", "127.0.0.1:PORT", "--workers", "1", "SERVERS/app.psgi",
            ]),
        Server(
            name: "nginx", command: ["nginx", "-c", "FOLDER/nginx.conf"],
            configuration: "nginx.conf"),
        Server(
            name: "java", command: ["java", "-Xshare:auto", "-cp", "FOLDER", "Server", "PORT"],
            build: ["javac", "-d", "FOLDER", "SERVERS/Server.java"]),
        Server(
            name: "dynamic C", command: ["FOLDER/server", "PORT"],
            build: ["cc", "-O2", "-o", "FOLDER/server", "SERVERS/server.c"]),
        Server(
            name: "static C", command: ["FOLDER/server", "PORT"],
            build: ["cc", "-O2", "-static", "-o", "FOLDER/server", "SERVERS/server.c"],
            isCounted: false),
        Server(
            name: "musl C", command: ["FOLDER/server", "PORT"],
            build: ["musl-gcc", "-O2", "-o", "FOLDER/server", "SERVERS/server.c"],
            isCounted: false),
        Server(
            name: "go", command: ["FOLDER/server", "PORT"],
            environment: ["HOME": "/nonexistent"],
            build: ["go", "build", "-o", "FOLDER/server", "SERVERS/server.go"],
            isCounted: false),
    ]

    private static let byDescriptor = [
        Server(
            name: "uvicorn --fd",
            command: ["\(bin)/uvicorn", "--app-dir", "SERVERS", "asgi:app", "--fd", "{fd}"]),
        Server(
            name: "hypercorn fd://",
            command: ["\(bin)/hypercorn", "--bind", "fd://{fd}", "SERVERS/asgi:app"]),
        Server(
            name: "gunicorn by LISTEN_FDS",
            command: ["\(bin)/gunicorn", "--no-control-socket", "--chdir", "SERVERS", "wsgi:app"]),
        Server(name: "node listen({fd})", command: ["node", "SERVERS/server.js", "fd", "{fd}"]),
        Server(
            name: "ruby TCPServer.for_fd", command: ["ruby", "SERVERS/server.rb", "fd", "{fd}"]),
        Server(
            name: "puma by LISTEN_FDS",
            command: ["puma", "--bind-to-activated-sockets", "only", "SERVERS/config.ru"]),
        Server(
            name: "starlet by SERVER_STARTER_PORT",
            command: [
                "plackup", "--server", "Starlet", "--max-workers", "1", "SERVERS/app.psgi",
            ], needs: ["/usr/share/perl5/Plack/Handler/Starlet.pm"]),
        Server(name: "hello-worker", command: [Place.helloWorker]),
    ]

    @discardableResult
    private func run(_ server: Server, options more: [String] = []) async throws -> Supervise {
        let missing = server.missing
        guard missing.isEmpty else {
            try Test.cancel("\(server.name) skipped: \(missing.joined(separator: ", ")) absent")
        }
        let folder = try Folder()
        let port = try freePort()
        try await server.build(in: folder)
        try server.configure(in: folder, port: port)
        let options =
            [
                "--bind", "127.0.0.1:\(port)", "--workers", "4", "--graceful-timeout", "10s",
                "--stable-after", "1s",
            ] + more
        let limits =
            server.isCounted ? ["--max-requests", "60", "--max-requests-jitter", "30"] : []
        let master = try Supervise(
            options + limits + ["--"] + server.filled(server.command, port: port, folder: folder),
            environment: server.environment, folder: folder)
        // From the log only: some servers overwrite their environment with their title.
        try await master.wait("four ready workers", deadline: server.bootDeadline) {
            master.lines(Event.ready).count >= 4
        }
        let first = master.lines(Event.ready).compactMap(\.pid)

        let crowd = try Crowd("127.0.0.1:\(port)", path: server.path, pause: 0.1)
        // A worker may respond through its own children, which remain in its group.
        var answered: Set<pid_t> = []
        func note() {
            for pid in crowd.pids {
                if let group = ProcessTable.entry(pid)?.group { answered.insert(group) }
            }
        }
        let started = { master.lines(Event.started).compactMap(\.pid) }
        try await master.wait("every worker has answered", deadline: .seconds(60)) {
            note()
            let due = Set(master.lines(Event.exit).compactMap(\.pid))
            return first.allSatisfy { answered.contains($0) || due.contains($0) }
                && answered.count >= 4
        }
        if server.isCounted {
            try await master.wait("recycling by requests", deadline: .seconds(120)) {
                master.lines(Event.exit).filter { $0["cause"] == "max-requests" }.count >= 2
            }
        }
        let before = Set(started())
        try await master.signal(SIGHUP)
        try await master.wait("the rollout", deadline: .seconds(90)) {
            !master.lines(Event.reloadComplete).isEmpty
        }
        try await master.wait("the new generation answers", deadline: .seconds(60)) {
            note()
            return !answered.subtracting(before).isEmpty
        }
        let result = try await crowd.result()
        #expect(result.ok > 50)
        #expect(result.failed <= result.ok / 20, "\(result.reasons)")
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        #expect(master.leftBehind.isEmpty)
        if server.isCounted { try expectCounts(master, result) }
        return master
    }

    /// Every connection was counted for a worker, and no worker was recycled before its limit.
    private func expectCounts(_ master: Supervise, _ result: CrowdResult) throws {
        let exits = master.lines(Event.exit)
        let counted = Int(exits.compactMap { $0.seconds("requests") }.reduce(0, +))
        // A program that exits at once on TERM may do so between the kernel's accept and the count.
        let range = result.connected - result.failed...result.connected
        #expect(range.contains(counted), "counted \(counted) of \(result)")
        let recycled = exits.filter { $0["cause"] == "max-requests" }
        // A replacement that started ahead may be ready after the rate has fallen, but not before
        // half of the limit.
        for line in recycled {
            let limit = try #require(line.seconds("request_limit"))
            #expect(
                (line.seconds("requests") ?? 0) >= limit / 2 && (60...90).contains(limit), "\(line)"
            )
        }
    }
}

/// `SERVER=node swift test --filter MatrixTests` runs one server.
private func only(_ name: String) -> Bool {
    getenv("SERVER").map { name.contains(String(cString: $0)) } ?? true
}
