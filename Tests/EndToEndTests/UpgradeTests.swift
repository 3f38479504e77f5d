import Foundation
import Testing

/// USR2 and `supervise upgrade`: the master becomes another program, and clients notice nothing.
@Suite(.takesTurn) struct UpgradeTests {
    /// A master whose program is a symbolic link, as in a deployment that switches between
    /// versions.
    private static func linked(
        _ options: [String], environment: [String: String] = [:], config: String? = nil
    ) throws -> Supervise {
        let folder = try Folder()
        let program = folder["program"]
        try #require(symlink(Place.supervise, program) == 0)
        return try Supervise(
            options, environment: environment, config: config, program: [program], folder: folder)
    }

    /// A command for the master that takes a while.
    private static func command(_ words: [String], of master: Supervise) throws -> Cage {
        try Cage(
            [Place.supervise] + words,
            environment: baseEnvironment.merging(["XDG_RUNTIME_DIR": master.folder.path]) { $1 },
            output: master.folder["output"], errors: master.folder["errors"])
    }

    /// Replaces the program by a shell script. `$real` is the real program.
    private static func replace(_ master: Supervise, by script: String) throws {
        master.folder.remove(file: "program")
        let text =
            "#!/bin/sh\nreal=\(Place.supervise)\nself=\(master.folder["program"])\n\(script)\n"
        chmod(try master.folder.write("program", text), 0o755)
    }

