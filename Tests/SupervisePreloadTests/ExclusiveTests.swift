import Glibc
import SuperviseLinux
import Testing

/// Servers that wait with epoll(7): a drained one consumes no wake-up of another.
@Suite(.serialized) struct ExclusiveTests {
    @Test(
        .enabled(if: Compiled.isPossible, "cc is not installed"),
        arguments: ["exclusive", "edge", "oneshot", "sets", "shared", "fork", "dup", "early"])
    func aDrainedWorkerTakesNoWakeUp(_ kind: String) async throws {
        let folder = try Folder()
        let stage = try Stage(nonblocking: true)
        let program = try await Compiled("eventful")
        // The kernel wakes the first waiter.
        var workers: [Worker] = []
        for name in ["first", "second"] {
            workers.append(try stage.worker([program.path, stage.port, kind, folder[name]]))
            try await eventually("the \(name) worker") { access(folder[name], F_OK) == 0 }
        }
        try await stage.connect(5, threads: 1)
        try workers[0].page.closeToNewConnections()
        try await stage.connect(20, threads: 1)
        let taken = workers[0].connections
        try await stage.connect(100, threads: 4)
        #expect(workers[0].connections == taken)
        #expect(workers.map(\.connections).reduce(0, +) == 125)
        // Nothing failed.
        for worker in workers { #expect(kill(worker.child.pid, 0) == 0) }
    }

    @Test(
        .enabled(if: Compiled.isPossible, "cc is not installed"),
        arguments: ["exclusive", "edge", "oneshot", "sets", "shared", "fork", "dup", "early"])
    func everyRegistrationServes(_ kind: String) async throws {
        let folder = try Folder()
        let stage = try Stage()
        let program = try await Compiled("eventful")
        let workers = try ["first", "second"].map {
            try stage.worker([program.path, stage.port, kind, folder[$0]])
        }
        let made = try await stage.connect(untilEachHas: 5, workers)
        #expect(workers.map(\.connections).reduce(0, +) == made)
    }

    /// A burst is queued when the flag is set: a program that accepts one connection per event
    /// still gets those that it may have been woken for.
    @Test func whatAWakeUpWasSpentOnIsAccepted() async throws {
        _ = try await Stage(nonblocking: true).probe(
            """
            import mmap
            page = mmap.mmap(4, 4096)
            server = bound()
            server.setblocking(False)
            poll = select.epoll()
            poll.register(server, select.EPOLLIN | select.EPOLLEXCLUSIVE)
            clients = [socket.create_connection(address()) for _ in range(10)]
            page[256:260] = struct.pack('=I', 1)
            accepted = 0
            while poll.poll(0.5):
                try:
                    server.accept()
                    accepted += 1
                except BlockingIOError:
                    pass
            assert 1 <= accepted <= 4, accepted
            assert failure(server.accept) == errno.EAGAIN
            # The program does not notice that it is registered no longer.
            poll.modify(server, select.EPOLLIN)
            poll.unregister(server)
            poll.register(server, select.EPOLLIN)
            assert poll.poll(0.1) == []
            poll.unregister(server)
            """)
    }

    /// Each process and thread that may have been woken accepts one, whatever else is open.
    @Test func manyDescriptorsAreSearched() async throws {
        _ = try await Stage(nonblocking: true).probe(
            """
            import mmap, resource
            limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, 20000), limit))
            page = mmap.mmap(4, 4096)
            server = bound()
            server.setblocking(False)
            poll = select.epoll()
            poll.register(server, select.EPOLLIN)
            for _ in range(min(limit, 20000) - 200):
                poll.register(os.eventfd(0), select.EPOLLIN)
            client = socket.create_connection(address())
            page[256:260] = struct.pack('=I', 1)
            assert failure(server.accept) == errno.EAGAIN
            assert poll.poll(0) == []
            """)
    }
}
