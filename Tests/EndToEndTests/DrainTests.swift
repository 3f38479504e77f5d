import Glibc
import Testing

/// Servers that exit at once on TERM, whatever they are doing: they are drained first.
@Suite(.takesLongTurn) struct DrainTests {
    private static let servers = [
        Server(name: "http.server", command: ["python3", "SERVERS/slow.py", "PORT"]),
        Server(name: "node", command: ["node", "SERVERS/slow.js", "PORT"]),
        Server(
            name: "http.server that says READY=1",
            command: ["python3", "SERVERS/slow.py", "PORT", "ready"]),
        Server(name: "php", command: ["php", "-S", "127.0.0.1:PORT", "SERVERS/slow.php"]),
    ]

    @Test(arguments: servers) func recyclingDropsNothing(_ server: Server) async throws {
        let (master, address) = try await start(
            server, ["--workers", "4", "--max-requests", "50"], workers: 4)
        let result = try await load(address, requests: 2_000, rate: 120, timeout: 30)
        #expect(result.failed == 0, "\(result.reasons)")
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        #expect(master.leftBehind.isEmpty)
        let recycled = master.lines(Event.exit).filter { $0["cause"] == "max-requests" }
        #expect(recycled.count >= 20)
        let drained = master.lines("drained")
        #expect(drained.count >= recycled.count && drained.allSatisfy { $0["by"] == "idle" })
        #expect(master.lines("killed").isEmpty)
    }

    /// The reason for draining: with the signal alone, they drop their requests.
    @Test func withTheSignalAloneTheyDropIt() async throws {
        let (answer, master) = try await answerOfAnOldWorker(
            Self.servers[0], ["--drain", "signal"])
        #expect(answer == nil)
        #expect(master.lines("drained").isEmpty)
    }

    @Test(arguments: servers) func aSlowAnswerIsNotCutOff(_ server: Server) async throws {
        let (answer, master) = try await answerOfAnOldWorker(server, [])
        let retiring = try #require(master.lines(Event.retiring).first)
        #expect(answer == retiring.pid.map(String.init), "\(master.tail)")
        let drained = try #require(master.lines("drained").first)
        #expect(drained["by"] == "idle" && (drained.seconds("after") ?? 0) > 1)
    }

    /// Sent data are no evidence of an idle connection while the response is incomplete.
    @Test(arguments: ["/early", "/parts"])
    func aResponseThatPausesIsNotCutOff(_ path: String) async throws {
        let (answer, master) = try await answerOfAnOldWorker(Self.servers[0], [], path)
        let retiring = try #require(master.lines(Event.retiring).first)
        #expect(answer == retiring.pid.map(String.init), "\(master.tail)")
        #expect(master.lines("drained").map { $0["by"] }.first == "idle")
    }

    /// Clients that reuse their connections lose no request: their connections are closed between
    /// two requests, or by the program, which has half of the time for this.
    @Test func busyConnectionsAreEnded() async throws {
        let server = Server(
            name: "uvicorn",
            command: [
                "\(Server.installed)/uvicorn", "--app-dir", "SERVERS", "asgi:app", "--port",
                "PORT",
            ])
        let (master, address) = try await start(
            server, ["--graceful-timeout", "12s"], workers: 1)
        let client = try LoadClient(
            address, rate: 8, path: "/slow", keepAlive: true, timeout: 20)
        try await client.begun()
        for count in 1...2 {
            try await Task.sleep(for: .seconds(2))
            try await master.signal(SIGHUP)
            try await master.wait("the rollout", deadline: .seconds(60)) {
                master.lines(Event.reloadComplete).count == count
            }
        }
        let result = try await client.end()
        // A client may reuse its connection at the moment it is closed: the race inherent in HTTP.
        // If connections were closed regardless of requests, a tenth of the requests or more would
        // be lost.
        #expect(result.failed * 25 <= result.ok && result.ok > 50, "\(result.reasons)")
        #expect(result.reasons.keys.allSatisfy { $0 == "short" }, "\(result.reasons)")
        #expect(master.lines("drain-mode").allSatisfy { $0["requests"] == "finished" })
        // Its requests are visible, and each connection ends behind a response.
        let first = master.lines("drained").first?.seconds("after") ?? 99
        #expect(first < 5, "\(master.tail)")
        #expect(try await master.stop() == .exited(0) && master.lines("killed").isEmpty)
    }

