import Foundation
import Testing

/// The notifications to the service manager that started the master, received by a substitute of
/// systemd.
@Suite(.takesTurn) struct ServiceManagerTests {
    @Test(arguments: [false, true])
    func readyWhenThePoolIsAndNotBefore(abstract: Bool) async throws {
        let systemd = try await ServiceManager(abstract: abstract)
        let folder = try Folder()
        try folder.write("hang", "")
        let master = try Supervise(
            [
                "--bind", "127.0.0.1:0", "--workers", "2", "--", "python3",
                Place.worker("http_worker"),
            ],
            environment: [
                "NOTIFY_SOCKET": systemd.address, "HANG_FILE": folder["hang"],
            ])
        try await systemd.wait(for: "STATUS") { $0 == "Starting: 0 of 2 workers ready" }
        #expect(systemd.states == [])
        // The workers have a minute to boot, and the service manager grants the requested time.
        let extra = try await systemd.wait(for: "EXTEND_TIMEOUT_USEC")
        #expect(Int(extra["EXTEND_TIMEOUT_USEC"] ?? "") ?? 0 > 20_000_000)
        folder.remove(file: "hang")
        try await systemd.waitForStates(["READY=1"])
        let pid = try await master.pid()
        #expect(systemd.messages.allSatisfy { $0.pid == pid })
        let workers = try await master.waitForWorkers(2)
        for worker in workers {
            let variables = ProcessTable.environment(of: worker.pid)
            let own = try #require(variables["NOTIFY_SOCKET"])
            #expect(own.contains("supervise") && own != systemd.address)
        }
        try await systemd.wait(for: "STATUS") { $0 == "2 of 2 workers ready" }
        #expect(try await master.stop() == .exited(0))
        try await systemd.waitForStates(["READY=1", "STOPPING=1"])
    }

    @Test func everyReloadResultIsReportedWithItsTime() async throws {
        let systemd = try await ServiceManager()
        let config = "bind = 127.0.0.1:0\ncommand = \(Place.helloWorker)\nstable-after = 50ms\n"
        let master = try Supervise(
            [], environment: ["NOTIFY_SOCKET": systemd.address], config: config)
        try await systemd.waitForStates(["READY=1"])
        let before = monotonicMicroseconds()
        try await master.signal(SIGHUP)
        try await systemd.waitForStates(["READY=1", "RELOADING=1", "READY=1"])
        let told = try await systemd.wait(for: "MONOTONIC_USEC")
        let time = try #require(Int64(told["MONOTONIC_USEC"] ?? ""))
        #expect(told["RELOADING"] == "1" && (before...monotonicMicroseconds()).contains(time))
        try await systemd.wait(for: "STATUS") { $0 == "1 of 1 workers ready" }

        try master.folder.write("supervise.conf", config + "max-rss = 12Q\n")
        try await master.signal(SIGHUP)
        let both = ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1"]
        try await systemd.waitForStates(both)
        try await systemd.wait(for: "STATUS") { $0.hasSuffix("; the last reload failed") }
        #expect(master.isRunning)

        try master.folder.write(
            "supervise.conf", config.replacing(Place.helloWorker, with: "/bin/false"))
        try await master.signal(SIGHUP)
        try await systemd.waitForStates(both + ["RELOADING=1", "READY=1"])
        #expect(try await master.stop() == .exited(0))
        try await systemd.waitForStates(both + ["RELOADING=1", "READY=1", "STOPPING=1"])
    }

