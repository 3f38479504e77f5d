import Glibc
import Testing

/// Programs that open their own socket, adopted from outside.
@Suite(.takesTurn) struct SeccompTests {
    @Test(.needsStaticServer) func aStaticServerSharesThePort() async throws {
        let master = try Self.start(["--workers", "3", "--backlog", "64"])
        let before = try await master.waitForWorkers(3)
        let address = try await master.address()
        try await everyoneAnswers(before, at: address)
        #expect(master.lines("adopted").count == 1)
        #expect(master.lines("adopted").first?["by"] == "seccomp")
        // The server requested 5, for all of them.
        #expect(try await get("/", from: address)?.contains("backlog 64") == true)

        let client = try LoadClient(address, requests: 300, rate: 100)
        try await master.signal(SIGHUP)
        let after = try await master.waitForWorkers(3, without: before)
        expectNoFailure(try await client.result(), 300)
        try await everyoneAnswers(after, at: address)
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    @Test func aPythonServerIsAdoptedWhenAsked() async throws {
        let script = """
            import http.server, os
            class Handler(http.server.BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"
                def do_GET(self):
                    body = f"pid {os.getpid()},".encode()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.send_header("Connection", "close")
                    self.end_headers()
                    self.wfile.write(body)
            port = int(os.environ["SERVER_STARTER_PORT"].split("=")[0].split(":")[1])
            http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
            """
        let master = try Supervise([
            "--bind", "127.0.0.1:0", "--workers", "2", "--adopt", "seccomp", "--", "python3", "-c",
            script,
        ])
        let workers = try await master.waitForWorkers(2)
        try await everyoneAnswers(workers, at: try await master.address())
        #expect(try await master.stop() == .exited(0))
    }

    @Test(.needsStaticServer) func adoptionCanBeTurnedOff() async throws {
        let master = try Self.start(["--adopt", "off", "--boot-attempts", "1"])
        #expect(try await master.waitForExit() == .exited(13))
        #expect(master.tail.contains("static_server: bind: Address already in use"))
        #expect(master.lines(Event.exit).first?["cause"] == "boot-failed")
        #expect(master.lines("adopted").isEmpty && master.lines("not-adopted").isEmpty)
    }

    @Test(.needsRoot, .needsStaticServer) func anotherUsersWorkersAreAdopted() async throws {
        let folder = try Folder()
        let master = try Self.start(
            ["--user", "65534", "--workers", "2"], program: StaticServer.copy(to: folder))
        let workers = try await master.waitForWorkers(2)
        try await everyoneAnswers(workers, at: try await master.address())
        for worker in workers {
            #expect(ProcessTable.status("NoNewPrivs", of: worker.pid) == 0)
        }
        #expect(try await master.stop() == .exited(0))
    }

    @Test(.needsReadableProducts, .needsStaticServer)
    func aPlainUsersMasterAdoptsAndReportsTheCost() async throws {
        let folder = try Folder()
        let master = try Self.start(
            ["--workers", "2"], program: StaticServer.copy(to: folder),
            wrapper: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
        let workers = try await master.waitForWorkers(2)
        try await everyoneAnswers(workers, at: try await master.address())
        #expect(ProcessTable.status("NoNewPrivs", of: workers[0].pid) == 1)
        #expect(master.lines("no-new-privileges").count == 1)
        #expect(try await master.stop() == .exited(0))
    }

    /// As root in most containers: the worker changes to a user whose processes the master may not
    /// inspect.
    @Test(.needsRoot, .needsStaticServer) func withoutPermissionItIsReportedOnce() async throws {
        let folder = try Folder()
        let master = try Self.start(
            ["--user", "65534", "--workers", "2", "--boot-attempts", "2"],
            program: StaticServer.copy(to: folder),
            wrapper: ["setpriv", "--bounding-set=-sys_ptrace,-sys_admin"])
        #expect(try await master.waitForExit() == .exited(13))
        #expect(master.lines("not-adopted").count == 1)
        #expect(master.lines("not-adopted").first?.mentions("process_vm_readv") == true)
    }

    /// No process answers the call, whether it is made before or after the master's death.
    @Test(.needsStaticServer, arguments: [true, false])
    func whenTheMasterIsGoneABindFails(beforeTheCall: Bool) async throws {
        let folder = try Folder()
        let master = try Self.start(
            ["--ready", "exec"], arguments: [folder["result"]])
        let worker = try await master.waitForWorkers(1)[0]
        // The kernel sends this signal when its master dies.
        try await master.wait("TERM to be ignored") {
            readFile("/proc/\(worker.pid)/status")?.contains("SigIgn:\t0000000000004000") == true
        }
        if beforeTheCall {
            try await master.signal(SIGKILL)
            _ = try await master.waitForExit()
        } else {
            try await master.signal(SIGSTOP)
        }
        try folder.write("result.go", "")
        if !beforeTheCall {
            try await master.wait("the call to wait") {
                readFile("/proc/\(worker.pid)/syscall")?.hasPrefix("\(bindNumber) ") == true
            }
            #expect(!folder.exists("result"))
            try await master.signal(SIGKILL)
        }
        try await eventually("the bind's end") { folder.lines("result").count == 1 }
        #expect(folder.lines("result") == ["\(ENOSYS)"])
    }

    @Test(.needsStaticServer) func manyRestartsLeaveNoDescriptor() async throws {
        let master = try Self.start(["--backoff", "1ms", "--backoff-max", "1ms"])
        var workers = try await master.waitForWorkers(1)
        let masterPID = try await master.pid()
        let before = ProcessTable.descriptors(of: masterPID).count
        for _ in 0..<50 {
            kill(workers[0].pid, SIGKILL)
            workers = try await master.waitForWorkers(1, without: workers)
        }
        // The filter of the last worker hangs up shortly after its exit.
        try await master.wait("no more descriptors than before") {
            ProcessTable.descriptors(of: masterPID).count <= before
        }
        #expect(try await master.stop() == .exited(0))
    }

    @Test func aWorkerThatListensElsewhereIsReported() async throws {
        let script = """
            import socket
            listener = socket.socket()
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            print(listener.getsockname()[1], flush=True)
            while True:
                listener.accept()
            """
        let master = try Supervise([
            "--bind", "127.0.0.1:0", "--workers", "2", "--ready", "exec", "--", "python3", "-c",
            script,
        ])
        try await master.waitForWorkers(2)
        let line = try await master.waitForEvent("listens-elsewhere")
        let ports = master.folder.lines("stdout").map { "127.0.0.1:\($0)" }
        #expect(ports.contains(try #require(line["listens_on"])))
        // A third worker is not inspected.
        kill(try #require(line.pid), SIGKILL)
        try await master.waitForWorkers(2)
        #expect(try await master.stop() == .exited(0))
        #expect(master.lines("listens-elsewhere").count == 1)
    }

    private static func start(
        _ options: [String], program: String? = nil, arguments: [String] = [],
        wrapper: [String] = []
    ) throws -> Supervise {
        let program = try program ?? #require(StaticServer.path)
        return try Supervise(
            ["--bind", "127.0.0.1:0"] + options + ["--", program] + arguments, wrapper: wrapper)
    }

    /// Wakeups on a shared listener are uneven, so requests are sent until each worker has
    /// responded.
    private func everyoneAnswers(
        _ workers: [Supervise.WorkerProcess], at address: String
    ) async throws {
        var missing = Set(workers.map { "\($0.pid)" })
        for _ in 0..<20 where !missing.isEmpty {
            let result = try await load(address, requests: 40, rate: 400)
            expectNoFailure(result, 40)
            missing.subtract(result.pids.keys)
        }
        #expect(missing.isEmpty, "no answer from \(missing)")
    }
}

#if arch(x86_64)
    private let bindNumber = 49
#else
    private let bindNumber = 200
#endif
