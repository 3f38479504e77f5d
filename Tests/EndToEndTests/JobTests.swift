import Foundation
import Glibc
import Testing

/// Pools with a schedule: one run at a time, each with a deadline.
@Suite(.takesTurn) struct JobTests {
    private static func config(_ pool: String, master: String = "") -> String {
        """
        name = jobs
        \(master)
        [pool jobs]
        \(pool)

        """
    }

    /// The identities of the runs that have a process, including children that left their group.
    private static func runs(of master: Supervise) -> Set<String> {
        let environments = ProcessTable.entries().filter { !$0.isZombie }
            .map { ProcessTable.environment(of: $0.pid) }
        let own = environments.filter {
            $0["STAND_IN_FOLDER"] == master.folder.path && $0["SUPERVISE_WORKER_POOL"] == "jobs"
        }
        return Set(own.compactMap { $0["SUPERVISE_WORKER_ID"] })
    }

    private static func status(_ master: Supervise) async throws -> [String: Any] {
        let json = try await master.command("status", "--json").json
        let pools = try #require(json["pools"] as? [[String: Any]])
        return try #require(pools.first?["runs"] as? [String: Any])
    }

    /// A job requests a URL of a server that never responds. It starts every second, and there is
    /// never more than one.
    @Test(.takesLongTurn, .needs("python3"))
    func jobsThatHangDoNotAccumulate() async throws {
        let port = try freePort()
        let silent = try SilentServer(port: port)
        let master = try Supervise(
            [],
            config: Self.config(
                """
                schedule = every 1s
                max-lifetime = 2500ms
                graceful-timeout = 1s
                command = python3 \(Place.worker("fetch")) http://127.0.0.1:\(port)/
                """, master: "status-bind = 127.0.0.1:0"))
        let pid = try await master.pid()
        try await master.wait("two runs") { master.lines("job-failed").count >= 2 }
        let before = try #require(ProcessTable.status("VmRSS", of: pid))
        try await master.wait("eight runs", deadline: .seconds(60)) {
            let running = Self.runs(of: master)
            #expect(running.count <= 1, "\(running)")
            return master.lines("job-failed").count >= 8
        }
        let after = try #require(ProcessTable.status("VmRSS", of: pid))
        #expect(after - before < 1_024, "\(before) KiB, then \(after) KiB")
        for line in master.lines("job-failed") {
            #expect(line["outcome"] == "timeout" && line["cause"] == "max-lifetime")
            let duration = try #require(line.seconds("duration"))
            #expect(duration >= 2.5 && duration < 4.5, "\(line)")
        }
        #expect(master.lines("job-skipped").allSatisfy { $0["reason"] == "overlap" })
        // The figures agree.
        let runs = try await Self.status(master)
        let outcomes = try #require(runs["outcomes"] as? [String: Int])
        let metrics = try await master.curl("/metrics", at: try await master.statusAddress()).output
        #expect(outcomes["timeout"] ?? 0 >= 8 && outcomes["success"] == 0)
        #expect(runs["skipped"] as? Int ?? 0 >= 8)
        #expect(runs["schedule"] as? String == "every 1s")
        #expect((runs["last"] as? [String: Any])?["outcome"] as? String == "timeout")
        #expect(
            metrics.contains("supervise_job_runs_total{pool=\"jobs\",outcome=\"success\"} 0"))
        #expect(metrics.contains("supervise_job_skips_total{pool=\"jobs\"} "))
        #expect(!metrics.contains("supervise_job_last_success_timestamp_seconds{"))
        let text = try await master.command("status").output
        #expect(text.contains("last run: timeout, max-lifetime"), "\(text)")
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
        withExtendedLifetime(silent) {}
    }

    /// A run lasts until its last process has ended: children that ignore TERM, that left the
    /// process group, or that run in the background.
    @Test(.takesLongTurn, arguments: ["sleep 1000", "exit 0"])
    func noProcessOfARunOutlivesIt(end: String) async throws {
        let script = "trap '' TERM; setsid sleep 1000 & (sleep 1000 &); sleep 1000 & \(end)"
        let master = try Supervise(
            [],
            config: Self.config(
                """
                schedule = every 1s
                overlap = queue
                max-lifetime = 1s
                graceful-timeout = 300ms
                command = sh -c "\(script)"
                """))
        try await master.wait("five runs", deadline: .seconds(60)) {
            let running = Self.runs(of: master)
            #expect(running.count <= 1, "\(running)")
            return master.lines("started").count >= 5
        }
        #expect(!master.lines("job-queued").isEmpty || end == "exit 0")
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }

    private static let waiting =
        "command = sh -c 'echo $$ >>$STAND_IN_FOLDER/runs; "
        + "while ! test -e $STAND_IN_FOLDER/go; do sleep 0.05; done'"

    @Test func aReloadAndAnUpgradeDoNotTouchARun() async throws {
        let settings = "schedule = every 1h\nmax-lifetime = 1h\n" + Self.waiting
        let master = try Supervise([], config: Self.config(settings))
        try await master.waitForEvent("master-started")
        #expect(try await master.command("run-now", "jobs").output == "jobs: a run starts\n")
        try await master.wait("the run") { master.folder.lines("runs").count == 1 }
        let run = try #require(try await master.workers().first)
        let second = try await master.command("run-now", "jobs")
        #expect(second.status == .exited(1))
        #expect(second.errors.contains("the last run of pool jobs has not ended"))
        try master.folder.write(
            "supervise.conf",
            Self.config(settings.replacing("every 1h", with: "0 3 * * *")))
        #expect(try await master.command("reload", "--wait").status == .exited(0))
        #expect(try await master.command("upgrade").status == .exited(0))
        #expect(try await master.workers() == [run])
        #expect(try await Self.status(master)["schedule"] as? String == "0 3 * * *")
        // Not even if the pool is removed, and configured again.
        try master.folder.write(
            "supervise.conf", "name = jobs\n[pool other]\ncommand = sleep 100\n")
        #expect(try await master.command("reload", "--wait").status == .exited(0))
        #expect(try await master.workers().contains(run))
        try master.folder.write("supervise.conf", Self.config(settings))
        #expect(try await master.command("reload", "--wait").status == .exited(0))
        #expect(try await master.workers() == [run])
        try master.folder.write("go", "")
        let end = try await master.waitForEvent("job-finished")
        #expect(end.pid == run.pid && end["trigger"] == "operator")
        #expect(try await Self.status(master)["next_in_seconds"] as? Double ?? 0 > 3_000)
        #expect(try await master.command("run-now", "jobs").status == .exited(0))
        try await master.wait("the next run") { master.folder.lines("runs").count == 2 }
    }

    @Test func aStopEndsARun() async throws {
        let master = try Supervise(
            [], config: Self.config("schedule = every 1s\nmax-lifetime = 1h\n" + Self.waiting))
        try await master.wait("a run") { master.folder.lines("runs").count == 1 }
        #expect(try await master.stop() == .exited(0))
        let line = try #require(master.lines("job-failed").first)
        #expect(line["outcome"] == "stopped" && line["cause"] == "stop")
        #expect(master.folder.lines("runs").count == 1)
        #expect(master.leftBehind.isEmpty)
    }

    /// A pool with a schedule is never done, and an idle one never wakes the master.
    @Test func theMasterSleepsBetweenRuns() async throws {
        let master = try Supervise(
            [],
            config: Self.config(
                "schedule = 0 0 1 1 *\nmax-lifetime = 1h\ncommand = sh -c 'exit 3'"
                    + "\n[pool more]\nschedule = every 1h\nmax-lifetime = 1h\ncommand = true"))
        try await master.waitForEvent("master-started")
        #expect(try await master.command("run-now", "jobs").status == .exited(0))
        let end = try await master.waitForEvent("job-failed")
        #expect(end["outcome"] == "failure" && end["status"] == "3")
        let scaled = try await master.command("scale", "3", "--pool", "jobs")
        #expect(scaled.status == .exited(1) && scaled.errors.contains("one run at a time"))
        let switches = try await master.contextSwitches()
        try await Task.sleep(for: .milliseconds(1_200))
        #expect(try await master.contextSwitches() == switches)
        #expect(master.isRunning)
        let clocks = ProcessTable.descriptors(of: try await master.pid()).values
            .filter { $0 == "anon_inode:[timerfd]" }
        #expect(clocks.count == 2, "the timer, and the one that detects changes of the clock")
    }

    @Test(.enabled(if: getuid() == 0, "needs root"))
    func aRunHasTheSettingsOfAWorker() async throws {
        let master = try Supervise(
            [],
            config: Self.config(
                """
                schedule = every 1s
                max-lifetime = 10s
                user = nobody
                env = GREETING=hello
                output = prefix
                command = sh -c 'echo "$GREETING from $(id -un)"; exit 4'
                """))
        let line = try await master.waitForEvent("job-failed")
        #expect(line["status"] == "4")
        let exit = try #require(master.lines("exited").first)
        #expect(exit["output"] == "hello from nobody")
    }

    @Test func checkWarnsOfAMissingDeadline() async throws {
        let folder = try Folder()
        let path = try folder.write(
            "a.conf", "[pool a]\nschedule = @hourly\ncommand = true\n")
        let result = try await run([Place.supervise, "check", "--config", path])
        #expect(result.status == .exited(0))
        #expect(result.errors.contains("max-lifetime is off"), "\(result.errors)")
        #expect(result.output.contains("\nschedule = @hourly\n"))
        let six = try folder.write(
            "b.conf", "[pool a]\nschedule = 0 */5 * * * *\ncommand = true\n")
        let bad = try await run([Place.supervise, "check", "--config", six])
        #expect(bad.status == .exited(2))
        #expect(bad.errors.contains("b.conf:2: schedule: \"0 */5 * * * *\" has six fields"))
    }
}

/// A server whose kernel accepts connections and that never responds.
private final class SilentServer {
    private let socket: Int32

    init(port: Int) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try #require(socket >= 0)
        try #require(withLoopback(port: port) { bind(socket, $0, $1) } == 0)
        try #require(listen(socket, 100) == 0)
    }

    deinit { close(socket) }
}