    @Test(.takesLongTurn) func twentyUpgradesUnderLoadLoseNothing() async throws {
        let master = try Supervise.hello(["--workers", "2"])
        let before = try await master.waitForWorkers(2)
        let pid = try await master.pid()
        #expect(try await master.command("upgrade").status == .exited(0))
        let descriptors = try await master.openDescriptors()
        let client = try LoadClient(try await master.address(), rate: 200)
        try await client.begun()
        for _ in 0..<20 {
            let result = try await master.command("upgrade")
            #expect(result.status == .exited(0), "\(result.errors)\(master.tail)")
            #expect(result.output.hasPrefix("upgraded from version "))
        }
        expectNoFailure(try await client.end())
        #expect(try await master.pid() == pid)
        #expect(try await master.workers() == before)
        #expect(try await master.openDescriptors() == descriptors)
        let status = try await master.command("status", "--json").json
        let counts = try #require(status["master"] as? [String: Any])
        #expect(counts["upgrades"] as? Int == 21 && counts["upgrades_failed"] as? Int == 0)
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    @Test func operationsInProgressContinue() async throws {
        let master = try Supervise.web([
            "--workers", "2", "--max-requests", "50", "--stable-after", "1s", "--pidfile",
            "/dev/shm/supervise-\(UUID().uuidString).pid",
        ])
        let before = try await master.waitForWorkers(2)
        try master.folder.write("hang", "")
        let reload = try Self.command(["reload", "--wait"], of: master)
        try await master.wait("the canary's boot") { master.roster.count(of: "boot") == 3 }
        try await master.signal(SIGUSR2)
        try await master.waitForEvent("upgraded")
        // The canary is still running, and clients that wait for the verdict receive it.
        #expect(master.lines(Event.reloadAborted).isEmpty)
        master.folder.remove(file: "hang")
        let verdict = try await eventually("the verdict") { reload.status }
        #expect(verdict == .exited(0), "\(master.folder.lines("errors"))")
        try await master.waitForWorkers(2, without: before)
        // Counting and recycling work as well.
        _ = try await load(try await master.address(), requests: 150, rate: 150)
        try await master.waitForLog("a recycling") {
            $0.event == Event.retiring && $0["cause"] == "max-requests"
        }
        #expect(try await master.stop() == .exited(0))
    }

    @Test func anUnreportedExitIsDetected() async throws {
        let master = try Supervise.hello(["--workers", "2"])
        let before = try await master.waitForWorkers(2)
        // Both signals are handled in the same loop iteration of a suspended master.
        try await master.signal(SIGSTOP)
        kill(before[0].pid, SIGKILL)
        try await master.signal(SIGUSR2)
        try await master.signal(SIGCONT)
        try await master.waitForEvent("upgraded")
        let after = try await master.waitForWorkers(2, without: [before[0]])
        kill(after[0].pid, SIGKILL)
        try await master.waitForWorkers(2, without: [after[0]])
    }

    @Test func aProgramThatCannotTakeOverDoesNot() async throws {
        let master = try Self.linked([
            "--bind", "127.0.0.1:0", "--workers", "2", "--", Place.helloWorker,
        ])
        let before = try await master.waitForWorkers(2)
        let refusals = [
            ("exit 0", "it exited without a response"),
            ("[ $1 = __probe ] && echo 'refused of its age' >&4", "of its age"),
            ("verb=$1; shift; exec \"$real\" $verb --no-such-option \"$@\"", "no-such-option"),
            ("[ $1 = __probe ] && \"$real\" \"$@\" && chmod 000 \"$self\"", "Permission denied"),
        ]
        for (script, reason) in refusals {
            try Self.replace(master, by: script)
            let result = try await master.command("upgrade")
            #expect(result.status == .exited(1), "\(master.tail)")
            #expect(result.errors.contains(reason), "\(result.errors)")
            try await master.waitForLog("why not") {
                $0.event == "upgrade-failed" && $0.mentions(reason)
            }
        }
        master.folder.remove(file: "program")
        let gone = try await master.command("upgrade")
        #expect(gone.errors.contains("No such file"))
        #expect(try await master.workers() == before)
        expectNoFailure(try await load(try await master.address(), requests: 20, rate: 100), 20)
        // A worker that starts after all that inherits none of the kept descriptors.
        kill(before[0].pid, SIGKILL)
        let after = try await master.waitForWorkers(2, without: [before[0]])
        let known = Set(before.map { ProcessTable.descriptors(of: $0.pid).count })
        #expect(after.allSatisfy { known.contains(ProcessTable.descriptors(of: $0.pid).count) })

        try #require(symlink(Place.supervise, master.folder["program"]) == 0)
        #expect(try await master.command("upgrade").status == .exited(0))
        #expect(try await master.stop() == .exited(0))
    }

    /// Programs that pass the trial and still fail, by an error in one step or another.
    @Test(arguments: [
        ("set -- --no-such-option \"$@\"", "no-such-option"), ("set --", "command line"),
    ])
    func aProgramThatFailsHalfWayIsTakenBack(words: String, reason: String) async throws {
        let master = try Self.linked(["--bind", "127.0.0.1:0", "-w", "2", "--", Place.helloWorker])
        let before = try await master.waitForWorkers(2)
        let pid = try await master.pid()
        #expect(try await master.command("upgrade").status == .exited(0))
        let descriptors = try await master.openDescriptors()
        let client = try LoadClient(try await master.address(), rate: 100)
        try await client.begun()
        try Self.replace(
            master,
            by: "[ $1 = __probe ] && exec \"$real\" \"$@\"; handed=$2; shift 2; "
                + "\(words); exec \"$real\" __resume $handed \"$@\"")
        for _ in 0..<2 {
            let result = try await master.command("upgrade")
            #expect(result.status == .exited(1), "\(master.tail)")
            #expect(result.errors.contains(reason), "\(result.errors)")
        }
        #expect(try await master.pid() == pid)
        #expect(try await master.workers() == before)
        expectNoFailure(try await client.end())
        let after = try await master.openDescriptors()
        #expect(after <= descriptors, "\(after), \(descriptors)")
        let counts = try #require(
            try await master.command("status", "--json").json["master"] as? [String: Any])
        #expect(counts["upgrades"] as? Int == 1 && counts["upgrades_failed"] as? Int == 2)
        master.folder.remove(file: "program")
        try #require(symlink(Place.supervise, master.folder["program"]) == 0)
        #expect(try await master.command("upgrade").status == .exited(0))
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    /// A program that hangs while it takes over is ended by a timer. A library makes it hang at the
    /// creation of the master's epoll set.
    @Test(.needsStaticServer, .takesLongTurn)
    func aProgramThatHangsHalfWayIsTakenBack() async throws {
        let master = try Self.linked(["--bind", "127.0.0.1:0", "-w", "2", "--", Place.helloWorker])
        let before = try await master.waitForWorkers(2)
        let pid = try await master.pid()
        let library = master.folder["hang.so"]
        let source = try master.folder.write(
            "hang.c",
            """
            #include <stdlib.h>
            #include <unistd.h>
            __attribute__((constructor)) static void forget(void) { unsetenv("LD_PRELOAD"); }
            int epoll_create1(int flags) { for (;;) pause(); }
            """)
        try #require(runs("cc", "-shared", "-fPIC", "-o", library, source))
        try Self.replace(
            master,
            by: "[ $1 = __probe ] && exec \"$real\" \"$@\"; "
                + "LD_PRELOAD=\(library) exec \"$real\" \"$@\"")
        let client = try LoadClient(try await master.address(), rate: 100)
        try await client.begun()
        let result = try await master.command("upgrade")
        #expect(result.status == .exited(1), "\(master.tail)")
        #expect(result.errors.contains("in time"), "\(result.errors)")
        #expect(try await master.pid() == pid)
        #expect(try await master.workers() == before)
        expectNoFailure(try await client.end())
        kill(before[0].pid, SIGKILL)
        try await master.waitForWorkers(2, without: [before[0]])
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    /// Changes the settings while the next program is on trial, which runs `first` before.
    private static func changeDuringTrial(
        _ first: String = ""
    ) async throws -> (master: Supervise, before: [Supervise.WorkerProcess]) {
        let config = "bind = 127.0.0.1:0\ncommand = \(Place.helloWorker)\n"
        let master = try linked([], config: config)
        let before = try await master.waitForWorkers(1)
        try master.folder.write("hold", "")
        try replace(
            master,
            by: first + "[ $1 = __probe ] && echo trial >>\"$self.trials\" && "
                + "while [ -e '\(master.folder["hold"])' ]; do sleep 0.05; done; "
                + "exec \"$real\" \"$@\"")
        try await master.signal(SIGUSR2)
        try await master.wait("the trial") { master.folder.lines("program.trials").count == 1 }
        try master.folder.write("supervise.conf", config + "env = NEW=1\n")
        try await master.signal(SIGHUP)
        try await master.waitForEvent(Event.reloadComplete)
        master.folder.remove(file: "hold")
        return (master, before)
    }

    /// The new program must understand the settings that are in force when it takes over.
    @Test func settingsThatChangedSinceTheTrialAreTriedToo() async throws {
        let (master, before) = try await Self.changeDuringTrial()
        try await master.waitForEvent("upgraded")
        #expect(master.folder.lines("program.trials").count == 2)
        let after = try await master.waitForWorkers(1, without: before)
        #expect(ProcessTable.environment(of: after[0].pid)["NEW"] == "1")
        #expect(try await master.stop() == .exited(0))
    }

    /// A program that does not understand the newest settings does not take over.
    @Test func settingsThatTheNextProgramRejectsPreventTheUpgrade() async throws {
        let (master, _) = try await Self.changeDuringTrial(
            "[ -e \"$self.trials\" ] && echo 'refused of the new settings' >&4 && exit; ")
        try await master.waitForLog("the refusal") {
            $0.event == "upgrade-failed" && $0.mentions("of the new settings")
        }
        #expect(try await master.stop() == .exited(0))
    }

    @Test func aProgramThatHangsInTheTrialIsOverruledByAStop() async throws {
        let master = try Self.linked(["--bind", "127.0.0.1:0", "--", Place.helloWorker])
        try await master.waitForWorkers(1)
        try Self.replace(master, by: "exec sleep 1000")
        try await master.signal(SIGUSR2)
        try await master.waitForEvent("upgrade-started")
        #expect(try await master.stop() == .exited(0))
        try await master.waitForEvent("upgrade-failed")
        #expect(master.leftBehind.isEmpty)
    }

    @Test func filesStayAndGoWithTheMaster() async throws {
        let folder = try Folder()
        let master = try Supervise(
            [
                "--bind", "unix:\(folder["app.sock"])", "--pidfile", folder["pid"], "--log-file",
                folder["log"], "--log-format", "json", "--status-bind",
                "unix:\(folder["status.sock"])", "--", Place.helloWorker,
            ], folder: folder)
        try await eventually("a worker") {
            folder.lines("log").contains { $0.contains("\"event\":\"ready\"") }
        }
        try await master.signal(SIGUSR2)
        try await eventually("the upgrade") {
            folder.lines("log").contains { $0.contains("\"event\":\"upgraded\"") }
        }
        #expect(readFile(folder["pid"]) == "\(try await master.pid())\n")
        #expect(try await get("/", from: "unix:\(folder["app.sock"])") != nil)
        #expect(try await get("/readyz", from: "unix:\(folder["status.sock"])") != nil)
        #expect(try await master.stop() == .exited(0))
        for name in ["app.sock", "pid", "status.sock", "supervise/hello-worker.sock"] {
            #expect(!folder.exists(name), "\(name)")
        }
        #expect(folder.lines("log").last?.contains("\"event\":\"master-stopped\"") == true)
    }

    @Test func theServiceManagerGetsNoNewMessage() async throws {
        let systemd = try await ServiceManager()
        let master = try Supervise.hello(environment: ["NOTIFY_SOCKET": systemd.address])
        try await systemd.waitForStates(["READY=1"])
        try await master.signal(SIGUSR2)
        try await master.waitForEvent("upgraded")
        try await master.signal(SIGHUP)
        try await systemd.waitForStates(["READY=1", "RELOADING=1", "READY=1"])
        let pid = try await master.pid()
        #expect(systemd.messages.allSatisfy { $0.pid == pid })
    }

    @Test func followersKeepFollowing() async throws {
        let master = try Supervise.hello()
        let before = try await master.waitForWorkers(1)
        let follower = try Self.command(["events", "--follow", "--json"], of: master)
        func followed() -> [String] { master.folder.lines("output").map(String.init) }
        try await master.wait("what has happened") { !followed().isEmpty }
        try await master.signal(SIGUSR2)
        try await master.waitForEvent("upgraded")
        kill(before[0].pid, SIGKILL)
        try await master.wait("what happens after") {
            followed().contains { $0.contains("\"KILL\"") }
        }
        let numbers = followed().compactMap { line in
            line.firstMatch(of: /"sequence":(\d+)/).flatMap { Int($0.1) }
        }
        #expect(numbers == Array(1...numbers.count))
        #expect(follower.status == nil)
    }

    /// The filter on its bind(2) was received by the previous program.
    @Test func aWorkerThatBindsLaterIsAnsweredByTheNewProgram() async throws {
        let folder = try Folder()
        let script = """
            import http.server, os, time
            while not os.path.exists(os.environ["GO_FILE"]):
                time.sleep(0.01)
            port = int(os.environ["SERVER_STARTER_PORT"].split("=")[0].split(":")[1])
            handler = http.server.SimpleHTTPRequestHandler
            http.server.HTTPServer(("127.0.0.1", port), handler).serve_forever()
            """
        let master = try Supervise(
            [
                "--bind", "127.0.0.1:0", "--adopt", "seccomp", "--", "python3", "-c", script,
            ], environment: ["GO_FILE": folder["go"]])
        let started = try await master.waitForEvent(Event.started)
        try await master.signal(SIGUSR2)
        try await master.waitForEvent("upgraded")
        try folder.write("go", "")
        try await master.waitForEvent("adopted")
        let workers = try await master.waitForWorkers(1)
        #expect(workers.map(\.pid) == [try #require(started.pid)])
        #expect(try await get("/", from: try await master.address()) != nil)
        #expect(try await master.stop() == .exited(0))
    }
}
