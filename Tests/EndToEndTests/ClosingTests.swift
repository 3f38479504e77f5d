import Glibc
import Testing

/// The privileges of a master over its listeners: it can install a filter only with CAP_NET_ADMIN.
enum Rights: CaseIterable {
    case usual
    case withoutNetAdmin

    var wrapper: [String] {
        switch self {
        case .usual: []
        case .withoutNetAdmin: getuid() == 0 ? ["setpriv", "--bounding-set=-net_admin"] : []
        }
    }
}

/// A stop resets no connections: connections established before it are served.
@Suite(.takesTurn) struct ClosingTests {
    /// Clients that connect as fast as possible during the stop.
    @Test(.takesLongTurn, arguments: [1, 2], Rights.allCases)
    func nobodyWhoIsConnectedIsReset(workers: Int, rights: Rights) async throws {
        let master = try Supervise.web(
            ["--workers", "\(workers)"], environment: ["SERIAL": "1"], wrapper: rights.wrapper)
        try await master.waitForWorkers(workers)
        let crowd = try Crowd(
            try await master.address(), path: "/slow?seconds=0.005", clients: 64, pause: 0)
        try await master.wait("the crowd is served") { !crowd.pids.isEmpty }
        #expect(try await master.stop() == .exited(0))
        let result = try await crowd.result()
        #expect(result.ok > 0)
        let lost = result.reasons.filter { !$0.key.hasPrefix("connect: ") }
        #expect(lost.isEmpty, "\(result)")
        #expect(master.lines("close-failed").isEmpty)
    }

    @Test func theDrainDelayServesOn() async throws {
        let master = try Supervise.web(["--drain-delay", "6s"])
        try await master.waitForWorkers(1)
        let address = try await master.address()
        try await master.signal(SIGTERM)
        try await master.waitForEvent("drain-delay")
        #expect(try await get("/", from: address) != nil)
        #expect(master.lines("listeners-closing").isEmpty)
        #expect(try await master.waitForExit() == .exited(0))
        #expect(!master.lines("listeners-closing").isEmpty)
    }

    @Test func aQuickStopDoesNotWait() async throws {
        let master = try Supervise.web(["--drain-delay", "10m"])
        try await master.waitForWorkers(1)
        try await master.signal(SIGTERM)
        try await master.waitForEvent("drain-delay")
        // A second TERM would count only a second later.
        try await master.signal(SIGINT)
        #expect(try await master.waitForExit() == .exited(0))
    }

    @Test func aPathIsGoneBeforeTheWorkersAre() async throws {
        let folder = try Folder()
        let master = try Supervise(
            ["--bind", "unix:\(folder["s"])", "--", "python3", Place.worker("http_worker")])
        try await master.waitForWorkers(1)
        #expect(try await get("/", from: "unix:\(folder["s"])") != nil)
        #expect(try await master.stop() == .exited(0))
        #expect(!folder.exists("s"))
        #expect(master.lines("listeners-closing").count == 1)
    }

    /// A filter that is left behind would block connections at the owner's next start.
    @Test func aPassedSocketIsNotShut() async throws {
        let folder = try Folder()
        let port = try freePort()
        // Holds the socket while successive masters serve it.
        let script = """
            import os, socket, subprocess, sys
            listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
            os.set_inheritable(listener.fileno(), True)
            for turn in range(2):
                master = subprocess.Popen(
                    [sys.argv[2], "--bind", f"fd://{listener.fileno()}", "--", sys.argv[3]],
                    close_fds=False)
                with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20) as client:
                    client.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                    assert client.recv(100).startswith(b"HTTP/1."), "no answer"
                master.terminate()
                assert master.wait(20) == 0
            """
        let cage = try Cage(
            ["python3", "-c", script, "\(port)", Place.supervise, Place.helloWorker],
            environment: baseEnvironment, output: folder["out"], errors: folder["err"])
        let status = try await eventually("both masters' end", within: .seconds(60)) { cage.status }
        let log = readFile(folder["err"]) ?? ""
        #expect(status == .exited(0), "\(log)")
        #expect(log.contains("control-listening") && !log.contains("unix:/run/supervise"))
    }

