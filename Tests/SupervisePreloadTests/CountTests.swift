import SuperviseLinux
import Testing

/// Counting, and the notification at the limit.
@Suite(.serialized) struct CountTests {
    @Test(
        .enabled(if: Compiled.isPossible, "cc is not installed"),
        arguments: [["threads", "4"], ["fork", "4"]])
    func concurrentConnectionsAreCountedExactly(_ kind: [String]) async throws {
        let stage = try Stage()
        let program = try await Compiled("server")
        let worker = try stage.worker([program.path, stage.port] + kind, limit: 500)
        try await stage.connect(1000, threads: 16)
        #expect(worker.connections == 1000)
        #expect(worker.page.requests() == 0)
        #expect(rings(stage).count == 1)
    }

    @Test func aRaisedLimitRingsAgain() async throws {
        let stage = try Stage()
        let worker = try stage.worker(Self.server, limit: 4)
        try await stage.connect(6, threads: 1)
        #expect(rings(stage) == ["X_CONNECTIONS=4"])
        try worker.page.setLimit(9)
        try await stage.connect(6, threads: 1)
        #expect(rings(stage) == ["X_CONNECTIONS=9"])
        try worker.page.setLimit(0)
        try await stage.connect(6, threads: 1)
        #expect(rings(stage) == [])
        #expect(worker.connections == 18)
    }

    /// The count of a program that counts its requests itself takes precedence.
    @Test func aProgramsOwnCountRingsByItself() async throws {
        let stage = try Stage()
        let worker = try stage.worker(
            [
                "python3", "-c",
                """
                import mmap, struct
                mmap.mmap(4, 4096)[64:72] = struct.pack('=Q', 1)
                \(Self.script)
                """,
            ], limit: 2)
        try await stage.connect(5)
        #expect(worker.connections == 5)
        #expect(worker.page.requests() == 1)
        #expect(rings(stage) == [])
    }

    @Test func aRingThatFoundTheMastersSocketFullIsMadeUpFor() async throws {
        let stage = try Stage()
        let worker = try stage.worker(Self.server, limit: 2)
        let filler = try Child(
            [
                "python3", "-c",
                """
                import socket
                sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
                try:
                    while True: sender.sendto(b'STATUS=', '\\0\(stage.notifyAddress.dropFirst())')
                except BlockingIOError:
                    pass
                """,
            ], environment: [])
        #expect(try await filler.end() == .exited(0))
        try await stage.connect(3)
        #expect(rings(stage) == [])
        try await stage.connect(2)
        #expect(rings(stage) == ["X_CONNECTIONS=4"])
        #expect(worker.connections == 5)
    }

    @Test func aRingGoesToAPathToo() async throws {
        let folder = try Folder()
        _ = try await Stage().probe(
            """
            master = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            master.bind(os.environ['NOTIFY_SOCKET'])
            del os.environ['NOTIFY_SOCKET']
            server = bound()
            client = socket.create_connection(address())
            server.accept()
            assert master.recv(100) == b'X_LISTENING=1'
            assert master.recv(100) == b'X_CONNECTIONS=1'
            """, limit: 1, variables: ["NOTIFY_SOCKET": folder["notify"]])
    }

    /// A program that changes its user may be unable to reach the path, and one that closes unknown
    /// descriptors does not lose the socket.
    @Test(arguments: ["os.rename(path, path + '.away')", "os.closerange(5, 1024)"])
    func aRingComesThroughWhenThePathOrTheSocketIsGone(change: String) async throws {
        let folder = try Folder()
        _ = try await Stage().probe(
            """
            path = os.environ['NOTIFY_SOCKET']
            master = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            master.bind(path)
            program = '''if True:
                from probe import *
                path = os.environ['NOTIFY_SOCKET']
                \(change)
                server = bound()
                client = socket.create_connection(address())
                server.accept()
                '''
            subprocess.run([sys.executable, '-c', program], pass_fds=[3, 4], check=True)
            master.settimeout(20)
            while master.recv(100) != b'X_CONNECTIONS=1': pass
            """, limit: 1, variables: ["NOTIFY_SOCKET": folder["notify"]])
    }

    @Test func whatIsNotOursIsNotCounted() async throws {
        let page = try await Stage().probe(
            """
            other = socket.create_server(('127.0.0.1', 0))
            client = socket.create_connection(other.getsockname())
            other.accept()
            # Under a number that was ours.
            os.dup2(other.fileno(), 3)
            again = socket.create_connection(other.getsockname())
            libc.accept(3, None, None)
            """)
        #expect(page.connections() == 0)
    }

    /// A count is cached while no other process can accept; otherwise it is read again.
    @Test(arguments: ["made", "made by number", "inherited", "passed in time"])
    func aNumberThatOnceWasOursIsNotTrustedBlindly(_ origin: String) async throws {
        let worker = try Stage().worker(["python3", "\(Place.programs)/foreign.py", origin])
        #expect(try await worker.child.end() == .exited(0))
        #expect(worker.connections == 5)
    }

    @Test func aListenerCountsUnderAnyNumber() async throws {
        let page = try await Stage().probe(
            """
            clients = [socket.create_connection(address()) for _ in range(5)]
            number = fcntl.fcntl(3, fcntl.F_DUPFD_CLOEXEC, 100)
            os.close(3)
            assert libc.accept(number, None, None) >= 0
            left, right = socket.socketpair()
            socket.send_fds(left, [b'x'], [number])
            _, (passed,), _, _ = socket.recv_fds(right, 1, 1)
            os.close(number)
            assert libc.accept4(passed, None, None, 0) >= 0
            # The same number, now of something else.
            os.dup2(left.fileno(), number)
            assert libc.accept(number, None, None) == -1
            child = os.fork()
            if child == 0:
                libc.accept(passed, None, None)
                os._exit(0)
            os.waitpid(child, 0)
            # Executed, with the page and without it.
            program = 'import socket; socket.socket(fileno=%d).accept()' % passed
            for passed_on in ([passed, 4], [passed]):
                subprocess.run([sys.executable, '-c', program], pass_fds=passed_on, check=True)
            """)
        #expect(page.connections() == 5)
    }

    private static let script = """
        from probe import *
        server = bound()
        while True:
            client, _ = server.accept()
            client.recv(4096)
            client.send(b'HTTP/1.0 200 OK')
            client.close()
        """
    private static let server = ["python3", "-c", script]

    private func rings(_ stage: Stage) -> [String] {
        stage.messages().filter { $0 != "STATUS=" }
    }
}
