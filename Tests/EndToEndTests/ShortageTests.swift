import Glibc
import Testing

/// Shortages of the machine: starts wait until the resource is available again, and nothing else
/// does.
@Suite(.takesTurn) struct ShortageTests {
    private static let quick = ["--backoff", "100ms", "--backoff-max", "400ms"]
    /// Fewer than any master has open, so that no number below is free.
    private static let fewFiles = 8

    @Test func aForkThatIsRefusedIsTriedAgain() async throws {
        let folder = try Folder()
        let config =
            "[pool web]\nbind = 127.0.0.1:0\nworkers = 2\nbackoff = 100ms\nbackoff-max = 400ms\n"
            + "command = \(Place.helloWorker)\n"
        let master = try Supervise(
            [], config: config, wrapper: Supervise.asPlainUser, folder: folder)
        let before = try await master.waitForWorkers(2)
        try await master.limit(.processes, to: 1, as: Supervise.asPlainUser)
        kill(before[0].pid, SIGKILL)
        try await master.wait("several attempts") { master.lines("start-failed").count >= 4 }
        let failure = try #require(master.lines("start-failed").last)
        #expect(failure["step"] == "fork" && failure["level"] == "error")
        #expect(failure.mentions("Resource temporarily unavailable"))
        #expect(failure.mentions("ulimit -u") && failure.mentions("TasksMax="))

        // It waits between the attempts, and keeps serving with its workers.
        let switches = try await master.contextSwitches()
        let attempts = master.lines("start-failed").count
        try await Task.sleep(for: .seconds(2))
        #expect(master.lines("start-failed").count - attempts <= 6)
        #expect(try await master.contextSwitches() - switches < 60)
        expectNoFailure(try await load(try await master.address(), requests: 20, rate: 100), 20)
        #expect(
            try await master.command("status", wrapper: Supervise.asPlainUser).status
                == .exited(0))
        try await master.signal(SIGHUP)
        let refused = try await master.waitForEvent("config-error")
        #expect(refused.mentions("cannot start the process that reads the configuration"))
        #expect(try await master.workers() == [before[1]])