    @Test func theLoopSendsWatchdogMessages() async throws {
        let systemd = try await ServiceManager()
        let master = try Supervise.hello(environment: [
            "NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "3000000",
        ])
        let worker = try await master.waitForWorkers(1)[0]
        #expect(ProcessTable.environment(of: worker.pid)["WATCHDOG_USEC"] == nil)
        func beats() -> [Double] {
            systemd.messages.filter { $0["WATCHDOG"] == "1" }.map(\.time)
        }
        try await master.wait("four beats") { beats().count >= 4 }
        let times = beats()
        for (first, second) in zip(times, times.dropFirst()) {
            // Late on a busy machine, but never early, and more than once in the time.
            #expect((1.4...3.0).contains(second - first), "\(times)")
        }
        // A suspended master sends nothing.
        try await master.signal(SIGSTOP)
        try await Task.sleep(for: .milliseconds(200))
        let count = beats().count
        try await Task.sleep(for: .milliseconds(2500))
        #expect(beats().count == count)
        try await master.signal(SIGCONT)
        try await master.wait("the next beat") { beats().count > count }
    }

    @Test func aWatchdogOfAnotherIsNotOurs() async throws {
        let systemd = try await ServiceManager()
        let master = try Supervise.hello(
            ["--stable-after", "500ms"],
            environment: [
                "NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1",
            ])
        let worker = try await master.waitForWorkers(1)[0]
        #expect(ProcessTable.environment(of: worker.pid)["WATCHDOG_PID"] == nil)
        try await systemd.waitForStates(["READY=1"])
        // Nothing else wakes the master once its last status change is sent.
        try await Task.sleep(for: .seconds(4))
        let before = try await master.contextSwitches()
        try await Task.sleep(for: .seconds(2))
        #expect(try await master.contextSwitches() == before)
        #expect(!systemd.messages.contains { $0["WATCHDOG"] != nil })
    }

    @Test func aSlowStopAsksForItsTime() async throws {
        let systemd = try await ServiceManager()
        let master = try Supervise.hello(
            ["--drain-delay", "2s", "--graceful-timeout", "20s"],
            environment: ["NOTIFY_SOCKET": systemd.address])
        try await systemd.waitForStates(["READY=1"])
        try await master.signal(SIGTERM)
        try await systemd.waitForStates(["READY=1", "STOPPING=1"])
        let seconds = try await eventually("an extension", context: { "\(systemd.messages)" }) {
            let after = systemd.messages.drop { $0["STOPPING"] == nil }
            return after.lazy.compactMap { $0["EXTEND_TIMEOUT_USEC"] }.first.flatMap { Double($0) }
        }
        // Both of them, and a margin for the last process to be reaped.
        #expect((22e6...30e6).contains(seconds), "\(seconds)")
        #expect(master.isRunning)
        #expect(try await master.waitForExit() == .exited(0))
        let stopping = try await systemd.wait(for: "STOPPING")
        #expect(stopping["STATUS"] == "Stopping: 1 worker left")
    }

    @Test func oneThatIsGoneIsMissedOnce() async throws {
        let systemd = try await ServiceManager()
        let master = try Supervise.hello(environment: [
            "NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "200000",
        ])
        try await systemd.waitForStates(["READY=1"])
        systemd.vanish()
        let line = try await master.waitForEvent("service-manager")
        #expect(line["error"] == "sendto: Connection refused")
        try await Task.sleep(for: .milliseconds(500))
        expectNoFailure(try await load(try await master.address(), requests: 10, rate: 100), 10)
        #expect(try await master.stop() == .exited(0))
        #expect(master.lines("service-manager").count == 1)
    }

    @Test func invalidAddressesAreReported() async throws {
        let master = try Supervise.hello(environment: ["NOTIFY_SOCKET": "vsock:2:1234"])
        try await master.waitForWorkers(1)
        #expect(master.lines("service-manager").first?["address"] == "vsock:2:1234")
    }

    @Test func doneAtOnceWasReadyAllTheSame() async throws {
        let systemd = try await ServiceManager()
        let master = try Supervise(
            ["--restart", "never", "--ready", "exec", "--", "true"],
            environment: ["NOTIFY_SOCKET": systemd.address])
        #expect(try await master.waitForExit() == .exited(0))
        try await systemd.waitForStates(["READY=1", "STOPPING=1"])
    }

    private func monotonicMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
