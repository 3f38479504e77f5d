import SuperviseLinux
import Testing

/// A worker that must find no new connections.
@Suite(.serialized) struct DrainTests {
    /// Sets the flag as the master does: in the page, whose descriptor follows the listener.
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
                assert poll.poll(10)
                find_nothing(server)
                assert poll.poll(0.5) == []
                """)
    }

    /// It gets all other events, but none for a connection.
    @Test(arguments: [true, false])
    func aLoopThatPollsIsNotWoken(isBlocking: Bool) async throws {
        _ = try await Stage(nonblocking: !isBlocking).probe(
            Self.drain + """
                server = bound()
                server.setblocking(\(isBlocking ? "True" : "False"))
                poll, waiting = select.poll(), select.poll()
                def selected(timeout):
                    return select.select([server, reading], [], [], timeout)[0]
                reading, writing = os.pipe()
                for each in (poll, waiting):
                    each.register(server, select.POLLIN)
                    each.register(reading, select.POLLIN)
                results = []
                threads = [threading.Thread(target=lambda: results.append(waiting.poll()), daemon=True),
                           threading.Thread(target=lambda: results.append(selected(None)), daemon=True)]
                for thread in threads: thread.start()
                time.sleep(0.2)
                drain()
                clients = [socket.create_connection(address()) for _ in range(2)]
                # These waited already: they return once, with nothing.
                for thread in threads: thread.join(20)
                assert results == [[], []], results
                assert poll.poll(0) == selected(0) == []
                os.write(writing, b'x')
                assert poll.poll(10) == [(reading, select.POLLIN)] and selected(10) == [reading]
                # By number it still finds what there is.
                raw = struct.pack('ihh', server.fileno(), select.POLLIN, 0)
                assert libc.syscall({'x86_64': 7}.get(os.uname().machine, 73), raw, 1, 0, 0, 0) >= 0
                """)
    }

    /// accept() waits for its own timeout and then finds nothing.
    @Test(arguments: [true, false], [true, false])
    func aTimeLimitIsKept(isNonblocking: Bool, hasThreads: Bool) async throws {
        _ = try await Stage(nonblocking: isNonblocking).probe(
            Self.drain + """
                server = bound()
                server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 0, 300000))
                if \(hasThreads ? "True" : "False"):
                    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
                drain()
                began = time.monotonic()
                assert libc.accept(server.fileno(), None, None) == -1
                assert ctypes.get_errno() == errno.EAGAIN
                assert 0.25 < time.monotonic() - began < 20
                """)
    }

    /// A program that serves one client after another waits for the next one, and has no request to
    /// lose.
    @Test(arguments: [true, false])
    func aProgramWithOneThreadWaitsToo(isNonblocking: Bool) async throws {
        _ = try await Stage(nonblocking: isNonblocking).probe(
            Self.drain + """
                server = bound()
                server.setblocking(True)
                client = socket.create_connection(address())
                connection = server.accept()[0]
                drain()
                # It serves somebody.
                find_nothing(server)
                connection.close()
                def alarm(*_): raise InterruptedError
                signal.signal(signal.SIGALRM, alarm)
                signal.setitimer(signal.ITIMER_REAL, 0.3)
                assert failure(server.accept) != errno.EAGAIN
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

    /// A server with one thread polls, and may have a response to send.
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

    /// A thread that is already in accept(2) leaves it when the master requests that, and no other
    /// thread is affected.
    @Test func aThreadInsideAcceptLeavesIt() async throws {
        _ = try await Stage().probe(
            Self.drain + """
                server = bound()
                tasks, accepted, received = [], [], []
                def run(call, results):
                    tasks.append(threading.get_native_id())
                    results.append(call())
                ends = socket.socketpair()
                for call, results in (server.accept, accepted), (lambda: ends[0].recv(1), received):
                    threading.Thread(target=run, args=(call, results), daemon=True).start()
                def waits(task):
                    with open(f'/proc/self/task/{task}/syscall') as file:
                        return file.read().split()[0] in ('43', '288', '202', '242', '45', '207')
                def wake():
                    for task in tasks:
                        assert libc.syscall(234, os.getpid(), task, 32) == 0
                while len(tasks) < 2 or not all(map(waits, tasks)): time.sleep(0.01)
                wake()
                time.sleep(0.1)
                drain()
                wake()
                time.sleep(0.2)
                client = socket.create_connection(address())
                time.sleep(0.5)
                assert not accepted and not received
                ends[1].send(b'x')
                while not received: time.sleep(0.01)
                assert received == [b'x']
                """)
    }

    /// A program that only accepts would treat an error as the end.
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
        // The call in progress accepted one, and the first call after the flag may have been woken
        // for one.
        #expect((page.connections() ?? 99) <= 2)
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

    /// If nothing is counted, the page exists only for this.
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
