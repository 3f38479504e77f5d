import Glibc
import Testing

/// The workers' stdout and stderr.
@Suite(.takesTurn) struct OutputTests {
    /// A worker that writes as a shell script does.
    private static func shell(
        _ options: [String], _ script: String, folder: Folder? = nil
    ) throws -> Supervise {
        try Supervise(
            ["--name", "output"] + options + ["--", "sh", "-c", script], folder: folder)
    }

    private static func output(of master: Supervise) -> [Substring] {
        master.folder.lines("stderr").filter { $0.hasPrefix("[") }
    }

    @Test func prefixNamesTheWorkerOfEachLine() async throws {
        let master = try Self.shell(
            ["--output", "prefix", "--workers", "2"],
            "echo out; echo err >&2; echo '{\"a\":1}'; exec sleep 600")
        let workers = try await master.waitForWorkers(2)
        for worker in workers {
            try await master.wait("the lines of \(worker.pid)") {
                let prefix = "[default/\(worker.slot) \(worker.pid)] "
                return Self.output(of: master).filter { $0.hasPrefix(prefix) }
                    == ["\(prefix)out", "\(prefix)err"]
            }
        }
        #expect(master.folder.lines("stderr").count { $0 == "{\"a\":1}" } == 2)
        #expect(try await master.stop() == .exited(0))
    }