    /// Connections that wait on a bind or in a pool that a reload removes are served.
    @Test(.takesLongTurn, arguments: [false, true], Rights.allCases)
    func aReloadResetsNobody(removesThePool: Bool, rights: Rights) async throws {
        let port = try freePort()
        let other = try freePort()
        let master = try Supervise.pools(wrapper: rights.wrapper) { _ in
            "[pool a]\nbind = 127.0.0.1:\(port)\n[pool b]\nbind = 127.0.0.1:\(other)\n"
        }
        try await master.waitForWorkers(2)
        let crowd = try Crowd("127.0.0.1:\(port)", path: "/", clients: 32, pause: 0)
        try await master.wait("the crowd is served") { !crowd.pids.isEmpty }
        try await master.reload(
            removesThePool
                ? "[pool b]\nbind = 127.0.0.1:\(other)\n"
                : "[pool a]\nbind = 127.0.0.1:0\n[pool b]\nbind = 127.0.0.1:\(other)\n")
        try await master.waitForEvent(Event.reloadComplete, deadline: .seconds(40))
        let result = try await crowd.result()
        let lost = result.reasons.filter { !$0.key.hasPrefix("connect: ") }
        #expect(result.ok > 0 && lost.isEmpty, "\(result)")
    }

    /// A pool that one reload removes and the next one restores while its last request is served.
    @Test(arguments: Rights.allCases) func aDoorIsOpenedAgain(rights: Rights) async throws {
        let port = try freePort()
        let pools = "[pool a]\nbind = 127.0.0.1:\(port)\n[pool b]\nbind = 127.0.0.1:0\n"
        let master = try Supervise.pools(wrapper: rights.wrapper) { _ in pools }
        try await master.waitForWorkers(2)
        let workers = try await master.workers().map(\.pid)
        let idle = workers.map(ProcessTable.sockets).reduce(0, +)
        let slow = try LoadClient(
            "127.0.0.1:\(port)", requests: 1, rate: 1, path: "/slow?seconds=8")
        try await master.wait("the request is taken") {
            workers.map(ProcessTable.sockets).reduce(0, +) > idle
        }
        try await master.reload("[pool b]\nbind = 127.0.0.1:0\n")
        try await master.waitForEvent("listeners-closing")
        // The next program of this process continues the closing.
        try await master.signal(SIGUSR2)
        try await master.waitForEvent("upgraded")
        #expect(try !isAccepted(port: port))
        try await master.reload(pools)
        try await master.wait("the pool is back", deadline: .seconds(30)) {
            master.lines(Event.reloadCommitted).count == 2
        }
        #expect(try await get("/", from: "127.0.0.1:\(port)") != nil)
        expectNoFailure(try await slow.result(), 1)
    }

    /// A bind added by a reload accepts no connections before the commit, because an abort would
    /// reset them. The address of a canary that never becomes ready does not respond.
    @Test(arguments: Rights.allCases)
    func anAbortedReloadResetsNobody(rights: Rights) async throws {
        let port = try freePort()
        let pool = "ready-timeout = 3s\n[pool a]\nbind = 127.0.0.1:0\n"
        let master = try Supervise.pools(wrapper: rights.wrapper) { _ in pool }
        try await master.waitForWorkers(1)
        try master.folder.write("hang", "")
        let changed = pool + "bind = 127.0.0.1:\(port)\n"
        try await master.reload(changed)
        try await master.wait("the canary's boot") { master.roster.count(of: "boot") == 2 }
        #expect(try !isAccepted(port: port))
        try await master.waitForEvent(Event.reloadAborted)
        master.folder.remove(file: "hang")
        try await master.reload(changed)
        try await master.waitForEvent(Event.reloadCommitted)
        #expect(try await get("/", from: "127.0.0.1:\(port)") != nil)
    }

