import Glibc
import Testing

/// Workers that run but do nothing, and workers that request more time.
@Suite(.takesTurn) struct WatchdogTests {
    @Test(arguments: [false, true])
    func silenceIsAborted(deaf: Bool) async throws {
        let master = try Supervise.web(
            ["--timeout", "500ms", "--limit-core", "0"],
            environment: deaf ? ["IGNORE_ABRT": "1"] : [:])
        let worker = try await master.waitForWorkers(1)[0]
        #expect(ProcessTable.environment(of: worker.pid)["WATCHDOG_USEC"] == "500000")
        // A worker that never announced itself is not watched.
        try await Task.sleep(for: .seconds(1))
        #expect(ProcessTable.isAlive(worker.pid))

        try await master.tell("WATCHDOG=1", by: worker)
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit.pid == worker.pid && exit["cause"] == "timeout")
        #expect(exit["signal"] == (deaf ? "KILL" : "ABRT"))
        let seconds = try #require(exit.seconds("age"))
        let told = try #require(master.lines(Event.retiring).first?.seconds("age"))
        #expect(deaf ? seconds - told >= 1.999 : seconds - told < 2)
        try await master.waitForWorkers(1, without: [worker])
    }

    /// Programs that come from gunicorn have the setting but send nothing.
    @Test(arguments: [true, false]) func aTimeoutThatDoesNothingIsToldOnce(listens: Bool)
        async throws
    {
        let words = ["--workers", "2", "--timeout", "300ms"]
        let master =
            listens
            ? try Supervise.web(words)
            : try Supervise(
                words + ["--", "python3", Place.worker("job")], environment: ["JOB_SECONDS": "600"])
        try await master.waitForWorkers(2)
        let line = try await master.waitForEvent("timeout-unused")
        #expect(line["level"] == "warning" && line["pool"] == "default")
        #expect(line.mentions(listens ? "request-timeout" : "max-lifetime"))
        // The next workers cause no further warning.
        try await master.signal(SIGHUP)
        try await master.waitForEvent(Event.reloadComplete, deadline: .seconds(40))
        try await Task.sleep(for: .milliseconds(600))
        #expect(master.lines("timeout-unused").count == 1)
    }

    @Test func aTimeoutThatWorksIsNotWarnedOf() async throws {
        let master = try Supervise.web(
            ["--timeout", "2s"], environment: ["BOOT_TELL": "WATCHDOG=1", "BOOT_SECONDS": "0.1"])
        // Each worker reports once, when it boots, and is silent from then on.
        #expect(try await master.waitForEvent(Event.exit)["cause"] == "timeout")
        #expect(master.lines(Event.exit).first?["level"] == "error")
        #expect(master.lines("timeout-unused").isEmpty)
    }

    @Test func repeatedMessagesChangeNothing() async throws {
        let master = try Supervise.web(["--timeout", "1s", "--limit-core", "0"])
        let worker = try await master.waitForWorkers(1)[0]
        let path = "/slow?seconds=3&tell=WATCHDOG=1"
        let answer = try await get(path, from: try await master.address())
        #expect(answer?.contains("pid \(worker.pid),") == true)
        #expect(master.lines(Event.exit).isEmpty)
        // The watchdog acts once the worker is silent.
        #expect(try await master.waitForEvent(Event.exit)["signal"] == "ABRT")
    }

    @Test func aWorkerMayPullTheTrigger() async throws {
        let master = try Supervise.web(["--limit-core", "0"])
        let worker = try await master.waitForWorkers(1)[0]
        try await master.tell("WATCHDOG=trigger", by: worker)
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit.pid == worker.pid && exit["signal"] == "ABRT")
        try await master.waitForWorkers(1, without: [worker])
    }

    @Test func aBootMayBeExtended() async throws {
        let master = try Supervise.web(
            ["--ready-timeout", "1500ms"],
            environment: ["BOOT_SECONDS": "4", "BOOT_TELL": "EXTEND_TIMEOUT_USEC=1500000"])
        try await master.waitForWorkers(1)
        let ready = try await master.waitForEvent(Event.ready)
        #expect(try #require(ready.seconds("after")) >= 4)
        #expect(master.lines(Event.started).count == 1)
    }

    @Test(arguments: [false, true])
    func aStopMayTakeLongerWhenTheWorkerSaysSo(asks: Bool) async throws {
        let master = try Supervise.web(["--graceful-timeout", "1s"])
        let worker = try await master.waitForWorkers(1)[0]
        let idle = ProcessTable.sockets(of: worker.pid)
        let tell = asks ? "EXTEND_TIMEOUT_USEC=1000000" : "STATUS=busy"
        let client = try LoadClient(
            try await master.address(), requests: 1, rate: 1, path: "/slow?seconds=4&tell=\(tell)")
        try await master.wait("the request") { ProcessTable.sockets(of: worker.pid) > idle }
        #expect(try await master.stop() == .exited(0))
        let result = try await client.result()
        #expect(result.ok == (asks ? 1 : 0), "\(result.reasons)")
        let exit = try await master.waitForEvent(Event.exit)
        #expect(asks ? exit["status"] == "0" : exit["signal"] == "KILL")
    }
}

/// Workers that announce nothing: they hang if connections wait and they accept none.
@Suite(.takesTurn) struct StallTests {
    private func serial(_ stallTimeout: String) async throws -> (Supervise, pid_t) {
        let master = try Supervise.web(
            ["--stall-timeout", stallTimeout, "--limit-core", "0"], environment: ["SERIAL": "1"])
        let worker = try await master.waitForWorkers(1)[0]
        // Only a pool with a working count can be judged by it.
        expectNoFailure(try await load(try await master.address(), requests: 5, rate: 100), 5)
        return (master, worker.pid)
    }

    @Test func aHungWorkerIsAborted() async throws {
        let (master, pid) = try await serial("1s")
        let address = try await master.address()
        let hung = try LoadClient(
            address, requests: 1, rate: 1, path: "/slow?seconds=600", timeout: 60)
        try await Task.sleep(for: .milliseconds(500))
        let queued = try LoadClient(address, requests: 5, rate: 100, timeout: 30)
        let exit = try await master.waitForEvent(Event.exit)
        #expect(exit.pid == pid && exit["cause"] == "stall-timeout" && exit["signal"] == "ABRT")
        // The next worker serves the waiting connections.
        expectNoFailure(try await queued.result(), 5)
        #expect(try await hung.result().failed == 1)
    }

    @Test func aSlowWorkerIsLeftAlone() async throws {
        let (master, pid) = try await serial("1500ms")
        let result = try await load(
            try await master.address(), requests: 20, rate: 100, path: "/slow?seconds=0.2",
            timeout: 30)
        expectNoFailure(result, 20)
        #expect(result.pids == ["\(pid)": 20] && result.seconds > 3)
        #expect(master.lines(Event.exit).isEmpty)
    }

    @Test func noWorkerHangsWhileTheQueueIsEmpty() async throws {
        let (master, pid) = try await serial("500ms")
        let result = try await load(
            try await master.address(), requests: 1, rate: 1, path: "/slow?seconds=2.5")
        expectNoFailure(result, 1)
        #expect(result.pids == ["\(pid)": 1])
        #expect(master.lines(Event.exit).isEmpty)
    }
}
