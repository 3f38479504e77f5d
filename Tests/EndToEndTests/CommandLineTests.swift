import Glibc
import Testing

/// Typical command lines, and the exit codes.
@Suite(.takesTurn) struct CommandLineTests {
    @Test func theReadmesWebServer() async throws {
        let master = try Supervise([
            "--bind", "127.0.0.1:0", "--workers", "2", "--max-requests", "1000",
            "--max-requests-jitter", "100", "--", "python3", Place.exampleApp,
        ])
        let workers = try await master.waitForWorkers(2)
        #expect(workers.allSatisfy { $0.pool == "default" && (1000...1100).contains($0.limit) })
        let result = try await load(try await master.address(), requests: 50, rate: 100)
        expectNoFailure(result, 50)
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    @Test func theReadmesJob() async throws {
        let master = try Supervise(
            ["--max-lifetime", "60s", "--", "python3", Place.worker("job")],
            environment: ["JOB_SECONDS": "600"])
        try await master.waitForWorkers(1)
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    @Test func theLogIsLogfmtWithoutATerminal() async throws {
        let master = try Supervise.hello(environment: ["SUPERVISE_LOG_FORMAT": ""])
        let line = try await master.waitForEvent(Event.listening)
        #expect(line.description.hasPrefix("time=") && line["level"] == "info")
        #expect(try await master.stop() == .exited(0))
    }

    @Test(arguments: [("text", "limit=1.0M"), ("logfmt", "limit=1048576")])
    func memoryIsRoundedForPeopleOnly(format: String, limit: String) async throws {
        let master = try Supervise(
            ["--max-rss", "1M", "--log-format", format, "--", "python3", Place.worker("job")],
            environment: ["JOB_SECONDS": "600"])
        try await master.wait("the alarm") { master.tail.contains("memory-alarm") }
        #expect(master.tail.contains(" rss=") && master.tail.contains(" \(limit) "))
    }

    @Test func allConfigErrorsAreReportedTogether() async throws {
        let config = """
            workers = lots
            max-request = 100
            [pool web]
            max-rss = 12Q
            bind = 127.0.0.1:0
            """
        let master = try Supervise([], config: config)
        #expect(try await master.waitForExit() == .exited(2))
        let path = master.folder["supervise.conf"]
        for place in ["\(path):1:", "\(path):2:", "\(path):4:", "max-requests"] {
            #expect(master.tail.contains(place), "\(place) in \(master.tail)")
        }
    }

    @Test func anUnknownOptionNamesItsNeighbour() async throws {
        let master = try Supervise(["--max-request", "3", "--", "true"])
        #expect(try await master.waitForExit() == .exited(2))
        #expect(master.tail.contains("max-requests"))
    }

    @Test func aTakenAddressIsNamedAndItsHolder() async throws {
        let folder = try Folder()
        let first = try Supervise.hello(["--bind", "unix:\(folder["web.sock"])"])
        let pid = try await first.pid()
        for address in [try await first.address(), "unix:\(folder["web.sock"])"] {
            let second = try Supervise(["--bind", address, "--", Place.helloWorker])
            #expect(try await second.waitForExit() == .exited(1))
            #expect(
                second.tail.contains(
                    "\(address): Address already in use; supervise (pid \(pid)) listens there"),
                "\(second.tail)")
        }
        #expect(try await first.stop() == .exited(0))
    }

    @Test(.needsRoot) func aPrivilegedPortNamesWhatItTakes() async throws {
        let master = try Supervise(
            ["--control", "none", "--bind", "127.0.0.1:81", "--", Place.helloWorker],
            // If ports below 1024 are unprivileged here, they are not in a new network namespace.
            wrapper: ["unshare", "--net", "setpriv", "--bounding-set=-net_bind_service"])
        #expect(try await master.waitForExit() == .exited(1))
        #expect(
            master.tail.contains("Permission denied; ports below 1024 need CAP_NET_BIND_SERVICE"),
            "\(master.tail)")
        #expect(master.tail.contains("systemd passes in"))
    }

    @Test(arguments: [
        ("no-such-program", "not found in PATH (/usr/local/sbin:"),
        ("/no/such/program", "/no/such/program does not exist"),
        ("/etc/passwd", "/etc/passwd is not executable"),
        ("/etc", "/etc is a directory, not a program"),
        ("sleep 60", "the quotes around the whole command"),
        ("script", "/no/such/interpreter, does not exist"),
        ("crlf", "ends with a carriage return"),
        ("text", "Exec format error; the file lacks a #! line"),
    ])
    func aCommandThatCannotRun(program: String, text: String) async throws {
        let folder = try Folder()
        let contents = [
            "script": "#!/no/such/interpreter\n", "crlf": "#!/bin/sh\r\n", "text": "hello\n",
        ]
        var program = program
        if let content = contents[program] {
            program = try folder.write(program, content)
            chmod(program, 0o755)
        }
        let master = try Supervise(["--bind", "127.0.0.1:0", "--", program], folder: folder)
        #expect(try await master.waitForExit() == .exited(14))
        let line = try #require(master.lines("startup-failed").first)
        #expect(line["step"] == "exec \(program)" && line.mentions(text), "\(line)")
    }

