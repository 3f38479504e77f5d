import Foundation
import Testing

/// The unit files, with the tools of systemd.
@Suite(.takesTurn) struct SystemdTests {
    @Test(.needs("systemd-analyze")) func theUnitsAreFlawless() async throws {
        let folder = try Folder()
        for name in ["supervise@.service", "supervise@.socket"] {
            let text = try #require(readFile("\(Place.package)/conf/deploy/\(name)"))
            // Programs installed elsewhere are searched.
            try folder.write(
                name.replacing("@", with: "@shop"),
                text.replacing("/usr/local/bin/supervise", with: Place.supervise))
        }
        func verify() async throws -> CommandResult {
            try await run([
                "systemd-analyze", "verify", "--man=no", folder["supervise@shop.service"],
                folder["supervise@shop.socket"],
            ])
        }
        let checked = try await verify()
        #expect(checked.status == .exited(0))
        // It also reports the other units of the machine.
        let told = (checked.output + checked.errors).split(separator: "\n")
            .filter { $0.contains("supervise") }
        #expect(told == [])
        // It would print the errors.
        try folder.write("supervise@shop.socket", "[Socket]\nListenStream=8000\nNoSuchKey=1\n")
        #expect(try await verify().errors.contains("NoSuchKey"))
    }

    @Test func theServiceStartsAndReloadsWithItsOwnWords() async throws {
        let unit = try #require(readFile("\(Place.package)/conf/deploy/supervise@.service"))
        let folder = try Folder()
        try folder.write(
            "shop.conf", "bind = 127.0.0.1:0\ncommand = \(Place.helloWorker)\nstable-after = 50ms\n"
        )
        func words(_ key: String) throws -> [String] {
            let line = try #require(
                unit.split(separator: "\n").first { $0.hasPrefix(key + "=") })
            return line.dropFirst(key.count + 1).split(separator: " ").map { word in
                String(word).replacing("/usr/local/bin/supervise", with: Place.supervise)
                    .replacing("/etc/supervise/%i", with: folder["%i"])
                    .replacing("%t/supervise/%i", with: folder.path).replacing("%i", with: "shop")
            }
        }
        let master = try Supervise([], program: try words("ExecStart"))
        try await master.waitForWorkers(1)
        let reload = try await run(try words("ExecReload"))
        #expect(reload.status == .exited(0), "\(reload.errors)")
        try folder.write("shop.conf", "command = \(Place.helloWorker)\nworkers = many\n")
        #expect(try await run(try words("ExecReload")).status == .exited(1))
        #expect(try await master.stop() == .exited(0))
    }

    /// systemd connects standard error to the journal and names the stream.
    @Test func linesForTheJournalBeginWithTheirPriority() async throws {
        func lines(_ variable: String, _ arguments: [String]) async throws -> [Substring] {
            let shell = "export JOURNAL_STREAM=\(variable); exec \"$@\""
            let words = ["sh", "-c", shell, "sh", Place.supervise, "--control", "none"] + arguments
            return try await run(words).errors.split(separator: "\n")
        }
        let failing = ["--boot-attempts", "1", "--backoff", "1ms", "--", "false"]
        let stream = "$(stat -Lc %d:%i /proc/self/fd/2)"
        let journal = try await lines(stream, failing)
        #expect(journal.contains { $0.hasPrefix("<3>level=error event=startup-failed") })
        #expect(journal.contains { $0.hasPrefix("<6>level=info event=started") })
        #expect(journal.allSatisfy { $0.hasPrefix("<") && !$0.contains("time=") }, "\(journal)")
        let json = try await lines(stream, ["--log-format", "json"] + failing)
        #expect(json.contains { $0.hasPrefix("<3>{\"level\":\"error\"") }, "\(json)")
        let invalid = try await lines(stream, ["--workers", "0", "--", "true"])
        #expect(invalid.first?.hasPrefix("<3>supervise: --workers") == true, "\(invalid)")
        // The variable is inherited by programs whose standard error is another file.
        let other = try await lines("1:2", failing)
        #expect(other.allSatisfy { $0.hasPrefix("time=") }, "\(other)")
    }

    @Test(.needs("systemd-socket-activate")) func aRealActivationServes() async throws {
        let folder = try Folder()
        let port = try freePort()
        // It starts the command when the first client connects, in its own process.
        let master = try Supervise(
            ["--workers", "2", "--bind", "systemd:web", "--", Place.helloWorker],
            wrapper: [
                "systemd-socket-activate", "--fdname=web", "--listen=127.0.0.1:\(port)",
                "--setenv=SUPERVISE_LOG_FORMAT=json", "--setenv=XDG_RUNTIME_DIR=\(folder.path)",
            ])
        try await master.waitForLog("its own start") { $0.mentions("Listening on") }
        expectNoFailure(try await load("127.0.0.1:\(port)", requests: 20, rate: 100), 20)
        try await master.waitForWorkers(2)
        #expect(try await master.stop() == .exited(0))
    }

    @Test(.needs("systemd-notify")) func messagesOfAWorkersToolCount() async throws {
        let master = try Supervise([
            "--bind", "127.0.0.1:0", "--ready", "notify", "--", "sh", "-c",
            "systemd-notify --ready --status=warm; exec sleep 600",
        ])
        try await master.waitForWorkers(1)
        #expect(master.lines(Event.ready).first?["by"] == "notify")
    }
}
