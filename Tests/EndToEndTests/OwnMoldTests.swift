import Testing

/// Molds that an operator wrote.
@Suite(.takesTurn) struct OwnMoldTests {
    private let server: ForkedServer

    init() throws { server = try ForkedServer() }

    private var folder: Folder { server.folder }

    /// Until it reports, the master knows it only as a child with the page of a worker.
    @Test func aNewWorkerWithoutAnEnvironmentIsNoOrphan() async throws {
        try folder.write(
            "mold.py",
            """
            import array, os, signal, socket, sys, time
            if len(sys.argv) == 1:
                os.execve(sys.executable, ["python3", __file__, os.environ["SUPERVISE_MOLD"]], {})
            orders = socket.socket(fileno=int(sys.argv[1]))
            orders.send(b"READY=1")

            def forked_twice(run):
                reader, writer = os.pipe()
                middle = os.fork()
                if middle == 0:
                    middle = os.getpid()
                    child = os.fork()
                    if child > 0:
                        os.write(writer, str(child).encode())
                        os._exit(0)
                    os.close(writer)
                    while os.getppid() == middle:
                        time.sleep(0.001)
                    run()
                    os._exit(0)
                os.waitpid(middle, 0)
                os.close(writer)
                with open(reader) as file:
                    return file.read()

            def work():
                # The master inspects its children when it reaps one.
                orphan = forked_twice(lambda: None)
                while os.path.exists("/proc/" + orphan):
                    time.sleep(0.001)
                os.setpgid(0, 0)
                channel.send(b"HERE")
                if channel.recv(16) == b"GO":
                    channel.close()
                    signal.pause()

            while True:
                message, parts, _, _ = orders.recvmsg(4096, 4096)
                if not message:
                    break
                numbers = array.array("i", parts[0][2])
                channel = socket.socket(fileno=numbers[1])
                forked_twice(work)
                channel.close()
                for number in [numbers[0], *numbers[2:]]:
                    os.close(number)

            """)
        let master = try server.start(
            ["--ready", "exec"], mold: "python3 \(folder["mold.py"])")
        try await master.wait("two workers") { master.lines(Event.ready).count >= 2 }
        #expect(master.lines("start-failed").isEmpty && master.lines("mold-failed").isEmpty)
        #expect(master.lines("mold-ready").count == 1)
        #expect(try await master.stop() == .exited(0))
        #expect(master.leftBehind.isEmpty)
    }
}
