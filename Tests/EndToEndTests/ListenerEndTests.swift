import Foundation
import Testing

/// Listeners that one worker shuts down although all workers share them.
@Suite(.takesTurn) struct ListenerEndTests {
    @Test(arguments: ["listener.shutdown(socket.SHUT_RDWR)", "libc.connect(3, bytes(16), 16)"])
    func itIsNoticedAndListenedOnAgain(call: String) async throws {
        let master = try Self.start(["--bind", "127.0.0.1:0"], call)
        let address = try await master.address()
        for round in 1...2 {
            let worker = try await master.waitForWorkers(2)[0]
            try #require(kill(worker.pid, SIGUSR1) == 0)
            try await master.wait("the call") {
                master.folder.lines("stdout").count == round
            }
            // The second time within a second of the first.
            var answered = 0
            for _ in 0..<100 where answered == 0 {
                answered = try await load(address, requests: 1, rate: 10).ok
            }
            #expect(answered == 1)
        }
        let line = try await master.waitForEvent("listener-shut-down")
        #expect(line["level"] == "warning" && line["address"] == address)
        // It is logged once per minute.
        #expect(master.lines("listener-shut-down").count == 1)
        let result = try await load(address, requests: 100, rate: 400)
        expectNoFailure(result, 100)
        #expect(try await master.stop() == .exited(0))
    }

    @Test func theOnlyWorkerIsNamed() async throws {
        let master = try Self.start(
            ["--bind", "127.0.0.1:0", "--workers", "1"], "listener.shutdown(socket.SHUT_RDWR)")
        let worker = try await master.waitForWorkers(1)[0]
        try #require(kill(worker.pid, SIGUSR1) == 0)
        let line = try await master.waitForEvent("listener-shut-down")
        #expect(line.pid == worker.pid && line["slot"] == "0" && line["pool"] == "default")
        #expect(try await master.stop() == .exited(0))
    }

    /// A unix socket cannot listen again.
    @Test func aReloadOpensAUnixSocketAnew() async throws {
        let folder = try Folder()
        let master = try Self.start(
            ["--bind", "unix:" + folder["web"]], "listener.shutdown(socket.SHUT_RDWR)",
            folder: folder)
        let workers = try await master.waitForWorkers(2)
        try #require(kill(workers[0].pid, SIGUSR1) == 0)
        #expect(try await master.waitForEvent("listener-shut-down").mentions("reload"))
        try await master.signal(SIGHUP)
        try await master.waitForWorkers(2, deadline: .seconds(40), without: workers)
        let result = try await load("unix:" + folder["web"], requests: 40, rate: 400)
        expectNoFailure(result, 40)
        #expect(try await master.stop() == .exited(0))
    }

    /// A worker that makes the listener deaf without shutting it down. Only root may filter.
    @Test(arguments: [
        ("filter()", "removed it"), ("share()", "cleared it"), ("filter(lock=1)", "restart"),
    ])
    func aDeafListenerIsRepairedAndReported(call: String, advice: String) async throws {
        guard call == "share()" || getuid() == 0 else { try Test.cancel("needs root") }
        let master = try Self.start(["--bind", "127.0.0.1:0"], call)
        let address = try await master.address()
        let worker = try await master.waitForWorkers(2)[0]
        expectNoFailure(try await load(address, requests: 10, rate: 100), 10)
        try #require(kill(worker.pid, SIGUSR1) == 0)
        try await master.wait("the call") { !master.folder.lines("stdout").isEmpty }
        // The status, or the next worker, detects it.
        #expect(try await master.command("status").status == .exited(0))
        let line = try await master.waitForEvent("listener-altered")
        #expect(line["address"] == address && line.mentions(advice), "\(line)")
        if advice != "restart" {
            expectNoFailure(try await load(address, requests: 100, rate: 400), 100)
        }
        #expect(try await master.stop() == .exited(0))
    }

    @Test func connectionsDoNotWakeTheMaster() async throws {
        let master = try Self.start(["--bind", "127.0.0.1:0"], "pass")
        try await master.waitForWorkers(2)
        let address = try await master.address()
        let before = try await master.contextSwitches()
        expectNoFailure(try await load(address, requests: 200, rate: 400), 200)
        #expect(try await master.contextSwitches() - before < 50)
        #expect(try await master.stop() == .exited(0))
    }

    private static func start(
        _ options: [String], _ call: String, folder: Folder? = nil
    ) throws -> Supervise {
        let script = """
            import ctypes, os, signal, socket, struct, time
            libc = ctypes.CDLL(None)
            listener = socket.socket(fileno=3)
            def filter(lock=0):
                code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
                listener.setsockopt(
                    socket.SOL_SOCKET, 26, struct.pack("HxxxxxxQ", 1, ctypes.addressof(code)))
                if lock:
                    listener.setsockopt(socket.SOL_SOCKET, 44, 1)
            def share():
                global other
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                other = socket.socket()
                for option in socket.SO_REUSEADDR, socket.SO_REUSEPORT:
                    other.setsockopt(socket.SOL_SOCKET, option, 1)
                other.bind(listener.getsockname())
                other.listen()
                code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 1))
                other.setsockopt(
                    socket.SOL_SOCKET, 51, struct.pack("HxxxxxxQ", 1, ctypes.addressof(code)))
            def end(*_):
                \(call)
                print("called", flush=True)
            signal.signal(signal.SIGUSR1, end)
            while True:
                try:
                    client = listener.accept()[0]
                except OSError:
                    time.sleep(0.01)
                    continue
                client.recv(1000)
                body = f"pid {os.getpid()},".encode()
                length = str(len(body)).encode()
                client.sendall(
                    b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: " + length
                    + b"\\r\\n\\r\\n" + body)
                client.close()
            """
        return try Supervise(
            ["--workers", "2", "--adopt", "off", "--count", "off", "--drain", "signal"] + options
                + ["--", "python3", "-c", script], folder: folder)
    }
}
