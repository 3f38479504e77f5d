import Foundation
import Testing

/// Servers with other protocols, or with readiness notification: recycling loses nothing, and every
/// worker ends by the stop-signal.
@Suite(.takesLongTurn) struct ProtocolTests {
    private static let servers = [
        Server(
            name: "haproxy", command: ["haproxy", "-Ws", "-f", "FOLDER/haproxy.cfg"],
            path: "http", configuration: "haproxy.cfg"),
        Server(
            name: "sshd", command: ["/usr/sbin/sshd", "-D", "-f", "FOLDER/sshd_config"],
            path: "ssh",
            build: ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "FOLDER/key"],
            configuration: "sshd_config", needs: ["/usr/sbin/sshd", "/run/sshd"]),
        Server(
            name: "mosquitto", command: ["mosquitto", "-c", "FOLDER/mosquitto.conf"],
            path: "mqtt", configuration: "mosquitto.conf"),
        Server(
            name: "php-fpm", command: [phpFPM, "-F", "-y", "FOLDER/php-fpm.conf"],
            path: "fastcgi", configuration: "php-fpm.conf"),
        Server(
            name: "threads that accept", command: ["FOLDER/pausing", "PORT"], path: "http",
            build: ["cc", "-O2", "-pthread", "-o", "FOLDER/pausing", "SERVERS/pausing.c"]),
    ]

    /// In Debian, its name contains the version.
    private static let phpFPM =
        (0...9).map { "php-fpm8.\($0)" }.first { Place.program($0) != nil } ?? "php-fpm"

    @Test(arguments: servers) func recyclingDropsNothing(_ server: Server) async throws {
        guard server.missing.isEmpty else {
            try Test.cancel(
                "\(server.name) skipped: \(server.missing.joined(separator: ", ")) absent")
        }
        let folder = try Folder()
        let port = try freePort()
        try server.configure(in: folder, port: port)
        try await server.build(in: folder)
        let master = try Supervise(
            [
                "--bind", "127.0.0.1:\(port)", "--workers", "3", "--max-requests", "40",
                "--log-level", "debug", "--",
            ] + server.filled(server.command, port: port, folder: folder), folder: folder)
        try await master.wait("three ready workers", deadline: server.bootDeadline) {
            master.lines(Event.ready).count >= 3
        }
        let client = try Cage(
            [
                "python3", Place.client("exchange"), server.path, "\(port)", "900", "60",
            ], environment: baseEnvironment, output: folder["exchanges"],
            errors: folder["client-errors"])
        let status = try await eventually("the exchanges", within: .seconds(120)) {
            client.status
        }
        try #require(status == .exited(0), "\(readFile(folder["client-errors"]) ?? "")")
        #expect(folder.lines("exchanges") == [#"{"ok": 900}"#], "\(master.tail)")
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        let recycled = master.lines(Event.exit).filter { $0["cause"] == "max-requests" }
        #expect(recycled.count >= 3)
        #expect(master.lines("killed").isEmpty && master.lines("orphans-killed").isEmpty)
        #expect(master.leftBehind.isEmpty)
    }
}
