import Foundation
import Testing

/// The unit files, with the tools of systemd.
@Suite(.takesTurn) struct SystemdTests {
    @Test(.needs("systemd-analyze")) func theUnitsAreFlawless() async throws {
        let folder = try Folder()
        for name in ["supervise.service", "supervise.socket"] {
            let text = try #require(readFile("\(Place.package)/conf/\(name)"))
            // Programs installed elsewhere are searched.
            try folder.write(
                name, text.replacing("/usr/local/bin/supervise", with: Place.supervise))
        }
        func verify() async throws -> CommandResult {
            try await run([
                "systemd-analyze", "verify", folder["supervise.service"],
                folder["supervise.socket"],
            ])
        }
        let checked = try await verify()
        #expect(checked.status == .exited(0))
        // It also reports the other units of the machine.
        let told = (checked.output + checked.errors).split(separator: "\n")
            .filter { $0.contains("supervise") }
        #expect(told == [])
        // It would print the errors.
        try folder.write("supervise.socket", "[Socket]\nListenStream=8000\nNoSuchKey=1\n")
        #expect(try await verify().errors.contains("NoSuchKey"))
    }

    @Test func theServiceStartsAndReloadsWithItsOwnWords() async throws {
        let unit = try #require(readFile("\(Place.package)/conf/supervise.service"))
        let folder = try Folder()
        try folder.write(
            "shop.conf", "bind = 127.0.0.1:0\ncommand = \(Place.helloWorker)\nstable-after = 50ms\n"
        )
        func words(_ key: String) throws -> [String] {
            let line = try #require(
                unit.split(separator: "\n").first { $0.hasPrefix(key + "=") })
            return line.dropFirst(key.count + 1).split(separator: " ").map { word in
                String(word).replacing("/usr/local/bin/supervise", with: Place.supervise)
                    .replacing("/etc/%N", with: folder["%N"])
                    .replacing("%t/supervise", with: folder.path).replacing("%N", with: "shop")
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

    @Test(.needs("systemd-notify")) func aWorkersToolIsHeard() async throws {
        let master = try Supervise([
            "--bind", "127.0.0.1:0", "--ready", "notify", "--", "sh", "-c",
            "systemd-notify --ready --status=warm; exec sleep 600",
        ])
        try await master.waitForWorkers(1)
        #expect(master.lines(Event.ready).first?["by"] == "notify")
    }
}
