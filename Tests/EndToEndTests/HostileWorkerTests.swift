import Glibc
import Testing

/// Hostile workers must not affect their master and their siblings.
@Suite(.takesTurn) struct HostileWorkerTests {
    @Test(arguments: ["flood", "rubbish", "silent", "stopped", "litter", "greedy"])
    func itHarmsNobodyElse(how: String) async throws {
        let master = try Supervise(
            [
                "--bind", "127.0.0.1:0", "--workers", "2", "--graceful-timeout", "1s",
                "--stable-after", "100ms", "--backoff", "100ms", "--limit-nofile", "256", "--",
                "python3", Place.worker("hostile"),
            ], environment: ["HOSTILE": how])
        try await master.wait("the sibling is ready") {
            master.lines(Event.ready).contains { $0["slot"] == "1" }
        }
        let sibling = try #require(try await master.workers().first { $0.slot == 1 })
        let descriptors = try await master.openDescriptors()
        // Meanwhile, the master handles all other requests.
        for _ in 0..<5 {
            let status = try await master.command("status", "--json")
            #expect(status.status == .exited(0), "\(status.errors)")
            let rows = try workers(in: try status.json)
            #expect(rows.contains { $0["pid"] as? Int == Int(sibling.pid) })
        }
        try await master.signal(SIGTTIN)
        try await master.wait("a third one serves") {
            master.lines(Event.ready).contains { $0["slot"] == "2" }
        }
        let left = try await master.workers()
        #expect(left.contains(sibling), "the sibling is gone")
        // The processes of the third worker, and of earlier ones that have not exited yet.
        #expect(try await master.openDescriptors() <= descriptors + 24)
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
        #expect(!master.log.contains { $0.mentions("the page has") })
    }

    /// The kernel blocks readers of such a worker's state for as long as the worker likes.
    @Test(.needsFileSystem, arguments: ["poll", "epoll", "bind"])
    func itCannotMakeTheMasterWait(how: String) async throws {
        let files = try await StuckFileSystem()
        let folder = try Folder()
        let worker = folder["stuck.py"]
        try folder.write("stuck.py", readFile(Place.worker("stuck")) ?? "")
        let master = try Supervise(
            [
                "--bind", "127.0.0.1:0", "--user", "65534", "--group", "65534",
                "--graceful-timeout", "1s", "--count", "off", "--drain", "signal", "--adopt",
                how == "bind" ? "seccomp" : "off", "--", "python3", worker,
            ], environment: ["STUCK": how, "STUCK_FILE": files.page])
        defer {
            files.end()
            withExtendedLifetime(master) {}
        }
        let line = try await answersUntil(master) {
            master.lines("sampling-failed").first
        }
        #expect(line["reason"] == "stuck")
        let ready = try await answersUntil(master) { master.lines(Event.ready).first }
        #expect(ready["by"] == "assumed")
    }

    /// While a worker blocks in send(2), a sample of that connection blocks too. The master keeps
    /// running, and the drain ends at its deadline.
    @Test(.needsFileSystem) func itCannotMakeADrainWait() async throws {
        let files = try await StuckFileSystem()
        let folder = try Folder()
        try folder.write("stuck.py", readFile(Place.worker("stuck")) ?? "")
        let port = try freePort()
        let master = try Supervise(
            [
                "--bind", "127.0.0.1:\(port)", "--user", "65534", "--group", "65534",
                "--graceful-timeout", "8s", "--drain", "observe", "--log-level", "debug", "--",
                "python3", folder["stuck.py"],
            ],
            environment: [
                "STUCK": "send", "STUCK_FILE": files.page, "STUCK_PORT": "\(port)",
            ])
        defer {
            files.end()
            withExtendedLifetime(master) {}
        }
        try await master.waitForWorkers(1)
        let client = try Cage(
            ["curl", "-s", "127.0.0.1:\(port)"], environment: baseEnvironment,
            output: folder["client"], errors: folder["client"])
        try await master.wait("the connection") { master.tail.contains("accepted") }
        try await master.signal(SIGTERM)
        let drained = try await answersUntil(master) { master.lines("drained").first }
        #expect(drained["by"] == "timeout" && (drained.seconds("after") ?? 99) < 7)
        #expect(master.lines("sampling-failed").map { $0["reason"] } == ["stuck"])
        files.end()
        #expect(try await master.waitForExit() == .exited(0))
        withExtendedLifetime(client) {}
    }

    /// Polls the status until it contains such a line; each response arrives promptly.
    private func answersUntil(
        _ master: Supervise, _ line: () -> LogLine?
    ) async throws -> LogLine {
        try await master.waitForEvent("master-started")
        let limit = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < limit {
            if let line = line() { return line }
            let begin = ContinuousClock.now
            let status = try await master.command("status", "--json")
            #expect(status.status == .exited(0), "\(status.errors)")
            #expect(ContinuousClock.now - begin < .seconds(10))
        }
        throw Late(description: "no such line\n\(master.tail)")
    }

    private func workers(in status: [String: Any]) throws -> [[String: Any]] {
        let pools = try #require(status["pools"] as? [[String: Any]])
        return pools.flatMap { $0["slots"] as? [[String: Any]] ?? [] }
    }
}
