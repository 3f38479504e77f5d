import Glibc
import Testing

/// nginx as a worker: its own processes, which wait with EPOLLEXCLUSIVE.
@Suite(.takesLongTurn) struct NginxTests {
    /// A drained worker with a long download does not consume the wake-up of the new worker.
    @Test func aDrainedWorkerLeavesNoClientWaiting() async throws {
        let server = Server(
            name: "nginx", command: ["nginx", "-c", "FOLDER/nginx.conf"],
            configuration: "nginx.conf")
        guard server.missing.isEmpty else { try Test.cancel("nginx is not installed") }
        let folder = try Folder()
        let port = try freePort()
        let address = "127.0.0.1:\(port)"
        try folder.write("big", String(repeating: "x", count: 16 << 20))
        try server.configure(in: folder, port: port)
        // Its own workers run as another user, who must be able to read the file.
        chmod(folder.path, 0o755)
        let master = try Supervise(
            [
                "--name", "nginx", "--bind", address, "--graceful-timeout", "60s", "--",
            ] + server.filled(server.command, port: port, folder: folder), folder: folder)
        // From the log only: it overwrites its environment with its title.
        try await master.waitForEvent(Event.ready)

        let client = try Cage(
            [
                "python3", "-c",
                """
                import os, socket, sys, time
                client = socket.socket()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                client.connect(("127.0.0.1", int(sys.argv[1])))
                client.sendall(b"GET /files/big HTTP/1.0\\r\\n\\r\\n")
                answer = client.recv(1000)
                print("begun", flush=True)
                while not os.path.exists(sys.argv[2]):
                    time.sleep(0.02)
                while piece := client.recv(1 << 20):
                    answer += piece
                print(len(answer.split(b"\\r\\n\\r\\n", 1)[1]), flush=True)
                """, "\(port)", folder["go"],
            ], environment: baseEnvironment, output: folder["client"],
            errors: folder["client-errors"])
        try await master.wait("the download") { folder.lines("client") == ["begun"] }
        try await master.signal(SIGHUP)
        try await master.waitForEvent(Event.retiring)
        // One after the other: otherwise each would be the wake-up of the next.
        for _ in 0..<20 {
            let result = try await load(address, requests: 1, rate: 1, timeout: 5)
            #expect(result.ok == 1, "\(result.reasons)")
        }
        #expect(master.lines(Event.exit).isEmpty, "the old worker is still at its download")
        try folder.write("go", "")
        try await master.wait("the whole file") {
            folder.lines("client") == ["begun", "\(16 << 20)"]
        }
        try await master.waitForEvent(Event.exit)
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        #expect(master.lines("killed").isEmpty && master.leftBehind.isEmpty)
        withExtendedLifetime(client) {}
    }
}
