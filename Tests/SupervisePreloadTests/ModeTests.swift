import SuperviseLinux
import Testing

/// All workers share the blocking mode; each must find the mode that it expects.
@Suite(.serialized) struct ModeTests {
    private static let blocking = [
        "python3", "-c",
        """
        from probe import *
        server = bound()
        server.listen(5)
        while True:
            client, _ = server.accept()
            client.recv(4096)
            client.send(b'HTTP/1.0 200 OK')
            client.close()
        """,
    ]
    private static let nonblocking = [
        "python3", "-c",
        """
        from probe import *
        server = bound()
        server.listen(5)
        server.setblocking(False)
        while True:
            select.select([server], [], [])
            try:
                client, _ = server.accept()
            except BlockingIOError:
                continue
            client.setblocking(True)
            client.recv(4096)
            client.send(b'HTTP/1.0 200 OK')
            client.close()
        """,
    ]

    @Test(arguments: [false, true])
    func workersOfBothModesShareAListener(startsNonblocking: Bool) async throws {
        let stage = try Stage(nonblocking: startsNonblocking)
        // The first is waiting in accept() when the second makes the listener non-blocking.
        let first = try stage.worker(Self.blocking)
        _ = try await stage.connect(untilEachHas: 1, [first])
        let second = try stage.worker(Self.nonblocking)
        _ = try await stage.connect(untilEachHas: 1, [second])
        let third = try stage.worker(Self.blocking)
        let before = [first, second, third].map(\.connections).reduce(0, +)
        let made = try await stage.connect(untilEachHas: 8, [first, second, third])
        let after = [first, second, third].map(\.connections).reduce(0, +)
        #expect(after - before == made)
    }

    @Test(arguments: [false, true])
    func theProgramIsToldWhatItExpects(startsNonblocking: Bool) async throws {
        _ = try await Stage(nonblocking: startsNonblocking).probe(
            """
            started = truly_nonblocking(3)
            # Taken by number it has the mode that it has.
            assert nonblocking(3) == started
            server = bound()
            number = server.fileno()
            assert not nonblocking(number) and truly_nonblocking(number) == started

            server.setblocking(False)
            assert nonblocking(number) and truly_nonblocking(number)
            assert failure(server.accept) == errno.EAGAIN
            server.setblocking(True)
            assert not nonblocking(number) and truly_nonblocking(number)

            flags = fcntl.fcntl(number, fcntl.F_GETFL)
            assert fcntl.fcntl(number, fcntl.F_SETFL, flags | os.O_NONBLOCK) == 0
            assert nonblocking(number)
            copy = os.dup(number)
            assert nonblocking(copy)
            fcntl.fcntl(copy, fcntl.F_SETFL, flags)
            assert not nonblocking(number) and not nonblocking(copy)
            fcntl.fcntl(copy, fcntl.F_SETFL, flags | os.O_ASYNC)
            assert fcntl.fcntl(copy, fcntl.F_GETFL) & os.O_ASYNC
            assert truly_nonblocking(copy)
            fcntl.fcntl(copy, fcntl.F_SETFL, flags)
            assert not fcntl.fcntl(copy, fcntl.F_GETFL) & os.O_ASYNC

            # Bound in the mode that it wants.
            second = socket.socket()
            second.setblocking(False)
            second.bind(address())
            assert nonblocking(second.fileno())
            assert failure(second.accept) == errno.EAGAIN

            # Others have the mode that they have.
            other = socket.socket()
            other.setblocking(False)
            assert nonblocking(other.fileno()) and truly_nonblocking(other.fileno())
            other.setblocking(True)
            assert not nonblocking(other.fileno()) and not truly_nonblocking(other.fileno())
            """)
    }

    @Test func aSocketThatIsNonBlockingMakesTheListenerSo() async throws {
        _ = try await Stage().probe(
            """
            server = socket.socket()
            server.setblocking(False)
            assert not truly_nonblocking(3)
            server.bind(address())
            assert truly_nonblocking(3) and nonblocking(server.fileno())
            assert failure(server.accept) == errno.EAGAIN
            """)
    }

    @Test(arguments: [false, true])
    func aWaitEndsBySignalOrTimeout(startsNonblocking: Bool) async throws {
        _ = try await Stage(nonblocking: startsNonblocking).probe(
            """
            server = bound()
            number = server.fileno()
            beats = []
            signal.signal(signal.SIGALRM, lambda *_: beats.append(1))
            signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
            assert libc.accept(number, None, None) == -1
            assert ctypes.get_errno() == errno.EINTR

            # Where every handler restarts what it interrupts, a wait goes on.
            for each in (signal.SIGALRM, signal.SIGINT):
                signal.siginterrupt(each, False)
            def call():
                time.sleep(0.3)
                global client
                client = socket.create_connection(address())
            caller = threading.Thread(target=call)
            caller.start()
            accepted = libc.accept(number, None, None)
            assert accepted >= 0, ctypes.get_errno()
            caller.join()
            signal.setitimer(signal.ITIMER_REAL, 0)

            # A time to wait at most, set before or after the bind().
            def waits(sock):
                begin = time.monotonic()
                assert libc.accept(sock.fileno(), None, None) == -1
                assert ctypes.get_errno() == errno.EAGAIN
                return time.monotonic() - begin
            limited = socket.socket()
            limited.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 0, 200000))
            limited.bind(address())
            assert ours(limited) == 0
            assert waits(limited) > 0.19
            limited.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 0, 100000))
            assert 0.09 < waits(limited) < 20
            limited.setblocking(False)
            assert waits(limited) < 0.09
            """)
    }

    /// libc does not describe its own signals, and sets errno.
    @Test func aRealTimeSignalInterruptsAWaitToo() async throws {
        _ = try await Stage(nonblocking: true).probe(
            """
            server = bound()
            # The only handler that does not restart what it interrupts is the real-time signal's.
            signal.siginterrupt(signal.SIGINT, False)
            for each in (signal.SIGRTMIN + 3, signal.SIGRTMAX):
                signal.signal(each, lambda *_: None)
                timer = threading.Timer(0.2, lambda: signal.pthread_kill(main, each))
                main = threading.main_thread().ident
                timer.start()
                assert libc.accept(server.fileno(), None, None) == -1
                assert ctypes.get_errno() == errno.EINTR, ctypes.get_errno()
                timer.join()
            """)
    }

    /// Behaviour without the library is preserved: the mode of an inherited descriptor that a
    /// program uses by its number.
    @Test func anInheritedListenerStaysBlockingForItsProgram() async throws {
        let stage = try Stage()
        let first = try stage.worker([
            "python3", "-c",
            """
            from probe import *
            server = socket.socket(fileno=3)
            while True:
                client, _ = server.accept()
                client.recv(4096)
                client.send(b'HTTP/1.0 200 OK')
                client.close()
            """,
        ])
        _ = try await stage.connect(untilEachHas: 1, [first])
        let second = try stage.worker(Self.nonblocking)
        _ = try await stage.connect(untilEachHas: 8, [first, second])
    }
}
