import SuperviseLinux
import Testing

/// A worker that is to find no new connections.
@Suite(.serialized) struct DrainTests {
    /// Sets the flag as the master does: in the page, which the script finds behind its listener.
    private static let drain = """
        import mmap
        page = mmap.mmap(4, 4096)
        def drain():
            page[256:260] = struct.pack('=I', 1)
        def find_nothing(server):
            try:
                server.accept()
            except BlockingIOError:
                return
            raise AssertionError('it found one')

        """

    @Test func aLoopFindsNothingAndDoesNotSpin() async throws {
        _ = try await Stage(nonblocking: true).probe(
            Self.drain + """
                server = bound()
                server.setblocking(False)
                poll = select.epoll()
                poll.register(server.fileno(), select.EPOLLIN)
                clients = [socket.create_connection(address()) for _ in range(2)]
                assert poll.poll(10)
                server.accept()[0].close()
                drain()
                began, turns = time.monotonic(), 0
                while time.monotonic() - began < 0.5:
                    assert poll.poll(10)
                    find_nothing(server)
                    turns += 1
                assert 5 < turns <= 500, turns
                """)
    }

    @Test func anEmptyQueueIsNotWaitedFor() async throws {
        _ = try await Stage(nonblocking: true).probe(
            Self.drain + """
                server = bound()
                server.setblocking(False)
                drain()
                began = time.monotonic()
                for _ in range(1000):
                    try:
                        server.accept()
                    except BlockingIOError:
                        pass
                assert time.monotonic() - began < 0.5
                """)
    }

    /// A server with one thread polls, and may have an answer in its hands.
    @Test(arguments: [true, false])
    func whoPollsWithOneThreadIsNotHeldUp(isNonblocking: Bool) async throws {
        _ = try await Stage(nonblocking: isNonblocking).probe(
            Self.drain + """
                server = bound()
                server.setblocking(True)
                client = socket.create_connection(address())
                select.select([server], [], [])
                drain()
                find_nothing(server)
                """)
    }

    /// One that does nothing but accept would take an error for the end.
    @Test(arguments: [true, false])
    func aThreadThatOnlyAcceptsWaits(isNonblocking: Bool) async throws {
        let page = try await Stage(nonblocking: isNonblocking).probe(
            Self.drain + """
                server = bound()
                server.setblocking(True)
                ends = []
                def run():
                    try:
                        while True: server.accept()
                    finally:
                        ends.append(1)
                threading.Thread(target=run, daemon=True).start()
                time.sleep(0.2)
                drain()
                clients = [socket.create_connection(address()) for _ in range(3)]
                time.sleep(0.5)
                assert not ends
                """)
        // The call that was under way took one.
        #expect((page.connections() ?? 99) <= 1)
    }

    @Test func childrenFindNothingEither() async throws {
        _ = try await Stage(nonblocking: true).probe(
            Self.drain + """
                server = bound()
                server.setblocking(False)
                client = socket.create_connection(address())
                if os.fork() == 0:
                    drain()
                    os._exit(0)
                os.wait()
                find_nothing(server)
                """)
    }

    @Test func otherSocketsAreLeftAlone() async throws {
        _ = try await Stage().probe(
            Self.drain + """
                own = socket.create_server(('127.0.0.1', 0))
                drain()
                client = socket.create_connection(own.getsockname())
                own.accept()
                """)
    }

    /// The page is there for this alone where nothing is counted.
    @Test func nothingHasToBeCounted() async throws {
        let page = try await Stage(nonblocking: true).probe(
            Self.drain + """
                server = bound()
                server.setblocking(False)
                clients = [socket.create_connection(address()) for _ in range(2)]
                server.accept()
                drain()
                find_nothing(server)
                """, without: ["SUPERVISE_WORKER_COUNT"])
        #expect(page.connections() == 0)
    }
}
