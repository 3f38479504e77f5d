import Foundation
import Testing

/// The control sockets: their paths, their permissions, and misbehaving clients.
@Suite(.takesTurn) struct ControlSocketTests {
    @Test func curlIsAClient() async throws {
        let master = try Supervise.hello(["--workers", "2"])
        try await master.waitForWorkers(2)
        #expect(try await master.curl("/healthz").output == "{\"alive\":true}\n\n200")
        #expect(try await master.curl("/readyz").output.hasSuffix("\n200"))
        let scaled = try await master.curl("/scale", ["--data", "by=1"])
        #expect(scaled.output == "{\"pool\":\"default\",\"from\":2,\"to\":3}\n\n200")
        #expect(try await master.curl("/nothing").output.hasSuffix("\n404"))
        #expect(try await master.curl("/reload").output.hasSuffix("\n405"))
        let reload = try await master.curl("/reload?wait", ["--request", "POST"])
        #expect(reload.output.contains("\"result\":\"complete\""))
        let stop = try await master.curl("/stop?wait", ["--request", "POST"])
        #expect(stop.output == "{\"stage\":\"stopped\",\"exit_code\":0}\n\n200")
    }

    @Test func theStatusAddressIsReadOnly() async throws {
        let master = try Supervise.web(["--status-bind", "127.0.0.1:0"])
        let status = try await master.statusAddress()
        let worker = try await master.waitForWorkers(1)[0]
        try master.folder.write("hang", "")
        for path in ["/healthz", "/readyz", "/status", "/metrics", "/events", "/"] {
            #expect(try await master.curl(path, at: status).output.hasSuffix("\n200"), "\(path)")
        }
        // With its only worker gone and no replacement, the pool lacks its minimum of ready
        // workers.
        kill(worker.pid, SIGKILL)
        try await master.waitForEvent(Event.exit)
        let ready = try await master.curl("/readyz", at: status)
        #expect(ready.output.contains("\"serving\":0,\"min_ready\":1"))
        #expect(ready.output.hasSuffix("\n503"))
        for path in ["/reload", "/recycle?slot=all", "/scale?to=9", "/stop", "/reopen"] {
            let refused = try await master.curl(path, ["--request", "POST"], at: status)
            #expect(refused.output.hasSuffix("\n403"), "\(path)")
        }
        #expect(master.isRunning && master.lines("control").isEmpty)
    }

    /// In a container, a user may have no runtime directory.
    @Test func theStatusAddressNeedsNoControlSocket() async throws {
        let master = try Supervise.hello(["--control", "none", "--status-bind", "127.0.0.1:0"])
        try await master.waitForWorkers(1)
        let status = try await master.statusAddress()
        for _ in 0..<3 {
            #expect(try await master.curl("/healthz", at: status).output.hasSuffix("\n200"))
        }
        #expect(try await master.stop() == .exited(0))
    }

    @Test(.needs("promtool")) func metricsAreWhatPrometheusTakes() async throws {
        let master = try Supervise.hello(["--status-bind", "127.0.0.1:0", "--max-rss", "1G"])
        try await master.waitForWorkers(1)
        let address = try await master.statusAddress()
        let checked = try await run([
            "sh", "-c", "curl --silent http://\(address)/metrics | promtool check metrics",
        ])
        #expect(checked.status == .exited(0), "\(checked.output)\(checked.errors)")
    }