    /// A client that keeps its connection without sending: a thread that waits for it is evidence
    /// after a second, and Node closes such connections after five.
    @Test(arguments: servers.prefix(2)) func anIdleClientHoldsNobodyUp(
        _ server: Server
    ) async throws {
        let (master, address) = try await start(server, [], workers: 1)
        let client = try Cage(
            [
                "python3", "-c",
                """
                import http.client, sys, time
                connection = http.client.HTTPConnection(sys.argv[1])
                connection.request("GET", "/")
                print(connection.getresponse().read().decode(), flush=True)
                time.sleep(100)
                """, address,
            ], environment: baseEnvironment, output: master.folder["client"],
            errors: master.folder["client-errors"])
        try await master.wait("the first answer") { !master.folder.lines("client").isEmpty }
        try await master.signal(SIGHUP)
        let drained = try await master.waitForEvent("drained")
        #expect(drained["by"] == "idle" && drained.pid == Int32(master.folder.lines("client")[0]))
        #expect((drained.seconds("after") ?? 99) < (server.name == "node" ? 10 : 3))
        withExtendedLifetime(client) {}
    }

    /// A worker that counts its requests itself gets the signal at once, and so does a worker with
    /// unix sockets.
    @Test func contractWorkersGetTheSignalImmediately() async throws {
        let port = try freePort()
        let master = try Supervise([
            "--bind", "127.0.0.1:\(port)", "--log-level", "debug", "--max-requests", "1000",
            "--stall-timeout", "1s", "--", Place.helloWorker,
        ])
        try await master.waitForWorkers(1)
        #expect(try await get("/", from: "127.0.0.1:\(port)") != nil)
        try await master.wait("the count") { !master.lines("counting").isEmpty }
        #expect(try await master.stop() == .exited(0))
        #expect(master.lines("drained").isEmpty)
        let unix = try Supervise([
            "--bind", "unix:@supervise-drain-\(getpid())", "--log-level", "debug", "--drain",
            "observe", "--", Place.helloWorker,
        ])
        try await unix.waitForWorkers(1)
        #expect(try await unix.stop() == .exited(0))
        #expect(unix.lines("drained").map { $0["by"] } == ["unwatchable"])
    }

    /// A request that never ends is cut off while the program still has its share of the time.
    @Test func requestsWithoutEndAreCutOff() async throws {
        let (master, address) = try await start(
            Self.servers[0], ["--graceful-timeout", "2s"], workers: 1)
        async let answer = get("/slow", from: address)
        try await master.wait("the request") { master.folder.exists("begun") }
        #expect(try await master.stop() == .exited(0))
        #expect(try await answer == nil)
        let drained = try #require(master.lines("drained").first)
        #expect(drained["by"] == "timeout" && drained["level"] == "warning")
        #expect(master.lines("killed").isEmpty)
    }

    /// The response of a worker that handles a slow request when a reload replaces it.
    private func answerOfAnOldWorker(
        _ server: Server, _ options: [String], _ path: String = "/slow"
    ) async throws -> (String?, Supervise) {
        // The worker stops before its replacement starts, so the test does not wait for that.
        let (master, address) = try await start(
            server, options + ["--max-surge", "0", "--max-unavailable", "1"], workers: 1)
        async let answer = get(path, from: address)
        try await master.wait("the request") { master.folder.exists("begun") }
        let client = try Cage(
            [
                Place.supervise, "recycle", "0", "--control",
                "\(master.folder.path)/supervise/drain.sock",
            ], environment: baseEnvironment, output: master.folder["recycle"],
            errors: master.folder["recycle"])
        let status = try await eventually("recycle") { client.status }
        try #require(status == .exited(0), "\(readFile(master.folder["recycle"]) ?? "")")
        try await master.waitForEvent(Event.retiring)
        // Twice the time after which a silent connection counts as idle.
        try await Task.sleep(for: .seconds(2))
        try master.folder.write("go", "")
        let text = try await answer
        try await master.waitForEvent(Event.exit)
        return (text, master)
    }

    private func start(
        _ server: Server, _ options: [String], workers: Int
    ) async throws -> (Supervise, String) {
        guard server.missing.isEmpty else {
            try Test.cancel("\(server.name) skipped: it is not installed")
        }
        let port = try freePort()
        let folder = try Folder()
        let master = try Supervise(
            ["--name", "drain", "--bind", "127.0.0.1:\(port)", "--log-level", "debug"] + options
                + ["--"] + server.filled(server.command, port: port, folder: folder))
        try await master.waitForWorkers(workers, deadline: .seconds(60))
        return (master, "127.0.0.1:\(port)")
    }
}