        try await master.limit(.processes, to: nil, as: Supervise.asPlainUser)
        try await master.waitForWorkers(2)
        try await master.signal(SIGHUP)
        try await master.waitForEvent(Event.reloadComplete)
        #expect(try await master.stop() == .exited(0))
    }

    /// A shortage is not a failure of the program, so `boot-attempts` does not count it.
    @Test func theFirstStartWaitsToo() async throws {
        let master = try Supervise(
            ["--bind", "127.0.0.1:0", "--boot-attempts", "2"] + Self.quick
                + ["--", Place.helloWorker],
            wrapper: Supervise.asPlainUser + ["prlimit", "--nproc=1:"])
        try await master.wait("several attempts") { master.lines("start-failed").count >= 5 }
        #expect(master.firstEvent == "master-started")
        try await master.limit(.processes, to: 10_000, as: Supervise.asPlainUser)
        try await master.waitForWorkers(1)
        #expect(try await master.stop() == .exited(0))
    }

    @Test func withoutDescriptorsAStartIsTriedAgain() async throws {
        let master = try Supervise.hello(Self.quick + ["--workers", "2"])
        let before = try await master.waitForWorkers(2)
        try await master.limit(.openFiles, to: Self.fewFiles)
        kill(before[0].pid, SIGKILL)
        try await master.wait("several attempts") { master.lines("start-failed").count >= 4 }
        let failure = try #require(master.lines("start-failed").last)
        #expect(failure.mentions("Too many open files") && failure.mentions("LimitNOFILE="))
        // A client of the control socket cannot be accepted and stays pending: the loop must not
        // spin.
        let client = try Cage(
            [Place.supervise, "status"],
            environment: baseEnvironment.merging(["XDG_RUNTIME_DIR": master.folder.path]) { $1 },
            output: master.folder["client"], errors: master.folder["client-errors"])
        try await Task.sleep(for: .seconds(1))
        let switches = try await master.contextSwitches()
        try await Task.sleep(for: .seconds(2))
        #expect(try await master.contextSwitches() - switches < 60)
        expectNoFailure(try await load(try await master.address(), requests: 20, rate: 100), 20)

        try await master.limit(.openFiles, to: nil)
        try await master.waitForWorkers(2)
        #expect(try await eventually("the answer") { client.status } == .exited(0))
        #expect(try await master.stop() == .exited(0))
    }

    /// It starts before the descriptors of its predecessor are closed, and once more after that if
    /// necessary.
    @Test func theDescriptorsOfAPredecessorAreEnough() async throws {
        let master = try Supervise(
            ["--workers", "2", "--stable-after", "0", "--ready", "exec", "--", "sleep", "600"])
        let before = try await master.waitForWorkers(2)
        let open = ProcessTable.descriptors(of: try await master.pid()).keys.compactMap { Int($0) }
        let limit = try #require(open.max()) + 1
        try #require(open.count == limit, "no number is free below the limit")
        try await master.limit(.openFiles, to: limit)
        kill(before[0].pid, SIGKILL)
        try await master.waitForWorkers(2, without: [before[0]])
        #expect(master.lines("start-failed").isEmpty)
        #expect(try await master.stop() == .exited(0))
    }

    /// It waits on its listener, which can be observed.
    @Test func withoutDescriptorsAWorkerGetsReady() async throws {
        let master = try Supervise(
            [
                "--bind", "127.0.0.1:0", "--adopt", "off", "--count", "off", "--", "sh", "-c",
                "sleep 2; python3 \(Place.worker("plain_worker")) epoll; exit 1",
            ])
        try await master.waitForEvent(Event.started)
        try await master.limit(.openFiles, to: Self.fewFiles)
        let ready = try await master.waitForEvent(Event.ready)
        #expect(ready["by"] == "listening")
    }

    @Test(arguments: [false, true])
    func withoutDescriptorsNothingIsLeftBehind(afterAnUpgrade: Bool) async throws {
        let folder = try Folder()
        let master = try Supervise(
            [
                "--ready", "exec", "--graceful-timeout", "1s", "--", "python3",
                Place.worker("family"), "child", "deaf", "child",
            ], environment: ["PIDS": folder["pids"]], folder: folder)
        try await master.wait("the family") { folder.lines("pids").count == 4 }
        let family = folder.lines("pids").compactMap { $0.split(separator: " ").first }
            .compactMap { pid_t($0) }
        let worker = try await master.waitForWorkers(1)[0]
        if afterAnUpgrade {
            try await master.signal(SIGUSR2)
            try await master.waitForEvent("upgraded")
        }
        try await master.limit(.openFiles, to: Self.fewFiles)
        kill(worker.pid, SIGKILL)
        try await master.wait("the end of the family") {
            !family.contains(where: ProcessTable.isAlive)
        }
        #expect(master.lines("orphans-found").count == 1)
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    /// Grandchildren in their own sessions are stopped with their worker.
    @Test func withoutDescriptorsATreeIsKilledWhole() async throws {
        let folder = try Folder()
        let master = try Supervise(
            [
                "--ready", "exec", "--graceful-timeout", "1s", "--stop-signal", "WINCH", "--", "sh",
                "-c", "setsid python3 \(Place.worker("family")) deaf deaf; true",
            ], environment: ["PIDS": folder["pids"]], folder: folder)
        try await master.wait("the family") { folder.lines("pids").count == 3 }
        try await master.limit(.openFiles, to: Self.fewFiles)
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    /// A child of the worker grows; the worker itself remains small.
    @Test func withoutDescriptorsMemoryIsKept() async throws {
        let grow =
            "import os, time\n"
            + "if os.fork() == 0:\n"
            + "    while not os.path.exists(os.environ['GO']): time.sleep(0.05)\n"
            + "    leak = bytearray(os.urandom(1 << 20)) * 150\n"
            + "time.sleep(600)"
        let folder = try Folder()
        let master = try Supervise(
            [
                "--ready", "exec", "--kill-rss", "120M", "--memory-interval", "100ms", "--",
                "python3", "-c", grow,
            ], environment: ["GO": folder["go"]], folder: folder)
        let worker = try await master.waitForWorkers(1)[0]
        try await master.limit(.openFiles, to: Self.fewFiles)
        try folder.write("go", "")
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit.pid == worker.pid && exit["cause"] == "kill-rss")
    }
}
