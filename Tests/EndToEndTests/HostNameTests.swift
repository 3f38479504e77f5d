import Foundation
import Testing

/// A bind to a name that has an address in each family.
@Suite(.takesTurn) struct HostNameTests {
    /// How the program binds it, and whether it also serves the second address.
    @Test(
        .needsRoot,
        arguments: [
            ("each(socket.getaddrinfo('localhost', PORT, type=socket.SOCK_STREAM))", "auto", true),
            (
                "each(socket.getaddrinfo('localhost', PORT, type=socket.SOCK_STREAM))", "seccomp",
                true
            ),
            ("each([(socket.AF_INET6, 0, 0, '', ('::1', PORT))])", "auto", false),
            ("each([(socket.AF_INET6, 0, 0, '', ('::1', PORT))])", "seccomp", false),
            ("[socket.socket(fileno=3)]", "auto", false),
        ])
    func everyAddressIsBound(
        listeners: String, adopt: String, servesBoth: Bool
    ) async throws {
        let (folder, port) = (try Folder(), try freePort())
        try folder.write("hosts", "127.0.0.1 localhost\n::1 localhost\n")
        let server = try folder.write("server.py", Self.program(port, listeners))
        let master = try Supervise(
            ["--bind", "localhost:\(port)", "--workers", "3", "--adopt", adopt, "--"]
                + ["python3", server],
            wrapper: [
                "env", "unshare", "-m", "sh", "-c",
                "mount --bind \(folder["hosts"]) /etc/hosts && exec \"$@\"", "sh",
            ], folder: folder)
        for generation in 1...2 {
            try await master.wait("three ready workers", deadline: .seconds(40)) {
                master.lines(Event.ready).count == 3 * generation
            }
            expectNoFailure(try await load("127.0.0.1:\(port)", requests: 40, rate: 400), 40)
            let second = try await load("[::1]:\(port)", requests: 40, rate: 400)
            if servesBoth {
                expectNoFailure(second, 40)
            } else {
                // No client has to wait.
                #expect(second.reasons == ["refused": 40])
            }
            if generation == 1 { try await master.signal(SIGHUP) }
        }
        #expect(master.lines(Event.exit).allSatisfy { $0["cause"] != "boot-failed" })
        #expect(try await master.stop() == .exited(0))
    }

    private static func program(_ port: Int, _ listeners: String) -> String {
        """
        import os, select, socket
        PORT = \(port)
        def each(addresses):
            found = []
            for family, _, _, _, address in addresses:
                listener = socket.socket(family)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind(address[:2])
                listener.listen(5)
                listener.setblocking(False)
                found.append(listener)
            return found
        listeners = \(listeners)
        while True:
            for listener in select.select(listeners, [], [])[0]:
                try:
                    client = listener.accept()[0]
                except BlockingIOError:
                    continue
                client.recv(1000)
                body = f"pid {os.getpid()},".encode()
                length = str(len(body)).encode()
                client.sendall(
                    b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: " + length
                    + b"\\r\\n\\r\\n" + body)
                client.close()
        """
    }
}
