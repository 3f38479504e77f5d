import Foundation
import Testing

/// Warnings about settings with less effect than expected, and about missing privileges.
@Suite(.takesTurn) struct MessageTests {
    /// Two servers that accept no descriptor, in a pool without a bind: the second cannot bind the
    /// address.
    @Test(arguments: [1, 2]) func aPoolThatListensWithoutABindIsTold(workers: Int) async throws {
        let port = try freePort()
        let script = """
            import socket, time
            listener = socket.create_server(("127.0.0.1", \(port)))
            time.sleep(600)
            """
        let master = try Supervise([
            "--workers", "\(workers)", "--boot-attempts", "1000", "--", "python3", "-c", script,
        ])
        let line = try await master.waitForEvent("listens-elsewhere")
        #expect(line["listens_on"] == "127.0.0.1:\(port)" && line["level"] == "warning")
        let slot = try #require(line["slot"])
        #expect(
            line.mentions(
                "slot \(slot) listens on 127.0.0.1:\(port), but the pool has no bind. Add --bind "
                    + "127.0.0.1:\(port)"))
        if workers == 2 {
            // If it matters, it is logged when it happens, not five seconds later.
            let crash = try #require(master.lines(Event.exit).first)
            let (crashed, told) = (try #require(crash.timeOfDay), try #require(line.timeOfDay))
            #expect(told - crashed < 2)
        }
        try await master.signal(SIGHUP)
        try await master.stop()
        #expect(master.lines("listens-elsewhere").count == 1)
    }

    /// A keep-alive connection counts once, however many requests it carries.
    @Test func aCountOfConnectionsIsNotCalledRequests() async throws {
        let master = try Supervise([
            "--name", "hello-worker", "--bind", "127.0.0.1:0", "--max-requests", "20", "--count",
            "preload", "--request-info", "off", "--", "python3", Place.worker("http_worker"),
        ])
        try await master.waitForWorkers(1)
        expectNoFailure(try await load(try await master.address(), requests: 5, rate: 100), 5)
        #expect(try await master.command("status").output.contains("  CONNS  "))
        let counting = try await master.waitForEvent("counting")
        #expect(counting["unit"] == "connections" && counting["level"] == "warning")
        #expect(counting.mentions("so max-requests counts connections"))
        let metrics = try await master.curl("/metrics").output
        #expect(
            metrics.contains("supervise_requests_total{pool=\"default\",unit=\"connections\"} 5"))
        #expect(metrics.contains(",unit=\"connections\"} 5"))
        #expect(try await master.stop() == .exited(0))
        let exit = try #require(master.lines(Event.exit).first)
        #expect(exit["requests"] == "5" && exit["unit"] == "connections")
    }

    /// Behind a proxy the connections are few, and no request for the status is needed.
    @Test func connectionCountsAreReportedUnasked() async throws {
        let master = try Supervise([
            "--bind", "127.0.0.1:0", "--max-requests", "20", "--count", "preload",
            "--request-info", "off", "--", "python3", Place.worker("http_worker"),
        ])
        try await master.waitForWorkers(1)
        expectNoFailure(try await load(try await master.address(), requests: 2, rate: 100), 2)
        let counting = try await master.waitForEvent("counting")
        #expect(counting["level"] == "warning")
        #expect(try await master.stop() == .exited(0))
    }

    @Test func aCountOfRequestsNeedsNoWarning() async throws {
        let master = try Supervise.hello(["--max-requests", "1000"])
        try await master.waitForWorkers(1)
        expectNoFailure(try await load(try await master.address(), requests: 5, rate: 100), 5)
        let status = try await master.command("status", "--json").output
        #expect(status.contains("\"requests_unit\":\"requests\""))
        #expect(master.lines("counting").first?["level"] == "info")
        #expect(try await master.stop() == .exited(0))
        #expect(master.lines(Event.exit).first?["unit"] == "requests")
    }

    /// Without CAP_KILL, a worker cannot be stopped. This is logged at the start, and once when it
    /// happens.
    @Test(.needsRoot) func missingCapabilitiesAreReported() async throws {
        let master = try Supervise(
            [
                "--bind", "127.0.0.1:0", "--user", "65529", "--group", "65529",
                "--graceful-timeout", "300ms", "--", "sleep", "600",
            ], wrapper: ["setpriv", "--bounding-set=-kill,-sys_ptrace,-dac_read_search"])
        try await master.waitForEvent(Event.started)
        let warnings = master.lines("config-warning").compactMap { $0["message"] }
        #expect(warnings.count == 2, "\(warnings)")
        #expect(warnings.contains { $0.contains("lacks CAP_KILL, so it cannot signal") })
        #expect(
            warnings.contains {
                $0.contains("lacks CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, so it cannot inspect")
            })
        try await master.signal(SIGTERM)
        try await master.waitForEvent("killed")
        try await master.waitForEvent("signal-failed")
        // The signal is retried each second.
        try await Task.sleep(for: .seconds(3))
        #expect(master.lines("signal-failed").count == 1)
        #expect(master.lines("signal-failed").first?.mentions("lacks CAP_KILL") == true)
        // The worker does not end otherwise.
        for worker in try await master.workers() { kill(worker.pid, SIGKILL) }
        #expect(try await master.waitForExit() == .exited(0))
    }

    @Test(.needsRoot, arguments: [nil, "65529"] as [String?])
    func ambientCapabilitiesStayWithTheMaster(user: String?) async throws {
        let capabilities = "+setuid,+setgid,+kill,+net_bind_service"
        let identity = user.map { ["--user", $0, "--group", $0] } ?? []
        let master = try Supervise(
            identity + ["--", "sh", "-c", "grep ^Cap /proc/self/status; exec sleep 600"],
            wrapper: [
                "setpriv", "--reuid=65531", "--regid=65531", "--clear-groups",
                "--inh-caps=\(capabilities)", "--ambient-caps=\(capabilities)",
            ])
        try await master.waitForEvent(Event.ready)
        let sets = Dictionary(
            uniqueKeysWithValues: master.folder.lines("stdout").map { line in
                let words = line.split(whereSeparator: \.isWhitespace)
                return (String(words[0]), String(words[1]))
            })
        for set in ["CapAmb:", "CapEff:", "CapPrm:"] {
            #expect(sets[set] == "0000000000000000", "\(set)")
        }
        let own = try #require(readFile("/proc/\(try await master.pid())/status"))
        #expect(!own.contains("CapAmb:\t0000000000000000"))
        #expect(try await master.stop() == .exited(0))
    }

    @Test(.needsRoot) func aBareUserNumberGetsTheGroupOfTheSameNumber() async throws {
        let master = try Supervise(["--user", "65528", "--", "sh", "-c", "id; exec sleep 600"])
        try await master.waitForEvent(Event.ready)
        #expect(master.folder.lines("stdout").first == "uid=65528 gid=65528 groups=65528")
        let warning = try await master.waitForEvent("config-warning")
        #expect(
            warning.mentions(
                "user: 65528 is not a user of this machine, so its workers run as group 65528; to "
                    + "use another group, set group"))
        #expect(try await master.stop() == .exited(0))
    }
}
