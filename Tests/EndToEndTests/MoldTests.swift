import Foundation
import Testing

/// Workers that are forked from a process which has loaded the program.
@Suite(.takesTurn) struct MoldTests {
    private let server: ForkedServer

    init() throws { server = try ForkedServer() }

    private var folder: Folder { server.folder }

    @Test(.takesLongTurn) func recyclingUnderLoadLosesNothing() async throws {
        let master = try server.start(["--max-requests", "60", "--max-requests-jitter", "20"])
        let first = try await master.waitForWorkers(2)
        let result = try await load(server.address, requests: 1200, rate: 200)
        expectNoFailure(result, 1200)
        #expect(result.pids.count > 6, "\(result.pids)")
        #expect(master.lines("mold-ready").count == 1)
        #expect(master.lines("exec-instead").isEmpty)
        let masterPID = try await master.pid()
        for worker in try await master.workers() {
            #expect(ProcessTable.entry(worker.pid)?.parent == masterPID)
        }
        #expect(first.count == 2)
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    @Test func aWorkerResemblesAnExecutedOne() async throws {
        let shop = """
            import os, time
            loaded = time.monotonic()
            def answer(data):
                own = int(os.environ["LISTEN_PID"]) == os.getpid()
                return loaded, own, "SUPERVISE_MOLD" in os.environ

            """
        let master = try server.start(shop: shop)
        let worker = try await master.waitForWorkers(2)[0]
        let command = try #require(readFile("/proc/\(worker.pid)/cmdline"))
        #expect(command.hasPrefix("python3\u{0}\(folder["app.py"])\u{0}"), "\(command)")
        #expect(readFile("/proc/\(worker.pid)/comm") == "python3\n")
        let block = try #require(readFile("/proc/\(worker.pid)/environ"))
        #expect(!block.contains("SUPERVISE_WORKER_ID=00000000000000000000000000000000"))
        // Its own descriptors alone: the three streams, the listener and the page.
        let descriptors = ProcessTable.descriptors(of: worker.pid)
        #expect(descriptors["4"]?.contains("supervise-requests") == true, "\(descriptors)")
        #expect(!descriptors.values.contains { $0.contains("supervise-order") }, "\(descriptors)")
        let loaded = try #require(try await get("/", from: server.address))
        let again = try #require(try await get("/", from: server.address))
        #expect(loaded.split(separator: "\n").last == again.split(separator: "\n").last)
        #expect(loaded.contains(", True, False)"), "\(loaded)")
    }

    @Test func aMoldThatCannotRunLeavesTheWorkersToExec() async throws {
        let master = try server.start(mold: "false")
        try await master.waitForWorkers(2)
        #expect(master.lines("mold-failed").first?["status"] == "1")
        #expect(master.lines("mold-given-up").count == 1)
        #expect(try await get("/", from: server.address) != nil)
        #expect(try await master.stop() == .exited(0))
    }

    @Test func aCommandWithoutPythonIsExecutedAndChecked() async throws {
        let script = try folder.write("run.sh", "#!/bin/sh\nexec python3 \(folder["app.py"])\n")
        chmod(script, 0o755)
        let master = try server.start(command: [script])
        try await master.waitForWorkers(2)
        let line = try #require(master.lines("mold-failed").first)
        #expect(line["error"]?.contains("is a script of /bin/sh") == true, "\(line)")
        let checked = try await run(
            [Place.supervise, "check", "--mold", "auto", "--", script])
        #expect((checked.output + checked.errors).contains("is a script of /bin/sh"))
    }

    @Test func aModuleThatFailsToLoadIsNotUsed() async throws {
        let master = try server.start(["--mold-import", "missing_module"])
        try await master.waitForWorkers(2)
        #expect(master.lines("mold-failed").first?["cause"] == "exited")
        #expect(master.lines("mold-given-up").count == 1)
    }

    @Test func sharedConnectionsAreRefusedByTheirPeer() async throws {
        let other = try server.start(mold: "off")
        try await other.waitForWorkers(2)
        let sharing = try ForkedServer()
        let shop =
            "import socket\nheld = socket.create_connection((\"127.0.0.1\", \(server.port)))\n"
            + ForkedServer.plain
        for (rule, event) in [("refuse", "mold-given-up"), ("allow", "mold-ready")] {
            let master = try sharing.start(["--mold-shares", rule], shop: shop)
            try await master.waitForWorkers(2)
            #expect(master.lines(event).count == 1, "\(master.tail)")
            if rule == "refuse" {
                let error = master.lines("mold-failed").first?["error"]
                #expect(error?.contains("a connection to 127.0.0.1:\(server.port)") == true)
            }
            #expect(try await master.stop() == .exited(0))
        }
    }

    @Test(
        .takesLongTurn,
        .enabled(if: PostgreSQL.programs != nil, "needs postgresql"),
        .enabled(if: Server.hasModule("psycopg2"), "needs psycopg2"))
    func aConnectionToPostgreSQLIsRefused() async throws {
        let database = try await PostgreSQL()
        let master = try server.start(
            shop: """
                import psycopg2
                held = \(database.connect)
                def answer(data):
                    with held.cursor() as cursor:
                        cursor.execute("select pg_backend_pid()")
                        return cursor.fetchone()[0]

                """, command: ["\(Server.installed)/python", folder["app.py"]])
        try await master.waitForWorkers(2)
        let error = master.lines("mold-failed").first?["error"]
        #expect(
            error?.contains("a connection to unix:\(database.socket)") == true, "\(error ?? "")")
        // Each worker executes the command and has a connection of its own.
        var sessions: [pid_t: Set<Substring>] = [:]
        while sessions.count < 2 {
            let text = try #require(try await get("/", from: server.address))
            let lines = text.split(separator: "\n")
            let pid = try #require(lines.first?.split(separator: " ").last.flatMap { pid_t($0) })
            sessions[pid, default: []].formUnion(lines.suffix(1))
        }
        #expect(sessions.values.allSatisfy { $0.count == 1 })
        #expect(Set(sessions.values).count == 2)
        #expect(try await master.stop() == .exited(0))
    }