    @Test func checkWarnsOfWhatIsNotThere() async throws {
        let folder = try Folder()
        let path = try folder.write(
            "shop.conf",
            """
            log-file = /no/such/log
            pidfile = run/pid
            on-event = crash no-such-hook
            [pool web]
            bind = unix:/no/socket
            command = no-such-program
            memory-log = /no/memory/log
            [pool jobs]
            chdir = jobs
            command = ./job
            [pool good]
            chdir = /tmp
            log-level = "info"
            command = sleep 60
            """.replacing("log-level = \"info\"\n", with: ""))
        let result = try await run([Place.supervise, "check", "--config", path])
        #expect(result.status == .exited(0))
        let warnings = result.errors.split(separator: "\n").map {
            $0.replacing("supervise: warning: ", with: "")
        }
        #expect(warnings[0] == "log-file: the directory /no/such does not exist")
        #expect(
            warnings[1].hasPrefix("pidfile: the directory /") && warnings[1].contains("/run does"))
        #expect(warnings[2].hasPrefix("on-event: no-such-hook: not found in PATH ("))
        #expect(warnings[3].hasPrefix("pool web: command: no-such-program: not found in PATH ("))
        #expect(warnings[4] == "pool web: memory-log: the directory /no/memory does not exist")
        #expect(warnings[5] == "pool web: bind: the directory /no does not exist")
        #expect(warnings[6].hasPrefix("pool jobs: chdir: the directory /"))
        #expect(warnings.count == 7, "\(warnings)")
    }

    @Test(arguments: [
        (["--log-file", "/no/such/log"], 1, "log-file: /no/such/log: No such file or directory"),
        (["--pidfile", "/etc/passwd"], 1, "pidfile: /etc/passwd: is no pid file"),
        (["--pidfile", "/no/such/pid"], 1, "pidfile: /no/such/pid: No such file or directory"),
        (["--chdir", "/no/such"], 14, "/no/such: No such file or directory"),
        (["--chdir", "no/such"], 14, "/no/such: No such file or directory"),
        (["--limit-nofile", "99999999999"], 14, "limit-nofile 99999999999: Operation not"),
    ])
    func aStartThatFailsNamesTheSetting(arguments: [String], code: Int, text: String) async throws {
        let master = try Supervise(arguments + ["--", "sleep", "60"])
        #expect(try await master.waitForExit() == .exited(code))
        #expect(master.tail.contains(text), "\(master.tail)")
        if code == 14 { #expect(master.firstEvent == "master-started") }
        if arguments[0] == "--chdir" {
            #expect(master.log.contains { $0.event == "start-failed" && $0["step"] == "chdir" })
        }
    }

    /// In a user namespace without a mapping, no process is root, even if root runs the tests.
    @Test(.needsRoot, arguments: ["run", "check"])
    func onlyRootRunsWorkersAsSomebodyElse(verb: String) async throws {
        let master = try Supervise(
            [verb, "--user", "root", "--", "sleep", "60"], wrapper: ["unshare", "--user"])
        #expect(try await master.waitForExit() == .exited(2))
        #expect(
            master.tail.contains(
                "user: root: a master without CAP_SETUID and CAP_SETGID (which root has) cannot run "
                    + "workers as another user"))
    }

    @Test func printErrorsAreReported() async throws {
        let master = try Supervise(
            [], wrapper: ["sh", "-c", "exec \"$0\" check -- true >/dev/full"])
        #expect(try await master.waitForExit() == .exited(1))
        #expect(master.tail == "supervise: standard output: No space left on device")
    }

    @Test func aFirstStartThatFailsGivesUp() async throws {
        let master = try Supervise([
            "--bind", "127.0.0.1:0", "--workers", "2", "--boot-attempts", "3", "--backoff", "10ms",
            "--", "sh", "-c", "exit 1",
        ])
        #expect(try await master.waitForExit() == .exited(13))
        let exits = master.log.filter { $0.event == Event.exit }
        #expect(master.firstEvent == "master-started")
        #expect(exits.count >= 6 && exits.allSatisfy { $0["requests"] == nil })
        #expect(master.log.contains { $0.event == "startup-failed" && $0["boot_attempts"] == "3" })
    }

    @Test(arguments: [
        ("never", "0", 0), ("never", "3", 15), ("on-failure", "0", 0), ("on-failure", "3", nil),
        ("always", "0", nil), ("always", "3", nil),
    ])
    func jobsThatFinish(restart: String, status: String, code: Int?) async throws {
        let folder = try Folder()
        let master = try Supervise(
            [
                "--workers", "2", "--restart", restart, "--backoff", "10ms",
                // These exit before they are ready, and the master exits if jobs always fail.
                "--boot-attempts", "1000", "--", "python3", Place.worker("job"),
            ],
            environment: ["JOB_STATUS": status, "JOB_STARTS": folder["starts"]])
        if let code {
            #expect(try await master.waitForExit() == .exited(code))
            #expect(folder.lines("starts").count == 2)
        } else {
            try await master.wait("replacements") { folder.lines("starts").count >= 6 }
            #expect(try await master.stop() == .exited(0))
        }
    }

    @Test func aLivePidfileRefusesAndAStaleOneIsReused() async throws {
        let folder = try Folder()
        let pidfile = try folder.write("pid", "4194303\n")
        let arguments = ["--bind", "127.0.0.1:0", "--pidfile", pidfile, "--", Place.helloWorker]
        let first = try Supervise(arguments)
        try await first.waitForWorkers(1)
        let pid = try await first.pid()
        #expect(folder.lines("pid").first.flatMap { pid_t($0) } == pid)

        let second = try Supervise(arguments)
        #expect(try await second.waitForExit() == .exited(1))
        #expect(second.tail.contains("\(pid)"))
        #expect(folder.lines("pid").first.flatMap { pid_t($0) } == pid)
        #expect(try await first.stop() == .exited(0))
        #expect(!folder.exists("pid"))
    }
}
