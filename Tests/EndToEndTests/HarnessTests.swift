import Glibc
import Testing

/// Tests of the harness that need no master: a substitute gives the workers what the master would.
@Suite(.takesTurn) struct HarnessTests {
    private func standIn(_ arguments: [String]) throws -> Supervise {
        try Supervise(arguments, program: ["python3", Place.worker("stand_in")])
    }

    private static let webWorkers = [
        [Place.helloWorker], ["python3", Place.exampleApp],
        ["python3", Place.worker("http_worker")],
    ]

    @Test(arguments: webWorkers)
    func workersServeCountAndDrain(command: [String]) async throws {
        let master = try standIn(["--workers", "2", "--max-requests", "50", "--"] + command)
        let address = try await master.address()
        let workers = try await master.waitForWorkers(2)
        #expect(workers.map(\.slot) == [0, 1] && workers.allSatisfy { $0.limit == 50 })

        let result = try await load(address, requests: 300, rate: 300)
        #expect(result.ok == 300 && result.failed == 0, "\(result.reasons)")
        #expect(Set(result.pids.keys) == Set(workers.map { "\($0.pid)" }))
        let kept = try await load(address, requests: 100, rate: 200, keepAlive: true)
        #expect(kept.ok == 100 && kept.failed == 0, "\(kept.reasons)")

        // Each sent one message to its master when it reached the limit.
        let rings = master.log.filter { $0.event == "x_requests" }
        #expect(Set(rings.compactMap(\.pid)) == Set(workers.map(\.pid)) && rings.count == 2)
        #expect(try await master.stop() == .exited(0))
        let exits = master.log.filter { $0.event == Event.exit }
        #expect(exits.allSatisfy { $0["status"] == "0" })
        #expect(exits.compactMap { $0["requests"].flatMap { Int($0) } }.reduce(0, +) == 400)
        #expect(master.leftBehind.isEmpty)
    }

    @Test(arguments: [
        ([Place.helloWorker], "/slow?ms=1000"),
        (["python3", Place.worker("http_worker")], "/slow?seconds=1"),
    ])
    func stoppingWorkersFinishWhatIsInFlight(command: [String], path: String) async throws {
        let master = try standIn(["--"] + command)
        let address = try await master.address()
        let worker = try await master.waitForWorkers(1)[0]
        let idle = ProcessTable.sockets(of: worker.pid)
        let slow = try LoadClient(address, requests: 20, rate: 1000, path: path)
        try await eventually("20 connections") {
            ProcessTable.sockets(of: worker.pid) == idle + 20
        }
        try await master.signal(SIGTERM)
        let result = try await slow.result()
        #expect(result.ok == 20 && result.failed == 0, "\(result.reasons)")
        #expect(try await master.waitForExit() == .exited(0))
    }

    @Test func theLoadClientTellsWhatFails() async throws {
        let master = try standIn(["--workers", "2", "--", Place.helloWorker])
        let address = try await master.address()
        let workers = try await master.waitForWorkers(2)
        let missing = try await load(address, requests: 5, rate: 100, path: "/nothing")
        #expect(missing.reasons == ["status-404": 5])
        let late = try await load(
            address, requests: 3, rate: 100, path: "/slow?ms=3000", timeout: 0.5)
        #expect(late.reasons == ["timeout": 3])
        let crashed = try await load(address, requests: 1, rate: 100, path: "/crash")
        #expect(crashed.failed == 1)
        for worker in workers { kill(worker.pid, SIGKILL) }
        _ = try await master.waitForExit()
        let refused = try await load(address, requests: 5, rate: 100)
        #expect(refused.reasons == ["refused": 5] && refused.ok == 0)
    }

    @Test(arguments: ["epoll", "poll", "select", "accept"])
    func plainWorkersServe(how: String) async throws {
        let master = try standIn([
            "--workers", "2", "--", "python3", Place.worker("plain_worker"), how,
        ])
        let address = try await master.address()
        let result = try await load(address, requests: 50, rate: 100)
        #expect(result.ok == 50, "\(result.reasons)")
    }

    @Test func aPythonWorkerThatForksCountsExactly() async throws {
        let script = """
            import os, sys, time
            sys.path.insert(0, "\(Place.package)/conf/examples")
            import supervise_worker as worker
            children = [os.fork() or (worker.count(), [worker.count() for _ in range(999)], os._exit(0))
                        for _ in range(4)]
            for _ in range(1000): worker.count()
            for child in children: os.waitpid(child, 0)
            """
        let master = try standIn(["--max-requests", "2500", "--", "python3", "-c", script])
        #expect(try await master.waitForExit() == .exited(0))
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit["requests"] == "5000")
        #expect(master.log.filter { $0.event == "x_requests" }.count == 1)
    }

    @Test func nothingOutlivesTheHarness() async throws {
        let folder = try Folder()
        var master: Supervise? = try Supervise(
            ["--", "python3", Place.worker("family"), "child", "deaf", "daemon"],
            environment: ["PIDS": folder["pids"]], program: ["python3", Place.worker("stand_in")])
        try await eventually("the family") { folder.lines("pids").count == 4 }
        let pids = folder.lines("pids").compactMap { pid_t($0.prefix { $0 != " " }) }
        #expect(pids.count == 4 && pids.allSatisfy(ProcessTable.isAlive))
        let keeper = try await master?.pid()
        master = nil
        #expect(keeper.map(ProcessTable.isAlive) == false)
        #expect(!pids.contains(where: ProcessTable.isAlive))
    }

    @Test func theLoadClientSeesAPause() async throws {
        let master = try standIn(["--", Place.helloWorker])
        let worker = try await master.waitForWorkers(1)[0]
        let client = try LoadClient(try await master.address(), rate: 100)
        try await client.begun()
        try await Task.sleep(for: .milliseconds(500))
        kill(worker.pid, SIGSTOP)
        try await Task.sleep(for: .seconds(1))
        kill(worker.pid, SIGCONT)
        let result = try await client.end()
        // No request fails, but the pause is visible in the gap and in the latency of all requests
        // scheduled meanwhile.
        expectNoFailure(result)
        #expect(result.longestGapSeconds > 0.8 && result.maxSeconds > 0.8)
    }

    @Test func theRosterSeesWeakMomentsAndCrowds() throws {
        let folder = try Folder()
        try folder.write(
            "steady", "1 1 boot\n1 2 boot\n2 1 ready\n2 2 ready\n3 3 boot\n4 3 ready\n5 1 stop\n")
        try folder.write(
            "weak", "1 1 boot\n2 1 ready\n3 1 stop\n4 2 boot\n4 3 boot\n5 2 ready\n6 3 ready\n")
        let steady = Roster(folder, "steady")
        #expect(steady.lowestReady(full: 2) == 2 && steady.mostBooting(after: 2) == 1)
        let weak = Roster(folder, "weak")
        #expect(weak.lowestReady(full: 1) == 0 && weak.mostBooting(after: 1) == 2)
        #expect(weak.lowestReady(full: 3) == nil)
    }

    @Test func logLinesAreReadInBothFormats() {
        let json = LogLine(
            #"{"time":1.5,"level":"info","event":"ready","pid":12,"note":"a \"b\""}"#)
        let text = LogLine(#"time=1.5 level=info event=ready pid=12 note="a \"b\"""#)
        for line in [json, text] {
            #expect(line.event == "ready" && line.pid == 12 && line["note"] == #"a "b""#)
        }
        #expect(LogLine("Traceback = none")["text"] == "Traceback = none")
    }
}
