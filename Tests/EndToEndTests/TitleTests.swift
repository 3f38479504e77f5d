import Glibc
import Testing

/// The titles of the master and of its workers in ps.
@Suite(.takesTurn) struct TitleTests {
    @Test(.needs("ps")) func theMasterAnnouncesItself() async throws {
        let master = try Supervise.hello(
            ["--name", "shop", "--workers", "1"], environment: ["KEPT": "one=two"])
        let worker = try await master.waitForWorkers(1)[0]
        let pid = try await master.pid()
        func arguments(_ pid: pid_t) -> [String] {
            (readFile("/proc/\(pid)/cmdline") ?? "").split(separator: "\0").map(String.init)
        }
        #expect(arguments(pid) == ["supervise: master [shop]"])
        #expect(readFile("/proc/\(pid)/comm") == "supervise\n")
        #expect(arguments(worker.pid) == [Place.helloWorker])
        #expect(readFile("/proc/\(worker.pid)/comm") == "hello-worker\n")
        #expect(ProcessTable.environment(of: pid)["KEPT"] == "one=two")
        #expect(ProcessTable.environment(of: pid)["XDG_RUNTIME_DIR"] == master.folder.path)
        // A reload reads the arguments again, which differ from those in ps.
        try await master.signal(SIGHUP)
        try await master.waitForEvent(Event.reloadComplete)
        #expect(arguments(pid) == ["supervise: master [shop]"])
        #expect(try await master.command("status", "--name", "shop").status == .exited(0))
        let shown = try await run(["ps", "-o", "args=", "-p", "\(pid)"])
        #expect(shown.output.hasPrefix("supervise: master [shop]"), "\(shown.errors)")
    }

    @Test func aTitleWithoutRoomIsCutAndTheVariablesStay() async throws {
        let folder = try Folder()
        let long = String(repeating: "x", count: 64)
        try folder.write("supervise.conf", "command = sleep 60\nname = \(long)\n")
        let master = try Supervise(
            ["-c", folder["supervise.conf"]],
            environment: ["KEPT": "one", "SUPERVISE_CONTROL": "none"],
            wrapper: ["bash", "-c", "exec -a s \"$@\"", "bash"])
        try await master.waitForWorkers(1)
        let pid = try await master.pid()
        let shown = readFile("/proc/\(pid)/cmdline") ?? ""
        #expect(shown.hasPrefix("supervise: master [xxx") && shown.utf8.last == 0)
        #expect(shown.utf8.count < 64)
        #expect(ProcessTable.environment(of: pid)["KEPT"] == "one")
    }
}
