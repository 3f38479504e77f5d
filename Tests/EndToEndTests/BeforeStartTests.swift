import Glibc
import Testing

/// `before-start`: a command that runs once per generation before its workers.
@Suite(.takesTurn) struct BeforeStartTests {
    private static func config(_ command: String, _ rest: String = "") -> String {
        """
        bind = 127.0.0.1:0
        workers = 2
        before-start = \(command)
        \(rest)
        command = \(Place.helloWorker)

        """
    }

    @Test func runsOncePerGenerationBeforeTheWorkers() async throws {
        let master = try Supervise(
            ["--name", "web"],
            config: Self.config("sh -c 'echo migrated; echo x >>$STAND_IN_FOLDER/runs; sleep 0.5'"))
        let before = try await master.waitForWorkers(2)
        let started = try #require(master.log.firstIndex { $0.event == "started" })
        let ended = try #require(master.log.firstIndex { $0.event == "before-start-ended" })
        #expect(ended < started)
        #expect(master.folder.lines("runs") == ["x"])
        let line = /\[default\/before-start \d+\] migrated/
        #expect(master.folder.lines("stderr").contains { $0.wholeMatch(of: line) != nil })
        #expect(try await master.command("reload", "--wait").status == .exited(0))
        try await master.waitForWorkers(2, without: before)
        #expect(master.folder.lines("runs") == ["x", "x"])
    }

    @Test func aFailureEndsTheStart() async throws {
        let master = try Supervise(
            ["--name", "web"],
            config: Self.config("sh -c 'echo no such table >&2; exit 4'"))
        #expect(try await master.waitForExit() == .exited(3))
        let line = try #require(master.log.first { $0.event == "startup-failed" })
        #expect(
            line["message"] == "pool default: before-start exited with status 4: no such table")
        #expect(!master.log.contains { $0.event == "started" })
    }

    @Test(arguments: ["/no/such/program", "sh -c 'exec sleep 60'"])
    func aFailureAbortsAReload(command: String) async throws {
        let master = try Supervise(
            ["--name", "web"], config: Self.config("true"))
        let before = try await master.waitForWorkers(2)
        try master.folder.write(
            "supervise.conf", Self.config(command, "before-start-timeout = 300ms"))
        let reload = try await master.command("reload", "--wait")
        #expect(reload.status == .exited(1))
        #expect(reload.errors.contains("before-start"), "\(reload.errors)")
        #expect(try await master.workers() == before)
        try master.folder.write("supervise.conf", Self.config("true"))
        #expect(try await master.command("reload", "--wait").status == .exited(0))
        try await master.waitForWorkers(2, without: before)
    }

    /// A second reload waits for the command, then reads the newest configuration.
    @Test func aSecondReloadWaits() async throws {
        let master = try Supervise(["--name", "web"], config: Self.config("true"))
        let before = try await master.waitForWorkers(2)
        let slow =
            "sh -c 'echo $$ >>$STAND_IN_FOLDER/slow; while ! test -e $STAND_IN_FOLDER/go; "
            + "do sleep 0.05; done'"
        try master.folder.write("supervise.conf", Self.config(slow))
        try await master.signal(SIGHUP)
        try await master.wait("the command") { master.folder.lines("slow").count == 1 }
        try master.folder.write(
            "supervise.conf", Self.config("true").replacing("workers = 2", with: "workers = 3"))
        try await master.signal(SIGHUP)
        try master.folder.write("go", "")
        try await master.waitForWorkers(3, without: before)
        #expect(master.folder.lines("slow").count == 1)
    }

    @Test func aStopEndsTheCommand() async throws {
        let master = try Supervise(
            ["--name", "web"],
            config: Self.config(
                "sh -c 'trap \"echo rolled back; exit 1\" TERM; echo x >$STAND_IN_FOLDER/run; "
                    + "while :; do sleep 0.05; done'"))
        try await master.wait("the command") { master.folder.lines("run") == ["x"] }
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        #expect(master.folder.lines("stderr").contains { $0.hasSuffix(" rolled back") })
        #expect(master.leftBehind.isEmpty)
    }

    @Test func slotAndPoolAreFilledInInVariables() async throws {
        let master = try Supervise([
            "--name", "web", "--workers", "2", "--env", "WHO={pool}-{slot}", "--env", "OTHER={x}",
            "--output", "prefix", "--", "sh", "-c", "echo $WHO $OTHER; exec sleep 60",
        ])
        try await master.waitForWorkers(2)
        for slot in 0..<2 {
            try await master.wait("slot \(slot)") {
                master.folder.lines("stderr").contains { $0.hasSuffix("] default-\(slot) {x}") }
            }
        }
    }
}