    @Test func anEpollSetIsRefused() async throws {
        let master = try server.start(
            shop: "import select\nheld = select.epoll()\n" + ForkedServer.plain)
        try await master.waitForWorkers(2)
        #expect(master.lines("mold-failed").first?["error"]?.contains("an epoll set") == true)
    }

    @Test(.takesLongTurn) func aReloadBootsOneMoldAndLosesNothing() async throws {
        let master = try server.start(["--workers", "4"])
        let first = try await master.waitForWorkers(4)
        let client = try LoadClient(server.address, rate: 100)
        try await client.begun()
        try folder.write("shop.py", "def answer(data): return \"new\"\n")
        try await master.signal(SIGHUP)
        try await master.waitForEvent(Event.reloadComplete, deadline: .seconds(40))
        try await master.waitForWorkers(4, without: first)
        expectNoFailure(try await client.end())
        #expect(master.lines("mold-started").count == 2)
        #expect(try await get("/", from: server.address)?.contains("new") == true)
        // The old mold ends after its last worker.
        try await master.waitForEvent("mold-stopped")
    }

    @Test func aReloadWhoseMoldFailsIsAborted() async throws {
        let master = try server.start()
        let first = try await master.waitForWorkers(2)
        try folder.write("shop.py", "raise SystemExit(3)\n")
        try await master.signal(SIGHUP)
        try await master.waitForEvent(Event.reloadAborted)
        #expect(master.lines(Event.canaryFailed).first?["cause"] == "mold-failed")
        #expect(try await master.workers() == first)
    }

    @Test func aMoldThatIsKilledIsStartedAgain() async throws {
        let master = try server.start()
        let first = try await master.waitForWorkers(2)
        kill(try master.mold, SIGKILL)
        try await master.wait("a second mold") { master.lines("mold-ready").count == 2 }
        #expect(master.lines("mold-failed").first?.pid == master.lines("mold-ready").first?.pid)
        #expect(try await master.workers() == first)
        kill(first[0].pid, SIGKILL)
        try await master.waitForWorkers(2, without: [first[0]])
        #expect(master.lines("exec-instead").isEmpty)
    }

