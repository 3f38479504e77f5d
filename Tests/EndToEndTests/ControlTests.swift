import Foundation
import Testing

/// Monitoring and control of a running master by operators.
@Suite(.takesTurn) struct ControlTests {
    @Test func theOnlyMasterIsFound() async throws {
        let master = try Supervise.hello(["--workers", "2", "--max-requests", "100"])
        try await master.waitForWorkers(2)
        _ = try await load(try await master.address(), requests: 10, rate: 100)
        let status = try await master.command("status")
        #expect(status.status == .exited(0))
        #expect(status.output.hasPrefix("hello-worker: ready, generation 1"))
        #expect(status.output.contains("default: 2 of 2 ready"))
        #expect(!status.output.contains("\u{1B}"))

        let json = try await master.command("status", "--json").json
        let pools = try #require(json["pools"] as? [[String: Any]])
        let slots = try #require(pools[0]["slots"] as? [[String: Any]])
        #expect(slots.compactMap { $0["requests"] as? Int }.reduce(0, +) == 10)
        // Their memory is not sampled periodically, but available on request.
        #expect(slots.allSatisfy { ($0["memory_bytes"] as? Int ?? 0) > 1 << 20 })
        let workers = try await master.workers()
        #expect(slots.compactMap { ($0["pid"] as? Int).map { pid_t($0) } } == workers.map(\.pid))

        #expect(try await master.stop() == .exited(0))
        // Masters of root may run as well, and only root can exclude them.
        let nothing =
            getuid() == 0
            ? try await master.command("status", wrapper: Supervise.hidingOthers)
            : try await master.command("status", "--name", "hello-worker")
        #expect(nothing.status == .exited(3), "\(nothing.errors)")
        #expect(nothing.errors.hasPrefix("supervise: no master "))
        #expect(!master.folder.exists("supervise/hello-worker.sock"))
    }

    /// A unit has a directory of its own for its socket.
    @Test func aMasterInADirectoryOfItsOwnIsFound() async throws {
        let folder = try Folder()
        try FileManager.default.createDirectory(
            atPath: folder["supervise/shop"], withIntermediateDirectories: true)
        let master = try Supervise(
            ["--control", folder["supervise/shop/shop.sock"], "--", Place.helloWorker],
            folder: folder)
        try await master.waitForWorkers(1)
        #expect(try await master.command("status").status == .exited(0))
        #expect(try await master.command("status", "--name", "shop").status == .exited(0))
        #expect(try await master.stop() == .exited(0))
    }

    @Test func whatOperatorsDo() async throws {
        let master = try Supervise.hello(["--workers", "2"])
        let before = try await master.waitForWorkers(2)
        let scaled = try await master.command("scale", "+1")
        #expect(scaled.output == "default: scaled from 2 to 3 workers\n")
        try await master.waitForWorkers(3)
        #expect(
            try await master.command("scale", "2").output == "default: scaled from 3 to 2 workers\n"
        )
        try await master.waitForWorkers(2)

        let old = try await master.workers()
        let slot = old[0].slot
        #expect(try await master.command("recycle", "\(slot)").status == .exited(0))
        try await master.waitForLog("the recycling") {
            $0.event == Event.exit && $0["cause"] == "operator"
        }
        let new = try await master.waitForWorkers(2, without: [old[0]])
        #expect(new.contains(old[1]))
        #expect(try await master.command("recycle", "all").status == .exited(0))
        try await master.waitForWorkers(2, without: new + before)

        let wrong = try await master.command("recycle", "77")
        #expect(wrong.status == .exited(1))
        #expect(wrong.errors == "supervise: pool default has no slot 77\n")
        #expect(try await master.command("reopen").status == .exited(0))