    /// The path of a unix socket refuses connections until the commit, whatever the canary does to
    /// it, and the file is the same for all workers afterwards.
    @Test(arguments: ["preload", "seccomp"])
    func anAbortedReloadShowsNoUnixSocket(adopt: String) async throws {
        let pool =
            "ready-timeout = 3s\nadopt = \(adopt)\n[pool a]\n"
            + "bind = 127.0.0.1:0\n"
        let master = try Supervise.pools { _ in pool }
        try await master.waitForWorkers(1)
        try master.folder.write("hang", "")
        let path = master.folder["new.sock"]
        let changed = pool + "bind = unix:\(path)\nsocket-mode = 0600\n"
        try await master.reload(changed)
        try await master.wait("the canary's boot") { master.roster.count(of: "boot") == 2 }
        #expect(master.folder.exists("new.sock"))
        #expect(try isRefused(path: path))
        try await master.waitForEvent(Event.reloadAborted, deadline: .seconds(40))
        try await master.wait("the file's removal") { !master.folder.exists("new.sock") }
        #expect(master.folder.names.filter { $0.hasPrefix(".new.sock") }.isEmpty)
        master.folder.remove(file: "hang")
        try await master.reload(changed)
        try await master.waitForEvent(Event.reloadCommitted)
        #expect(try await get("/", from: "unix:\(path)") != nil)
        #expect(try await master.stop() == .exited(0))
        #expect(!master.folder.exists("new.sock"))
        #expect(master.folder.names.filter { $0.hasPrefix(".new.sock") }.isEmpty)
    }

    /// The others are opened, and a later reload opens it.
    @Test func aPathThatIsTakenDuringTheTrialIsReported() async throws {
        let pool = "ready-timeout = 60s\n[pool a]\nbind = 127.0.0.1:0\n"
        let master = try Supervise.pools { _ in pool }
        try await master.waitForWorkers(1)
        let taken = master.folder["taken.sock"]
        let other = master.folder["other.sock"]
        try master.folder.write("hang", "")
        let changed = pool + "bind = unix:\(taken)\nbind = unix:\(other)\n"
        try await master.reload(changed)
        try await master.wait("the canary's boot") { master.roster.count(of: "boot") == 2 }
        master.folder.remove(file: "taken.sock")
        try master.folder.write("taken.sock", "")
        master.folder.remove(file: "hang")
        try await master.waitForEvent(Event.reloadCommitted)
        #expect(master.lines("listener-reopen-failed").map { $0["address"] } == ["unix:\(taken)"])
        #expect(try await get("/", from: "unix:\(other)") != nil)
        master.folder.remove(file: "taken.sock")
        try await master.waitForEvent(Event.reloadComplete)
        try await master.reload(changed)
        try await master.wait("the next reload", deadline: .seconds(40)) {
            master.lines(Event.reloadComplete).count == 2
        }
        #expect(try await get("/", from: "unix:\(taken)") != nil)
        #expect(try await master.stop() == .exited(0))
    }

    /// A bind that one reload removes from a pool and the next one restores while it still serves.
    @Test(arguments: Rights.allCases)
    func aDroppedBindIsTakenBack(rights: Rights) async throws {
        let port = try freePort()
        let pools = "[pool a]\nbind = 127.0.0.1:\(port)\nbind = 127.0.0.1:0\n"
        let master = try Supervise.pools(wrapper: rights.wrapper) { _ in pools }
        let workers = try await master.waitForWorkers(1).map(\.pid)
        let idle = workers.map(ProcessTable.sockets).reduce(0, +)
        let slow = try LoadClient(
            "127.0.0.1:\(port)", requests: 1, rate: 1, path: "/slow?seconds=8")
        try await master.wait("the request is taken") {
            workers.map(ProcessTable.sockets).reduce(0, +) > idle
        }
        try await master.reload("[pool a]\nbind = 127.0.0.1:0\n")
        try await master.waitForEvent(Event.reloadCommitted)
        try await master.wait("the bind is closed") { try !isAccepted(port: port) }
        try await master.reload(pools)
        try await master.wait("the bind is back", deadline: .seconds(30)) {
            master.lines(Event.reloadCommitted).count == 2
        }
        #expect(try await get("/", from: "127.0.0.1:\(port)") != nil)
        expectNoFailure(try await slow.result(), 1)
    }
}