    @Test(.takesLongTurn) func aMoldThatHangsIsReplaced() async throws {
        let master = try server.start()
        let first = try await master.waitForWorkers(2)
        kill(try master.mold, SIGSTOP)
        kill(first[0].pid, SIGKILL)
        try await master.wait("a second mold", deadline: .seconds(40)) {
            master.lines("mold-ready").count == 2
        }
        try await master.waitForWorkers(2, deadline: .seconds(40), without: [first[0]])
        #expect(master.lines("mold-failed").first?["cause"] == "forks-fail")
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    @Test(.takesLongTurn) func anUpgradeKeepsTheMold() async throws {
        let master = try server.start(["--max-requests", "40"])
        try await master.waitForWorkers(2)
        let kept = try master.mold
        let client = try LoadClient(server.address, rate: 100)
        try await client.begun()
        for _ in 0..<4 {
            let result = try await master.command("upgrade")
            #expect(result.status == .exited(0), "\(result.errors)\(master.tail)")
        }
        expectNoFailure(try await client.end())
        #expect(ProcessTable.isAlive(kept))
        #expect(master.lines("mold-ready").count == 1)
        let before = try await master.waitForWorkers(2)
        kill(before[0].pid, SIGKILL)
        try await master.waitForWorkers(2, without: [before[0]])
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    @Test(arguments: [
        ("import sys; sys.exit(3)", "3"), ("import os; os._exit(4)", "4"),
        ("raise ValueError('x')", "1"), ("import sys; sys.exit('text')", "1"),
        ("import threading; threading.Thread(target=print).start()", "0"),
    ])
    func aWorkerExitsAsThePythonWould(_ program: String, _ status: String) async throws {
        let script = try folder.write("job.py", program + "\n")
        let master = try Supervise(
            ["--mold", "auto", "--restart", "never", "--", "python3", script], folder: folder)
        _ = try await master.waitForExit()
        #expect(master.lines(Event.exit).first?["status"] == status, "\(master.tail)")
        #expect(master.lines("mold-ready").count == 1)
        #expect(master.leftBehind.isEmpty)
    }

    @Test func aWorkersEndLeavesTheFilesOfTheMold() async throws {
        try folder.write(
            "files.py",
            """
            import atexit, os, tempfile
            place = tempfile.TemporaryDirectory()
            loader = os.getpid()
            def finish():
                with open("\(folder["handlers"])", "a") as file:
                    file.write("mold\\n" if os.getpid() == loader else "worker\\n")
            atexit.register(finish)

            """)
        let script = try folder.write(
            "job.py",
            """
            import atexit, os, files
            assert os.path.isdir(files.place.name)
            atexit.register(lambda: print("own handler", flush=True))

            """)
        let master = try Supervise(
            ["--mold", "auto", "--backoff", "1ms", "--", "python3", script], folder: folder)
        try await master.wait("three ends") { master.lines(Event.exit).count >= 3 }
        #expect(master.lines(Event.exit).allSatisfy { $0["status"] == "0" }, "\(master.tail)")
        #expect(folder.lines("stdout").contains("own handler"))
        // The handlers of the mold's modules run in the mold alone, at its end.
        #expect(!folder.exists("handlers"))
        #expect(try await master.stop() == .exited(0))
        #expect(folder.lines("handlers") == ["mold"])
    }

    @Test(.needsRoot) func theMoldRunsAsTheWorkersUser() async throws {
        chmod(folder.path, 0o755)
        let master = try server.start(["--user", "nobody"])
        let worker = try await master.waitForWorkers(2)[0]
        #expect(ProcessTable.status("Uid", of: worker.pid) == 65534)
        #expect(ProcessTable.status("Uid", of: try master.mold) == 65534)
        #expect(master.lines("mold-given-up").isEmpty)
        #expect(try await get("/", from: server.address) != nil)
    }

    @Test func aCrashByAnInvalidAccessChangesTheLayout() async throws {
        let master = try server.start()
        let first = try await master.waitForWorkers(2)
        kill(first[0].pid, SIGSEGV)
        try await master.wait("a second mold") { master.lines("mold-ready").count == 2 }
        try await master.waitForWorkers(2, without: [first[0]])
        try await master.waitForEvent("mold-stopped")
    }
}
