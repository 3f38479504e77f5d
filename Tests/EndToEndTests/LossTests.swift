import Foundation
import Testing

/// Files that disappear while the master runs: its own program, a worker program, a directory, the
/// library.
@Suite(.takesTurn) struct LossTests {
    private static let quick = ["--backoff", "100ms", "--backoff-max", "400ms"]

    /// Opens its own socket.
    private static let server = """
        import http.server, os, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_GET(self):
                body = f"pid {os.getpid()}, ".encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)
        address = "127.0.0.1", int(sys.argv[1])
        http.server.ThreadingHTTPServer(address, Handler).serve_forever()
        """

    @Test func aKilledMasterLeavesNothingInTheWay() async throws {
        let folder = try Folder()
        let port = try freePort()
        func start(_ folder: Folder) throws -> Supervise {
            try Supervise(
                [
                    "--bind", "127.0.0.1:\(port)", "--bind", "unix:" + folder["web"], "--pidfile",
                    folder["pid"], "--control", folder["control"], "--workers", "3", "--",
                    Place.helloWorker,
                ], folder: folder)
        }
        let first = try start(folder)
        let workers = try await first.waitForWorkers(3)
        try await first.signal(SIGKILL)
        let killed = ContinuousClock.now
        try await first.wait("the end of the workers") {
            !workers.contains { ProcessTable.isAlive($0.pid) }
        }
        #expect(ContinuousClock.now - killed < .seconds(1))
        #expect(first.leftBehind.isEmpty)

        folder.remove(file: "stderr")
        let second = try start(folder)
        try await second.waitForWorkers(3)
        for address in ["127.0.0.1:\(port)", "unix:" + folder["web"]] {
            expectNoFailure(try await load(address, requests: 10, rate: 100), 10)
        }
        let status = try await second.command("status", "--control", folder["control"])
        #expect(status.status == .exited(0), "\(status.errors)")
        #expect(folder.lines("pid") == ["\(try await second.pid())"])
        #expect(try await second.stop() == .exited(0))
        #expect(["web", "pid", "control"].filter(folder.exists) == [])
    }

    @Test func aProgramThatIsGoneComesBack() async throws {
        let folder = try Folder()
        let program = folder["server"]
        try await copy(Place.helloWorker, to: program)
        let master = try Supervise(
            ["--bind", "127.0.0.1:0", "--workers", "2"] + Self.quick + ["--", program],
            folder: folder)
        try await expectRecovery(of: master) {
            try FileManager.default.moveItem(atPath: program, toPath: program + ".away")
        } failingAt: {
            $0["step"] == "exec \(program)" && $0.mentions("\(program) does not exist")
        } repair: {
            try FileManager.default.moveItem(atPath: program + ".away", toPath: program)
        }
    }

    @Test func aFolderThatIsGoneComesBack() async throws {
        let folder = try Folder()
        mkdir(folder["app"], 0o755)
        let master = try Supervise(
            ["--bind", "127.0.0.1:0", "--workers", "2", "--chdir", folder["app"]] + Self.quick
                + ["--", Place.helloWorker], folder: folder)
        try await expectRecovery(of: master) {
            try #require(rmdir(folder["app"]) == 0)
        } failingAt: {
            $0["step"] == "chdir" && $0.mentions("\(folder["app"]): No such file or directory")
        } repair: {
            mkdir(folder["app"], 0o755)
        }
    }

    /// The library is next to the program, so both are copied.
    @Test func aLibraryThatIsGoneComesBack() async throws {
        let folder = try Folder()
        let library = folder["libsupervise-preload.so"]
        let port = try freePort()
        try await copy(Place.supervise, to: folder["supervise-copy"])
        try await copy(Place.products + "/libsupervise-preload.so", to: library)
        let master = try Supervise(
            ["--bind", "127.0.0.1:\(port)", "--workers", "2", "--adopt", "preload"] + Self.quick
                + ["--", "python3", "-c", Self.server, "\(port)"],
            program: [folder["supervise-copy"]], folder: folder)
        try await expectRecovery(of: master) {
            try FileManager.default.moveItem(atPath: library, toPath: library + ".away")
        } failingAt: {
            $0["step"] == "adopt" && $0.mentions("\(library) is missing")
        } repair: {
            try FileManager.default.moveItem(atPath: library + ".away", toPath: library)
        }
    }

    /// A reload reads the same file by its absolute path.
    @Test func theMastersOwnFolderMayGo() async throws {
        let folder = try Folder()
        mkdir(folder["here"], 0o755)
        let config = "[pool web]\nbind = 127.0.0.1:0\ncommand = \(Place.helloWorker)\n"
        let master = try Supervise(
            [], config: config,
            wrapper: ["sh", "-c", "cd \"$0\" && exec \"$@\"", folder["here"]], folder: folder)
        let before = try await master.waitForWorkers(1)
        try #require(rmdir(folder["here"]) == 0)
        kill(before[0].pid, SIGKILL)
        let after = try await master.waitForWorkers(1, without: before)
        try await master.signal(SIGHUP)
        try await master.waitForEvent(Event.reloadComplete)
        try await master.waitForWorkers(1, without: after)
        #expect(try await master.stop() == .exited(0))
    }

    /// A separate process writes it: a program that a parallel test starts could inherit the open
    /// file, and then it could not be executed (ETXTBSY).
    private func copy(_ file: String, to path: String) async throws {
        try #require(try await run(["cp", file, path]).status == .exited(0))
    }

    /// Processes that a command of `on-event` leaves in its group end with it.
    @Test func aCommandLeavesNothingBehind() async throws {
        let folder = try Folder()
        let master = try Supervise(
            [
                "--bind", "127.0.0.1:0", "--on-event",
                "ready sh -c 'ulimit -Sn > \(folder["limit"]); sleep 600 & "
                    + "echo $! > \(folder["left"])'", "--", Place.helloWorker,
            ], wrapper: ["prlimit", "--nofile=200:400"], folder: folder)
        let left = try await eventually("the command", context: { master.tail }) {
            folder.lines("left").first.flatMap { pid_t($0) }
        }
        try await master.wait("the end of what it left") { !ProcessTable.isAlive(left) }
        // The limit is the original one of the master.
        #expect(folder.lines("limit") == ["200"])
        #expect(try await master.stop() == .exited(0))
    }

    /// One of two workers is killed after `harm`. The other keeps serving, the start fails with
    /// `failure` and is retried, and succeeds after `repair`.
    private func expectRecovery(
        of master: Supervise, harm: () throws -> Void, failingAt failure: (LogLine) -> Bool,
        repair: () throws -> Void
    ) async throws {
        let before = try await master.waitForWorkers(2)
        try harm()
        kill(before[0].pid, SIGKILL)
        try await master.wait("several attempts") { master.lines("start-failed").count >= 3 }
        let line = try #require(master.lines("start-failed").last)
        #expect(failure(line), "\(line)")
        #expect(try await master.workers() == [before[1]])
        expectNoFailure(try await load(try await master.address(), requests: 10, rate: 100), 10)
        // A reload cannot start a worker either, and changes nothing.
        try await master.signal(SIGHUP)
        try await master.waitForEvent(Event.reloadAborted)
        #expect(try await master.workers() == [before[1]])
        try repair()
        try await master.waitForWorkers(2)
        #expect(try await master.stop() == .exited(0))
    }
}
