import Foundation
import Testing

/// What workers and other users can do to a master, as described in `supervise help security`.
@Suite(.takesTurn) struct SecurityTests {
    /// Many servers start as root and change their user themselves, before they send a message.
    @Test(.needsRoot) func aWorkerThatLeavesRootStillReachesItsSocket() async throws {
        let program = """
            import os, socket, time
            address = os.environ["NOTIFY_SOCKET"]
            os.setgid(65528); os.setuid(65528)
            assert os.path.basename(address) not in open("/proc/net/unix").read()
            try:
                os.listdir(os.path.dirname(address))
                raise SystemExit("its folder can be listed")
            except PermissionError:
                pass
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", address)
            time.sleep(1000)
            """
        let master = try Supervise(["--ready", "notify", "--", "python3", "-c", program])
        let worker = try #require(try await master.waitForWorkers(1).first)
        let address = ProcessTable.environment(of: worker.pid)["NOTIFY_SOCKET"] ?? ""
        #expect(!address.hasPrefix("@"))
        #expect(try await master.stop() == .exited(0))
    }

    /// A worker of another user attacks the master and a sibling of a third user. The sibling's
    /// watchdog runs while its notify socket is flooded, if it can be reached at all.
    @Test(.needsRoot, arguments: [true, false])
    func aWorkerOfAnotherUserReachesNobody(isGuarded: Bool) async throws {
        let folder = try Folder()
        let mask = isGuarded ? "022" : "077"
        let master = try Supervise(
            [],
            environment: [
                "VICTIM": folder["victim"], "REPORT": folder["report"],
                "CONTROL": "\(folder.path)/supervise/x.sock", "TMPDIR": "/no/such/folder",
            ],
            config: """
                name = x
                [pool good]
                bind = 127.0.0.1:0
                user = 65528
                group = 65528
                timeout = 1s
                max-requests = 1000
                command = python3 \(Place.worker("heart"))
                [pool bad]
                ready = exec
                user = 65529
                group = 65529
                command = python3 \(Place.worker("trespasser"))
                """, wrapper: ["sh", "-c", "umask \(mask); exec \"$@\"", "sh"], folder: folder)
        let good = try #require(try await master.waitForWorkers(2).first { $0.pool == "good" })
        let socket = ProcessTable.environment(of: good.pid)["NOTIFY_SOCKET"] ?? ""
        let descriptors = try await master.openDescriptors()
        try folder.write("victim", "\(good.pid) \(socket)\n")
        try await master.wait("the report") { folder.exists("report") }
        let report = try JSONDecoder().decode(
            [String: String].self, from: Data((readFile(folder["report"]) ?? "").utf8))
        #expect(report.count == 16)
        for (attempt, outcome) in report {
            // The master checks the sender of a message to an abstract socket, not the kernel.
            let isOpen = attempt.contains("socket") && !isGuarded
            let expected = isOpen ? ["done"] : ["EACCES", "EPERM"]
            #expect(expected.contains(outcome), "\(attempt): \(outcome)")
        }
        #expect(socket.hasPrefix("@") != isGuarded)
        #expect(master.lines("notify-socket-unprotected").isEmpty == isGuarded)
        if !isGuarded { try await master.waitForEvent("notify-refused") }
        // The flood lasts longer than the timeout of the sibling's watchdog.
        try await Task.sleep(for: .seconds(3))
        #expect(try await master.workers().contains(good))
        #expect(master.lines(Event.exit).isEmpty && master.lines(Event.recycleScheduled).isEmpty)
        let status = try await master.command("status", "--json")
        #expect(status.status == .exited(0))
        #expect(!status.output.contains("1000000"))
        #expect(try await master.openDescriptors() <= descriptors + 8)
        #expect(try await master.stop() == .exited(0))
    }

    @Test(arguments: ["0", "077"])
    func everythingHasItsMode(umask: String) async throws {
        let folder = try Folder()
        let master = try Supervise(
            [
                "--name", "x", "--bind", "unix:" + folder["web"], "--pidfile", folder["pid"],
                "--status-bind", "unix:" + folder["status"], "--log-file", folder["log"],
                "--memory-log", folder["memory"], "--memory-log-interval", "100ms",
                "--memory-interval", "100ms", "--", Place.helloWorker,
            ], wrapper: ["sh", "-c", "umask \(umask); exec \"$@\"", "sh"], folder: folder)
        try await master.wait("the memory log") { !folder.lines("memory").isEmpty }
        let isOpen = umask == "0"
        let expected: [(String, mode_t)] = [
            ("web", 0o660), ("status", 0o666), ("pid", isOpen ? 0o644 : 0o600),
            ("log", isOpen ? 0o640 : 0o600), ("memory", isOpen ? 0o640 : 0o600),
            ("supervise", isOpen ? 0o755 : 0o700), ("supervise/x.sock", 0o600),
        ]
        for (name, mode) in expected {
            var status = stat()
            try #require(lstat(folder[name], &status) == 0, "\(name)")
            #expect(status.st_mode & 0o7777 == mode, "\(name): \(String(status.st_mode, radix: 8))")
            #expect(status.st_uid == getuid(), "\(name)")
        }
        #expect(try await master.stop() == .exited(0))
    }

