import Glibc
import Testing

/// Faults caused by parents, operators and machines, each of which did harm before.
@Suite(.takesTurn) struct FaultTests {
    @Test func anIgnoredChildSignalHidesNoExit() async throws {
        let master = try Supervise(
            ["--bind", "127.0.0.1:0", "--", Place.helloWorker],
            wrapper: [
                "python3", "-c",
                "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
                    + "os.execv(sys.argv[1], sys.argv[1:])",
            ])
        let worker = try await master.waitForWorkers(1)[0]
        kill(worker.pid, SIGKILL)
        try await master.waitForWorkers(1, without: [worker])
        #expect(try await master.stop() == .exited(0))
    }

    @Test func aStartThatFailsHalfWayLeavesNoFiles() async throws {
        let folder = try Folder()
        let first = try Supervise(["--bind", "127.0.0.1:0", "--", Place.helloWorker])
        let taken = try await first.address()
        let second = try Supervise([
            "--bind", "unix:" + folder["web"], "--bind", taken, "--pidfile", folder["pid"], "--",
            Place.helloWorker,
        ])
        #expect(try await second.waitForExit() == .exited(1))
        #expect(!folder.exists("web"))
        #expect(!folder.exists("pid"))
    }

    @Test func oneDescriptorUnderTwoNamesIsClosedOnce() async throws {
        let folder = try Folder()
        let master = try Supervise(
            ["--bind", "fd://3", "--bind", "systemd:web", "--", Place.helloWorker],
            environment: ["LISTEN_FDNAMES": "web"],
            wrapper: ["python3", Place.client("activate"), folder["passed"], "self"])
        try await master.waitForWorkers(1)
        #expect(try await master.stop() == .exited(0))
    }

    /// The number of a listener of the master itself, as a typing error.
    @Test func aReloadDoesNotAdoptWhatIsOurs() async throws {
        let folder = try Folder()
        func config(_ bind: String) -> String {
            "[pool web]\nbind = \(bind)\ncommand = \(Place.helloWorker)\n"
        }
        let master = try Supervise(
            [], config: config("unix:" + folder["web"]), folder: folder)
        let before = try await master.waitForWorkers(1)
        let listener = try #require(
            ProcessTable.descriptors(of: try await master.pid())
                .first { $0.value.hasPrefix("socket:") }?.key)
        try folder.write("supervise.conf", config("fd://\(listener)"))
        try await master.signal(SIGHUP)
        let line = try await master.waitForEvent("config-error")
        #expect(line["message"]?.contains("fd://\(listener)") == true)
        #expect(try await master.workers() == before)
        #expect(try await master.stop() == .exited(0))
    }

    @Test func aPassedSocketSurvivesAReloadThatDoesWithoutIt() async throws {
        let folder = try Folder()
        func config(_ bind: String) -> String {
            "[pool web]\nbind = \(bind)\ncommand = \(Place.helloWorker)\n"
        }
        let master = try Supervise(
            [], config: config("fd://3"),
            wrapper: ["python3", Place.client("activate"), folder["passed"], "self"],
            folder: folder)
        try await master.waitForWorkers(1)
        for bind in ["unix:" + folder["other"], "fd://3"] {
            let old = try await master.workers()
            try folder.write("supervise.conf", config(bind))
            try await master.signal(SIGHUP)
            try await master.waitForWorkers(1, without: old)
        }
        expectNoFailure(try await load("unix:" + folder["passed"], requests: 20, rate: 100), 20)
        #expect(!folder.exists("other"))
    }

    /// Master and worker are suspended for longer than the worker has to stop.
    @Test func lostTimeDoesNotCount() async throws {
        let master = try Supervise.web(
            ["--graceful-timeout", "2s"], environment: ["IGNORE_TERM": "1"])
        let worker = try await master.waitForWorkers(1)[0]
        let pid = try await master.pid()
        let asked = ContinuousClock.now
        try await master.signal(SIGTERM)
        try await master.waitForEvent("retiring")
        kill(pid, SIGSTOP)
        let paused = ContinuousClock.now
        kill(worker.pid, SIGSTOP)
        // This sleep is the subject of the test, not a wait for a condition.
        try await Task.sleep(for: .seconds(3))
        kill(worker.pid, SIGCONT)
        let resumed = ContinuousClock.now
        kill(pid, SIGCONT)
        try await master.waitForEvent("killed")
        // The worker has its two seconds, minus the rounding of the master.
        let ran = (paused - asked) + (ContinuousClock.now - resumed)
        #expect(ran > .milliseconds(1900))
        _ = try await master.waitForExit()
    }

    /// Each worker leaves a child behind at once; the master still handles its signals.
    @Test func aHundredFamiliesEndTogether() async throws {
        let master = try Supervise([
            "--workers", "100", "--ready", "exec", "--graceful-timeout", "5s", "--", "sh", "-c",
            "sleep 600 & wait",
        ])
        try await master.waitForWorkers(100)
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }
}
