import Glibc
import Testing

/// Sockets of the master, and sockets that were passed in.
@Suite(.takesTurn) struct SocketTests {
    @Test func aUnixSocketIsRemovedOnStop() async throws {
        let folder = try Folder()
        let address = "unix:" + folder["web"]
        let master = try Supervise(["--bind", address, "--", Place.helloWorker])
        try await master.waitForWorkers(1)
        expectNoFailure(try await load(address, requests: 20, rate: 100), 20)
        #expect(try await master.stop() == .exited(0))
        #expect(!folder.exists("web"))
    }

    @Test func aDeadUnixSocketIsReplacedAndALiveOneRefused() async throws {
        let folder = try Folder()
        let arguments = ["--bind", "unix:" + folder["web"], "--", Place.helloWorker]
        var first: Supervise? = try Supervise(arguments)
        try await first?.waitForWorkers(1)
        let refused = try Supervise(arguments)
        #expect(try await refused.waitForExit() == .exited(1))
        try await first?.signal(SIGKILL)
        _ = try await first?.waitForExit()
        first = nil
        #expect(folder.exists("web"))
        let second = try Supervise(arguments)
        try await second.waitForWorkers(1)
        expectNoFailure(try await load("unix:" + folder["web"], requests: 5, rate: 100), 5)
    }

    @Test(.needsRoot) func anOwnerThatCannotBeGivenIsNamedAndLeavesNoFile() async throws {
        let folder = try Folder()
        let master = try Supervise(
            ["--bind", "unix:" + folder["web"], "--socket-owner", "root", "--", Place.helloWorker],
            wrapper: ["unshare", "--user"])
        #expect(try await master.waitForExit() == .exited(1))
        #expect(master.tail.contains("unix:" + folder["web"]))
        #expect(master.tail.contains("socket-owner: root: "))
        #expect(!folder.exists("web"))
    }

    @Test func aPassedSocketIsServedAndKept() async throws {
        let folder = try Folder()
        let master = try Supervise(
            ["--workers", "2", "--", Place.helloWorker],
            wrapper: ["python3", Place.client("activate"), folder["passed"], "self"])
        try await master.waitForWorkers(2)
        expectNoFailure(try await load("unix:" + folder["passed"], requests: 20, rate: 100), 20)
        #expect(try await master.stop() == .exited(0))
        #expect(folder.exists("passed"))
    }

    @Test func aSocketForAnotherIsNotTaken() async throws {
        let folder = try Folder()
        let master = try Supervise(
            ["--", "python3", Place.worker("job")], environment: ["JOB_SECONDS": "600"],
            wrapper: ["python3", Place.client("activate"), folder["passed"], "1"])
        let worker = try await master.waitForWorkers(1)[0]
        #expect(ProcessTable.environment(of: worker.pid)["LISTEN_FDS"] == nil)
        #expect(ProcessTable.sockets(of: worker.pid) == 0)
    }

    @Test func severalListenersComeInTheirOrder() async throws {
        let folder = try Folder()
        let master = try Supervise([
            "--bind", "unix:" + folder["a"], "--bind", "unix:" + folder["b"], "--",
            Place.helloWorker,
        ])
        let worker = try await master.waitForWorkers(1)[0]
        let variables = ProcessTable.environment(of: worker.pid)
        #expect(variables["LISTEN_FDS"] == "2" && variables["LISTEN_PID"] == "\(worker.pid)")
        for name in ["a", "b"] {
            expectNoFailure(try await load("unix:" + folder[name], requests: 5, rate: 100), 5)
        }
    }
}