    /// A directory of the worker's user contains links to a file of root, in place of the master's
    /// files and of the directory.
    @Test(.needsRoot) func linksOfOthersAreNotFollowed() async throws {
        let folder = try Folder()
        mkdir(folder["theirs"], 0o755)
        mkdir(folder["ours"], 0o755)
        try folder.write("ours/victim", "untouched\n")
        for (name, target) in [("log", "victim"), ("folder", ""), ("pid", "victim")] {
            symlink(folder["ours/" + target], folder["theirs/" + name])
            lchown(folder["theirs/" + name], 65529, 65529)
        }
        chown(folder["theirs"], 65529, 65529)
        for words in [
            ["--log-file", folder["theirs/log"]], ["--log-file", folder["theirs/folder/victim"]],
            ["--pidfile", folder["theirs/pid"]], ["--bind", "unix:" + folder["theirs/log"]],
            ["--control", folder["theirs/log"]],
        ] {
            let master = try Supervise(words + ["--", "sleep", "60"])
            #expect(try await master.waitForExit() == .exited(1), "\(words)")
            #expect(master.tail.contains(words[1].trimmingPrefix("unix:")), "\(master.tail)")
        }
        let master = try Supervise(
            [
                "--memory-log", folder["theirs/log"], "--memory-log-interval", "100ms",
                "--memory-interval", "100ms", "--", "sleep", "60",
            ])
        let line = try await master.waitForEvent("memory-log")
        #expect(line["level"] == "error" && line.mentions("symbolic link of another user"))
        #expect(readFile(folder["ours/victim"]) == "untouched\n")

        // A link that root created is followed, also to a place with other links.
        symlink(folder["ours"], folder["theirs/good"])
        let followed = try Supervise(
            ["--log-file", folder["theirs/good/log"], "--", "sleep", "60"])
        try await followed.wait("the log") { !folder.lines("ours/log").isEmpty }
        try await master.stop()
        try await followed.stop()
    }

    @Test(arguments: ["/dev/stderr", "/proc/self/fd/2"])
    func theKernelsOwnLinksAreFollowed(path: String) async throws {
        let master = try Supervise(["--log-file", path, "--", "sleep", "60"])
        try await master.waitForEvent(Event.ready)
        #expect(try await master.stop() == .exited(0))
    }

    @Test func nothingTellsTheEnvironment() async throws {
        let folder = try Folder()
        try folder.write("secrets", "FROM_FILE=hidden-file\n")
        let master = try Supervise(
            [
                "--name", "x", "--log-level", "debug", "--bind", "127.0.0.1:0", "--status-bind",
                "127.0.0.1:0", "--env", "FROM_OPTION=hidden-option", "--env-file",
                folder["secrets"], "--backoff", "50ms", "--memory-log", folder["memory"],
                "--memory-log-interval", "100ms", "--memory-interval", "100ms", "--", "python3",
                Place.worker("http_worker"),
            ], environment: ["INHERITED": "hidden-inherited", "CRASH_FILE": folder["crash"]],
            folder: folder)
        let worker = try await master.waitForWorkers(1)[0]
        let environment = ProcessTable.environment(of: worker.pid)
        #expect(environment["FROM_FILE"] == "hidden-file")
        #expect(environment["FROM_OPTION"] == "hidden-option")
        #expect(environment["INHERITED"] == "hidden-inherited")
        try folder.write("crash", "")
        kill(worker.pid, SIGKILL)
        try await master.wait("failures") { master.lines(Event.backoff).count >= 2 }
        folder.remove(file: "crash")
        try await master.wait("the memory log") { !folder.lines("memory").isEmpty }

        let address = try await master.statusAddress()
        var seen = [readFile(folder["stderr"]) ?? "", readFile(folder["memory"]) ?? ""]
        for path in ["/", "/status", "/metrics", "/events", "/healthz", "/readyz"] {
            let answer = try await master.curl(path, ["-H", "Accept: text/html"], at: address)
            #expect(answer.output.count > 5, "\(path)")
            seen.append(answer.output)
        }
        for command in ["status", "events"] {
            seen.append(try await master.command(command).output)
        }
        #expect(seen.filter { $0.contains("hidden-") } == [])
        #expect(try await master.stop() == .exited(0))
    }
}