        #expect(try await master.command("stop", "--wait").status == .exited(0))
        #expect(try await master.waitForExit() == .exited(0))
        let verbs = master.lines("control").compactMap { $0["verb"] }
        #expect(verbs == ["scale", "scale", "recycle", "recycle", "reopen", "stop"])
    }

    @Test func aPoolIsNamedWhereThereAreSeveral() async throws {
        let master = try Supervise.pools { _ in
            "[pool web]\nbind = 127.0.0.1:0\n[pool api]\nbind = 127.0.0.1:0\n"
        }
        try await master.waitForWorkers(2)
        let which = try await master.command("scale", "+1")
        #expect(which.status == .exited(2))
        #expect(
            which.errors
                == "supervise: missing parameter: pass pool=NAME (--pool NAME); the pools are web, api\n"
        )
        let unknown = try await master.command("recycle", "all", "--pool", "webb")
        #expect(unknown.errors == "supervise: unknown pool webb; the pools are web, api\n")
        let scaled = try await master.command("scale", "+1", "--pool", "api")
        #expect(scaled.output == "api: scaled from 1 to 2 workers\n")
        try await master.waitForWorkers(3)
    }

    @Test func aReloadTellsWhetherItWorked() async throws {
        let config = "workers = 2\nbind = 127.0.0.1:0\nstable-after = 200ms\nbackoff = 10ms\n"
        let master = try Supervise.pools { _ in config }
        let before = try await master.waitForWorkers(2)
        let good = try await master.command("reload", "--wait")
        #expect(good.status == .exited(0) && good.output == "generation 2 rolled out\n")
        try await master.waitForWorkers(2, without: before)

        try master.folder.write("crash", "")
        let bad = try await master.command("reload", "--wait")
        #expect(bad.status == .exited(1))
        #expect(bad.errors.contains("reload aborted; the current generation keeps running"))
        #expect(bad.errors.contains("pool default: the first new worker exited with status"))
        master.folder.remove(file: "crash")

        try master.folder.write("supervise.conf", "nonsense = 1\n")
        let failed = try await master.command("reload", "--wait")
        #expect(failed.status == .exited(1))
        #expect(failed.errors.contains("reload failed; the current configuration"))
        #expect(failed.errors.contains("nonsense"))
        let status = try await master.command("status")
        #expect(
            status.output.contains("last reload: failed; the previous configuration stays in force")
        )
        #expect(status.output.contains("unknown key"))
    }

    @Test func waitingForAReloadHasAnEnd() async throws {
        let master = try Supervise.web(["--workers", "1"])
        try await master.waitForWorkers(1)
        try master.folder.write("hang", "")
        let late = try await master.command("reload", "--wait", "--timeout", "1s")
        #expect(late.status == .exited(1))
        #expect(late.errors.contains("the reload has not finished after 1.0s"))
        #expect(late.errors.contains("waiting for the canary"))
    }

    /// However it ends or stops, `top` leaves the terminal as it was.
    @Test(
        arguments: [
            ("TSTP,CONT,TERM", "raw\ncooked\nraw\ncooked\n0\n"), ("QUIT", "raw\ncooked\n0\n"),
            ("ALRM", "raw\ncooked\n0\n"), ("USR1", "raw\ncooked\n0\n"),
        ])
    func topRestoresTheTerminal(signals: String, output: String) async throws {
        let master = try Supervise.hello()
        try await master.waitForWorkers(1)
        let top = try await run(
            ["python3", Place.client("terminal"), signals, Place.supervise, "top"],
            environment: ["XDG_RUNTIME_DIR": master.folder.path, "TERM": "xterm"])
        #expect(top.output == output, "\(top.errors)")
        #expect(try await master.stop() == .exited(0))
    }

    @Test func eventsAreFollowed() async throws {
        let master = try Supervise.hello(["--log-level", "error"])
        let pid = try await master.pid()
        let worker = try await eventually("a worker") { master.workers(of: pid).first?.pid }
        try await master.wait("the control socket") {
            master.folder.exists("supervise/hello-worker.sock")
        }
        let folder = try Folder()
        let follower = try Cage(
            [Place.supervise, "events", "--follow", "--json"],
            environment: baseEnvironment.merging(["XDG_RUNTIME_DIR": master.folder.path]) { $1 },
            output: folder["out"], errors: folder["err"])
        let context = { "\(follower.status as Any) \(folder.lines("out")) \(folder.lines("err"))" }
        try await eventually("the events so far", context: context) {
            folder.lines("out").contains { $0.contains("\"event\":\"ready\"") }
        }
        kill(worker, SIGKILL)
        try await eventually("the crash") {
            folder.lines("out").contains {
                $0.contains("\"event\":\"exited\"") && $0.contains("\"cause\":\"crashed\"")
            }
        }
        // The log's own level hides them in the log.
        #expect(master.lines(Event.ready).isEmpty)
        let first = LogLine(try #require(folder.lines("out").first))
        #expect(first["schema"] == "2" && first["sequence"] == "1")
        let text = try await master.command("events")
        #expect(
            text.output.contains(
                " exited            pool=default slot=0 pid=\(worker) cause=crashed"))
        #expect(follower.status == nil)
    }

    @Test func commandsRunWhenSomethingHappens() async throws {
        let folder = try Folder()
        let master = try Supervise.hello([
            "--on-event", "crash sh -c 'env >> \(folder["crash"])'",
            "--on-event",
            "ready,recycle-scheduled sh -c 'echo $SUPERVISE_EVENT >> \(folder["seen"]); exec sleep 1000'",
        ])
        let worker = try await master.waitForWorkers(1)[0]
        kill(worker.pid, SIGKILL)
        try await master.wait("the command") {
            folder.lines("crash").contains("SUPERVISE_EVENT_CAUSE=crashed")
        }
        let facts = folder.lines("crash")
        for fact in [
            "SUPERVISE_EVENT=exited", "SUPERVISE_EVENT_PID=\(worker.pid)",
            "SUPERVISE_EVENT_SIGNAL=KILL", "SUPERVISE_EVENT_POOL=default",
        ] {
            #expect(facts.contains(Substring(fact)), "\(fact)")
        }
        try await master.wait("both ready") { folder.lines("seen") == ["ready", "ready"] }
        // They exceed their time limit, and the master does not wait for them.
        let pid = try await master.pid()
        try await master.wait("the end of the commands") {
            ProcessTable.entries().filter { $0.parent == pid }.count == 1
        }
        #expect(try await master.workers().count == 1)
    }

    /// Commands do not inherit the variables of the service manager.
    @Test func commandsDoNotGetTheMastersContract() async throws {
        let folder = try Folder()
        let variables = [
            "NOTIFY_SOCKET": "@nobody", "WATCHDOG_USEC": "600000000", "LISTEN_PID": "1",
            "LISTEN_FDS": "1", "LISTEN_FDNAMES": "web", "SERVER_STARTER_PORT": "1=3",
        ]
        let master = try Supervise.hello(
            ["--on-event", "ready sh -c 'env > \(folder["env"]); echo done >> \(folder["env"])'"],
            environment: variables.merging(["OTHER": "kept"]) { $1 })
        try await master.wait("the command") { folder.lines("env").last == "done" }
        let names = folder.lines("env").compactMap { $0.split(separator: "=").first }
        #expect(names.contains("OTHER") && names.contains("SUPERVISE_EVENT"))
        for name in variables.keys { #expect(!names.contains(Substring(name)), "\(name)") }
    }
}