    @Test func theFinalOutputIsPartOfTheExit() async throws {
        let master = try Self.shell(
            [
                "--output", "prefix", "--backoff", "60s", "--backoff-max", "60s", "--on-event",
                "crash sh -c 'printf %s \"$SUPERVISE_EVENT_OUTPUT\" >>$STAND_IN_FOLDER/hook'",
            ],
            "echo first; echo 'last \u{1B}[31m' >&2; printf unfinished; exit 3")
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit["output"] == "first\nlast \\x1b[31m\nunfinished")
        // The lines precede the event.
        let lines = master.folder.lines("stderr")
        let last = try #require(lines.firstIndex { $0.hasSuffix(" unfinished") })
        let event = try #require(lines.firstIndex { $0.contains("\"exited\"") })
        #expect(last < event)
        try await master.wait("the hook") {
            master.folder.lines("hook").last == "unfinished"
        }
        let status = try await master.command("status")
        #expect(status.output.contains("    unfinished"), "\(status.output)")
    }

    @Test func aReloadReportsTheTraceback() async throws {
        let config = """
            bind = 127.0.0.1:0
            output = prefix
            command = \(Place.helloWorker)

            """
        let master = try Supervise(["--name", "output"], config: config)
        try await master.waitForWorkers(1)
        try master.folder.write(
            "supervise.conf",
            config.replacing(Place.helloWorker, with: "python3 -c 'import shp'"))
        let reload = try await master.command("reload", "--wait")
        #expect(reload.status == .exited(1))
        let reason = "exited with status 1: ModuleNotFoundError: No module named 'shp'"
        #expect(reload.errors.contains(reason), "\(reload.errors)")
        #expect(try await master.command("status").output.contains(reason))
        #expect(try await master.command("status", "--json").output.contains("Traceback"))
    }

    /// What a worker writes around an upgrade arrives once, in order, with whole lines.
    @Test func anUpgradeLosesNoOutput() async throws {
        let master = try Self.shell(
            ["--output", "prefix"],
            "i=0; while [ $i -lt 3000 ]; do printf 'line '; echo $i; i=$((i+1)); done; exec sleep 600"
        )
        try await master.waitForWorkers(1)
        for _ in 0..<3 {
            #expect(try await master.command("upgrade").status == .exited(0))
        }
        try await master.wait("the last line") {
            Self.output(of: master).last?.hasSuffix(" line 2999") ?? false
        }
        let numbers = Self.output(of: master).compactMap { $0.split(separator: " ").last }
        let expected = (0..<3000).map { Substring("\($0)") }
        let difference = zip(numbers, expected).first { $0 != $1 }
        #expect(numbers.count == 3000 && difference == nil, "\(difference as Any)\n\(master.tail)")
        #expect(try await master.stop() == .exited(0))
    }

    /// Nothing reads the master's stderr: the workers must not wait for it, with `block` not for ever.
    @Test(arguments: ["drop", "block"])
    func aStuckStderrBlocksNoWorkerForEver(overflow: String) async throws {
        let folder = try Folder()
        let script = """
            import os, sys
            for number in range(40000):
                os.write(1, b"x" * 99 + b"\\n")
            open(sys.argv[1], "w").close()
            import time
            time.sleep(60)
            """
        // The shell's pipe has a reader that never reads.
        let master = try Cage(
            [
                "sh", "-c", "\"$@\" 2>&1 >/dev/null | sleep 600", "sh", Place.supervise, "--name",
                "stuck", "--output", "prefix", "--output-overflow", overflow, "--",
                "python3", "-c", script, folder["done"],
            ],
            environment: baseEnvironment.merging(["XDG_RUNTIME_DIR": folder.path]) { $1 },
            output: folder["out"], errors: folder["err"])
        try await eventually("the end of the output", within: .seconds(40)) {
            folder.exists("done")
        }
        let status = try await run(
            [Place.supervise, "status", "--json"],
            environment: ["XDG_RUNTIME_DIR": folder.path])
        let counts = try #require(try status.json["master"] as? [String: Any])
        #expect(counts["output_lines_dropped"] as? Int ?? 0 > 20000)
        withExtendedLifetime(master) {}
    }

    @Test func aFileReceivesTheOutputOfItsSlot() async throws {
        let folder = try Folder()
        let master = try Self.shell(
            ["--workers", "2", "--output", "\(folder.path)/{pool}-{slot}.log"],
            "echo $SUPERVISE_WORKER_SLOT; exec sleep 600", folder: folder)
        try await master.waitForWorkers(2)
        for slot in 0..<2 {
            try await master.wait("the file of slot \(slot)") {
                folder.lines("default-\(slot).log") == ["\(slot)"]
            }
        }
    }

    @Test func noneDiscardsTheOutput() async throws {
        let master = try Self.shell(
            ["--output", "none"], "echo discarded; echo discarded >&2; exec sleep 600")
        let worker = try #require(try await master.waitForWorkers(1).first)
        for number in 1...2 {
            #expect(ProcessTable.descriptors(of: worker.pid)["\(number)"] == "/dev/null")
        }
        #expect(!master.folder.lines("stderr").contains { $0.contains("discarded") })
    }

    /// nginx opens the file of its log by name, as the user of the worker.
    @Test(.needs("nginx"), .enabled(if: getuid() == 0, "needs root"))
    func nginxOpensStderrAsAnotherUser() async throws {
        let folder = try Folder()
        chmod(folder.path, 0o777)
        let port = try freePort()
        let path = try folder.write(
            "nginx.conf",
            """
            daemon off;
            pid \(folder.path)/pid;
            error_log /dev/stderr notice;
            events {}
            http {
                access_log /dev/stdout;
                client_body_temp_path \(folder.path)/body; proxy_temp_path \(folder.path)/proxy;
                fastcgi_temp_path \(folder.path)/fastcgi; uwsgi_temp_path \(folder.path)/uwsgi;
                scgi_temp_path \(folder.path)/scgi;
                server { listen 127.0.0.1:\(port); location / { return 200 "ok"; } }
            }
            """)
        let master = try Supervise(
            [
                "--name", "nginx", "--output", "prefix", "--user", "65534", "--bind",
                "127.0.0.1:\(port)", "--", "nginx", "-e", "/dev/stderr", "-c", path,
            ], folder: folder)
        try await master.waitForEvent(Event.ready)
        expectNoFailure(try await load("127.0.0.1:\(port)", requests: 5, rate: 50), 5)
        try await master.wait("the access log") {
            Self.output(of: master).count { $0.contains("\"GET /") } >= 5
        }
        #expect(Self.output(of: master).contains { $0.contains("[notice]") })
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
    }
}
