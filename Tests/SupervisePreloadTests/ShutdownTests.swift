import SuperviseLinux
import Testing

/// shutdown() of a listener ends accepting only in this process.
@Suite(.serialized) struct ShutdownTests {
    private static let threads = """
        where = address()
        server = bound()
        server.setblocking(True)
        codes = []
        def run(wait=lambda: None):
            wait()
            codes.append(failure(server.accept))
        def start(count, *wait):
            threads = [threading.Thread(target=run, args=wait) for _ in range(count)]
            for thread in threads: thread.start()
            time.sleep(0.3)
            return threads
        def join(threads):
            for thread in threads:
                thread.join(20)
                assert not thread.is_alive()

        """

    /// Also if the listener is non-blocking because of another worker, and if the threads leave all
    /// signals to one that waits for them.
    @Test(arguments: [false, true])
    func threadsInAcceptAreWoken(isNonblocking: Bool) async throws {
        let stage = try Stage(nonblocking: isNonblocking)
        _ = try await stage.probe(
            """
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
            \(Self.threads)
            threads = start(4)
            server.shutdown(socket.SHUT_RDWR)
            join(threads)
            assert codes == [errno.EINVAL] * 4, codes
            assert failure(server.accept) == errno.EINVAL
            assert failure(os.dup, server.fileno()) == 0
            # The address can be bound again.
            again = bound(where)
            assert ours(again) == 0
            client = socket.create_connection(where)
            again.accept()
            """)
        try await expectThatOthersAccept(stage)
    }

    @Test func pollingProgramsAreNotified() async throws {
        _ = try await Stage().probe(
            """
            \(Self.threads)
            poll = select.epoll()
            poll.register(server, select.EPOLLIN)
            polled = select.poll()
            polled.register(server, select.POLLIN)
            server.settimeout(None)
            def by_select():
                while not select.select([server], [], [])[0]: pass
            threads = start(1, lambda: polled.poll()) + start(1, by_select) + start(1, poll.poll)
            server.shutdown(socket.SHUT_RD)
            join(threads)
            assert codes == [errno.EINVAL] * 3, codes
            assert poll.poll(0)[0][1] & select.EPOLLHUP
            """)
    }

    /// A handler that shuts the listener down interrupts an accept() that the kernel restarts.
    @Test(arguments: [false, true])
    func aHandlerEndsTheAcceptThatItInterrupts(isNonblocking: Bool) async throws {
        guard Compiled.isPossible else { try Test.cancel("cc is not installed") }
        let program = try await Compiled("shutter")
        let stage = try Stage(nonblocking: isNonblocking)
        let worker = try stage.worker([program.path, stage.port])
        #expect(try await worker.child.end() == .exited(0))
        try await expectThatOthersAccept(stage)
    }

    @Test(arguments: ["socket.SHUT_RD", "socket.SHUT_RDWR"])
    func anyOfItsDescriptorsStandsForAll(how: String) async throws {
        _ = try await Stage().probe(
            """
            server = bound()
            copy = server.dup()
            copy.shutdown(\(how))
            assert failure(server.accept) == failure(copy.accept) == errno.EINVAL
            assert not os.get_inheritable(server.fileno())
            if os.fork() == 0:
                os._exit(failure(server.accept) != errno.EINVAL)
            assert os.wait()[1] == 0
            """)
    }

    /// The kernel keeps the address of a listener that was shut down.
    @Test func theAddressIsKept() async throws {
        _ = try await Stage().probe(
            """
            server = bound()
            server.shutdown(socket.SHUT_RD)
            assert server.getsockname() == address()
            other = socket.socket()
            assert other.getsockname() == ('0.0.0.0', 0)
            """)
    }

    /// The kernel's shutdown ends the socket for processes that were forked before, too. A process
    /// that binds the address afterwards has a listener again, and so do its children.
    @Test func childrenThatExistFollow() async throws {
        let stage = try Stage()
        _ = try await stage.probe(
            """
            def child(run):
                if os.fork() == 0:
                    os._exit(0 if run() else 1)
            where = address()
            server = bound()
            ready, go = os.pipe()
            def ends():
                os.read(ready, 1)
                return failure(server.accept) == errno.EINVAL
            child(ends)
            server.shutdown(socket.SHUT_RD)
            os.write(go, b'x')
            assert os.wait()[1] == 0
            again = bound(where)
            child(lambda: again.accept())
            client = socket.create_connection(where)
            assert os.wait()[1] == 0
            client = socket.create_connection(where)
            again.accept()
            """)
        try await expectThatOthersAccept(stage)
    }

    /// A parent that waits for its children would otherwise wait for their next connections.
    @Test func childrenThatWaitInAcceptAreWoken() async throws {
        let stage = try Stage()
        _ = try await stage.probe(
            """
            server = bound()
            children = []
            for _ in range(3):
                children.append(os.fork())
                if children[-1] == 0:
                    os._exit(0 if failure(server.accept) == errno.EINVAL else 1)
            def waits(pid):
                with open(f"/proc/{pid}/syscall") as file:
                    return file.read().split()[0] in ("43", "288", "202", "242")
            while not all(map(waits, children)):
                time.sleep(0.01)
            server.shutdown(socket.SHUT_RD)
            for _ in children:
                assert os.wait()[1] == 0
            """)
        try await expectThatOthersAccept(stage)
    }

    @Test func disconnectingIsTheSame() async throws {
        let stage = try Stage()
        _ = try await stage.probe(
            """
            where = address()
            server = bound()
            assert libc.connect(server.fileno(), bytes(16), 16) == 0
            assert failure(server.accept) == errno.EINVAL
            client = socket.create_connection(where)
            assert libc.connect(client.fileno(), bytes(16), 16) == 0
            """)
        try await expectThatOthersAccept(stage)
    }

    private func expectThatOthersAccept(_ stage: Stage) async throws {
        #expect(stage.backlog == 700)
        _ = try await stage.probe(
            """
            server = bound()
            client = socket.create_connection(address())
            server.accept()
            """)
    }
}