    @Test(.needs("prometheus")) func aRealPrometheusScrapes() async throws {
        let master = try Supervise.hello(["--status-bind", "127.0.0.1:0", "--workers", "3"])
        try await master.waitForWorkers(3)
        let folder = master.folder
        let config = try folder.write(
            "prometheus.yml",
            """
            scrape_configs:
            - job_name: supervise
              scrape_interval: 1s
              static_configs:
              - targets: ["\(try await master.statusAddress())"]
            """)
        let port = try freePort()
        let prometheus = try Cage(
            [
                "prometheus", "--config.file=\(config)", "--storage.tsdb.path=\(folder["tsdb"])",
                "--web.listen-address=127.0.0.1:\(port)",
            ], environment: baseEnvironment, output: folder["out"], errors: folder["err"])
        var answer = ""
        let deadline = ContinuousClock.now + .seconds(30)
        while !answer.contains("\"3\""), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(300))
            answer = try await run([
                "curl", "--silent", "--data-urlencode",
                "query=supervise_pool_serving_workers{pool=\"default\"}",
                "http://127.0.0.1:\(port)/api/v1/query",
            ]).output
        }
        #expect(
            answer.contains("\"3\""), "\(answer)\n\(readFile(folder["err"])?.suffix(2000) ?? "")")
        #expect(prometheus.status == nil)
    }

    @Test func aNameThatIsTakenGetsANumber() async throws {
        let folder = try Folder()
        let words = ["--name", "shop", "--", "sleep", "60"]
        let first = try Supervise(words, folder: folder)
        try await first.wait("the socket") { folder.exists("supervise/shop.sock") }
        let second = try Supervise(
            words, environment: ["XDG_RUNTIME_DIR": folder.path], folder: try Folder())
        let pid = try await second.pid()
        try await second.wait("its socket") { folder.exists("supervise/shop-\(pid).sock") }
        let which = try await first.command("status")
        #expect(which.status == .exited(2))
        #expect(which.errors.contains("several masters are running: shop-\(pid), shop;"))
        let one = try await first.command("stop", "--name", "shop-\(pid)", "--wait")
        #expect(one.status == .exited(0), "\(one.errors)")
        #expect(try await second.waitForExit() == .exited(0))
        #expect(try await first.command("status").status == .exited(0))
        // A socket left by a killed master is reused.
        kill(try await first.pid(), SIGKILL)
        _ = try await first.waitForExit()
        #expect(folder.exists("supervise/shop.sock"))
        let third = try Supervise(words, folder: folder)
        try await third.wait("the socket again") {
            third.lines("control-listening").contains { $0.mentions("/shop.sock") }
        }
    }

    /// A suspended master still counts as running.
    @Test func aFullQueueIsNoAbsence() async throws {
        let master = try Supervise.hello()
        try await master.waitForWorkers(1)
        try await master.signal(SIGSTOP)
        let crowd = try Cage(
            [
                "python3", "-c",
                """
                import socket, sys, time
                kept = []
                try:
                    while True:
                        kept.append(socket.socket(socket.AF_UNIX))
                        kept[-1].setblocking(False)
                        kept[-1].connect(sys.argv[1])
                except BlockingIOError:
                    print("full", flush=True)
                time.sleep(600)
                """, master.controlSocket(),
            ], environment: baseEnvironment, output: master.folder["crowd"],
            errors: master.folder["crowd-errors"])
        try await eventually("a full queue") { master.folder.lines("crowd") == ["full"] }
        // By name, root also finds masters of other users.
        let status = try await master.command("status", "--name", "hello-worker")
        #expect(status.status == .exited(1))
        #expect(status.errors.contains("accepts no connections"), "\(status.errors)")
        #expect(crowd.status == nil)
        try await master.signal(SIGCONT)
        #expect(try await master.command("status").status == .exited(0))
    }

    @Test func aSocketThatCannotBeMade() async throws {
        let folder = try Folder()
        try folder.write("file", "")
        let named = try Supervise(["--control", folder["file"], "--", "sleep", "60"])
        #expect(try await named.waitForExit() == .exited(1))
        #expect(named.tail.contains("a file that is not a socket exists at this path"))
        let none = try Supervise.hello(["--control", "none"])
        try await none.waitForWorkers(1)
        #expect(!none.folder.exists("supervise/hello-worker.sock"))
    }

    /// Neither directory can be created, so the master has no control socket, but it serves.
    @Test func withoutAFolderForItTheMasterRunsOn() async throws {
        let folder = try Folder()
        try folder.write("file", "")
        // Only root may create the directory in /run, and not even root on a read-only file system.
        let readOnly = "mount -t tmpfs -o ro none /run && exec \"$@\""
        let master = try Supervise(
            ["--bind", "127.0.0.1:0", "--workers", "2", "--", Place.helloWorker],
            environment: ["XDG_RUNTIME_DIR": folder["file"]],
            wrapper: getuid() == 0
                ? ["env", "unshare", "--mount", "sh", "-c", readOnly, "sh"] : [])
        let line = try await master.waitForEvent("control-unavailable")
        #expect(line["level"] == "warning")
        #expect(line.mentions("\(folder["file"])/supervise") && line.mentions("/run/supervise"))
        try await master.waitForWorkers(2)
        expectNoFailure(try await load(try await master.address(), requests: 10, rate: 100), 10)
        #expect(try await master.stop() == .exited(0))
    }

    /// The master is gone when the last files are removed.
    @Test func aControlSocketThatCannotBeRemovedIsLogged() async throws {
        let folder = try Folder()
        let locked = folder["locked"]
        mkdir(locked, 0o755)
        let master = try Supervise(
            ["--bind", "127.0.0.1:0", "--control", locked + "/c.sock", "--", Place.helloWorker],
            wrapper: getuid() == 0 ? ["setpriv", "--bounding-set=-dac_override"] : [],
            folder: folder)
        try await master.waitForEvent(Event.ready)
        chmod(locked, 0o555)
        #expect(try await master.stop() == .exited(0))
        chmod(locked, 0o755)
        try await master.waitForLog("the reason") {
            $0.event == "unlink-failed" && $0["error"]?.contains("Permission denied") == true
        }
    }

    @Test(.needsRoot) func strangersGetNoAnswer() async throws {
        let master = try Supervise.hello(["--control-owner", "65533"])
        try await master.waitForWorkers(1)
        func stranger(_ uid: Int) -> [String] {
            ["setpriv", "--reuid=\(uid)", "--regid=\(uid)", "--clear-groups"]
        }
        let refused = try await master.command("status", wrapper: stranger(65534))
        #expect(refused.status == .exited(1))
        #expect(refused.errors.contains("permission denied; only root"))
        // The owner may connect, but only by path: the client does not trust sockets in this
        // directory otherwise.
        let owner = try await master.command(
            "status", "--control", master.controlSocket(), wrapper: stranger(65533))
        #expect(owner.status == .exited(0), "\(owner.errors)")

        // A mode that lets other users connect also permits their requests.
        let open = try Supervise.hello(["--control-mode", "0666"])
        try await open.waitForWorkers(1)
        #expect(try await open.command("status", wrapper: stranger(65534)).status == .exited(0))
    }

    @Test func disconnectedClientsLeaveNothingBehind() async throws {
        let master = try Supervise.hello([
            "--stable-after", "100ms", "--status-bind", "127.0.0.1:0",
        ])
        try await master.waitForWorkers(1)
        let address = try await master.statusAddress()
        _ = try await master.curl("/status", at: address)
        try await Task.sleep(for: .seconds(3))
        let descriptors = try await master.openDescriptors()
        for path in ["/status", "/metrics", "/events"] {
            _ = try await master.curl(path, at: address)
            _ = try await master.curl(path)
        }
        try await Task.sleep(for: .milliseconds(300))
        #expect(try await master.openDescriptors() == descriptors)
        // Without clients, nothing wakes it.
        let before = try await master.contextSwitches()
        try await Task.sleep(for: .seconds(4))
        #expect(try await master.contextSwitches() == before)
    }

    /// A client that cannot send in time on a busy machine, while 64 others connect, is replaced
    /// like an idle one and retries.
    private static func isAnswered(_ ask: () async throws -> Bool) async throws -> Bool {
        for _ in 0..<3 where try await ask() { return true }
        return false
    }

    /// A thousand misbehaving clients at once, at each socket, while other clients are served.
    @Test(.takesLongTurn) func aThousandHostileClients() async throws {
        let master = try Supervise.hello(["--workers", "2", "--status-bind", "127.0.0.1:0"])
        try await master.waitForWorkers(2)
        let pid = try await master.pid()
        let status = try await master.statusAddress()
        _ = try await master.curl("/metrics", at: status)
        let memory = try #require(ProcessTable.status("VmRSS", of: pid))
        let descriptors = try await master.openDescriptors()
        var attackers: [Cage] = []
        for (name, address) in [("tcp", status), ("unix", "unix:" + master.controlSocket())] {
            let folder = master.folder
            attackers.append(
                try Cage(
                    ["python3", Place.client("hostile"), address, "500"],
                    environment: baseEnvironment, output: folder["\(name).out"],
                    errors: folder["\(name).err"]))
            try await eventually(
                "500 connections", within: .seconds(60),
                context: { readFile(folder["\(name).err"]) ?? "" }
            ) { folder.lines("\(name).out") == ["ready"] }
        }
        let client = try LoadClient(try await master.address(), requests: 600, rate: 100)
        for _ in 0..<5 {
            let isHealthy = try await Self.isAnswered {
                try await master.curl("/healthz", at: status).output.hasSuffix("\n200")
            }
            let isTold = try await Self.isAnswered {
                try await master.command("status").status == .exited(0)
            }
            #expect(isHealthy && isTold)
        }
        let result = try await client.result()
        expectNoFailure(result, 600)
        // The cost is limited to 64 clients and the data that they do not read.
        #expect(try await master.openDescriptors() <= descriptors + 2 * 64 + 2)
        let grown = try #require(ProcessTable.status("VmRSS", of: pid)) - memory
        #expect(grown < 40 << 10, "\(grown) KiB")
        #expect(attackers.allSatisfy { $0.status == nil })
        attackers = []
        try await master.wait("the end of the clients") {
            ProcessTable.descriptors(of: pid).count <= descriptors
        }
        #expect(try await master.workers().count == 2)
        #expect(try await master.command("stop", "--wait").status == .exited(0))
    }
}
