import SuperviseLinux
import Testing

/// The report of a worker that waits for connections.
@Suite(.serialized) struct ReportingTests {
    @Test(arguments: [
        "bound().listen(); libc.poll(ctypes.byref(ctypes.c_uint64(3 | 1 << 32)), 1, 0)",
        "select.select([3], [], [], 0)",
        "p = select.poll(); p.register(3, select.POLLIN); p.poll(0)",
        "e = select.epoll(); e.register(3, select.EPOLLIN)",
        "socket.socket(fileno=os.dup(3)).setblocking(False); libc.accept(3, None, None)",
        "server = bound(); server.setblocking(False); libc.accept4(server.fileno(), None, None, 0)",
        "libc.pselect(4, ctypes.byref((ctypes.c_ulong * 16)(1 << 3)), None, None, "
            + "ctypes.byref((ctypes.c_long * 2)()), None)",
        "libc.ppoll(ctypes.byref(ctypes.c_uint64(3 | 1 << 32)), 1, "
            + "ctypes.byref((ctypes.c_long * 2)()), None)",
        "os.fork() or (select.select([3], [], [], 0), os._exit(0)); os.wait()",
    ])
    func waitingIsReportedOnce(_ wait: String) async throws {
        let stage = try Stage(nonblocking: true)
        let page = try await stage.probe("for _ in range(3):\n    \(wait)")
        #expect(page.report() == .waits)
        _ = stage.messages()
        #expect(stage.reports == ["X_LISTENING=1"])
    }

    @Test(arguments: [
        "pass",
        "server = bound(); server.listen()",
        "select.select([], [3], [3], 0); select.select([], [], [], 0)",
        "p = select.poll(); p.register(3, select.POLLOUT); p.poll(0)",
        "e = select.epoll(); e.register(3, 0); e.modify(3, select.EPOLLOUT)",
        "other = socket.create_server(('127.0.0.1', 0)); select.select([other], [], [], 0)",
        "libc.accept(77, None, None); libc.poll(None, 0, 0)",
    ])
    func otherCallsAreNotReported(_ call: String) async throws {
        let stage = try Stage()
        let page = try await stage.probe(call)
        #expect(page.report() == .loaded)
        #expect(stage.messages() == [] && stage.reports == [])
    }

    @Test func withoutTheLibraryNothingIsReported() async throws {
        let stage = try Stage()
        let worker = try stage.worker(
            ["python3", "-c", "import select; select.select([3], [], [], 0)"],
            without: ["LD_PRELOAD"])
        #expect(try await worker.child.end() == .exited(0))
        #expect(worker.page.report() == .none)
    }

    /// Regardless of counting.
    @Test func aWorkerThatIsOnlyDrainedReportsToo() async throws {
        let stage = try Stage()
        let page = try await stage.probe(
            "select.select([3], [], [], 0)", variables: ["SUPERVISE_WORKER_DRAIN": "1"],
            without: ["SUPERVISE_WORKER_ADOPT", "SUPERVISE_WORKER_COUNT"])
        #expect(page.report() == .waits)
        #expect(stage.messages() == [] && stage.reports == ["X_LISTENING=1"])
    }
}
