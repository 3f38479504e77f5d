import Glibc
import Testing

@testable import SuperviseLinux

/// Real programs, each with our listener as descriptor 3.
struct AcceptEvidenceTests {
    private static let prelude = "import os, select, socket, sys\ns = socket.socket(fileno=3)\n"

    @Test(arguments: [
        "e = select.epoll(); e.register(3, select.EPOLLIN); e.poll()",
        "p = select.poll(); p.register(3, select.POLLIN); p.poll()",
        "select.select([os.pipe()[0], 3], [], [])",
        "s.accept()",
        "os.dup2(3, 90); os.close(3); socket.socket(fileno=90).accept()",
        "import threading; threading.Thread(target=s.accept).start()",
        asyncServer,
    ])
    func aWaitingProgramIsSeen(_ body: String) throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 16)
        let child = try TestChild(
            ["python3", "-c", Self.prelude + body], descriptors: [listener.rawValue])
        #expect(waits(child, listener))
    }

    /// One connection at a time and never idle: such a program is never observed waiting.
    @Test(arguments: [true, false])
    func anAcceptedConnectionIsAsGood(_ isTCP: Bool) throws {
        let folder = try TestFolder()
        let listener =
            isTCP
            ? try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 16)
            : try ListenSocket.unix(path: "\(folder.path)/socket", mode: 0o600, backlog: 16)
        let body = """
            import time
            c = socket.socket(s.family)
            c.connect(s.getsockname())
            os.write(4, b'c')
            if sys.stdin.read() == '': a = s.accept()
            os.write(4, b'a')
            time.sleep(60)
            """
        let said = try TestPipe()
        let child = try TestChild(
            ["python3", "-c", Self.prelude + body],
            descriptors: [listener.rawValue, said.writing.rawValue])
        #expect(try TestPipe.text(from: said.reading.rawValue) { $0.contains("a") } == "ca")
        #expect(waits(child, listener))
    }

    @Test func anUnacceptedConnectionDoesNotCount() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 16)
        let body = """
            import time
            c = socket.create_connection(s.getsockname())
            os.write(4, b'c')
            time.sleep(60)
            """
        let said = try TestPipe()
        let child = try TestChild(
            ["python3", "-c", Self.prelude + body],
            descriptors: [listener.rawValue, said.writing.rawValue])
        #expect(try TestPipe.text(from: said.reading.rawValue) { !$0.isEmpty } == "c")
        for _ in 0..<20 {
            let evidence = observe(child.pid, listener)
            #expect(evidence == .notYet)
        }
    }

    @Test func aProgramBehindAShellIsSeen() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 16)
        let child = try TestChild(
            ["sh", "-c", "python3 -c '\(Self.prelude)s.accept()'; exit 1"],
            descriptors: [listener.rawValue])
        #expect(waits(child, listener))
        #expect(ProcessTree.descendants(of: child.pid).count == 1)
    }

    @Test(arguments: [
        "import time; time.sleep(60)",
        "os.read(os.pipe()[0], 1)",
        "t = socket.socket(); t.listen(); t.accept()",
        "t = socket.socket(); t.listen(); select.select([t], [3], [])",
        "t = socket.socket(); p = select.poll(); p.register(t); p.register(3, 0); "
            + "t.listen(); p.poll()",
        "e = select.epoll(); e.register(3, 0); e.poll()",
    ])
    func otherWaitsAreNone(_ body: String) throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 16)
        let said = try TestPipe()
        let child = try TestChild(
            ["python3", "-c", Self.prelude + "os.write(4, b'x')\n" + body],
            descriptors: [listener.rawValue, said.writing.rawValue])
        #expect(try TestPipe.text(from: said.reading.rawValue) { !$0.isEmpty } == "x")
        #expect(eventually { ProcessStatus.read(child.pid)?.state == "S" })
        for _ in 0..<20 {
            let evidence = observe(child.pid, listener)
            #expect(evidence == .notYet)
        }
    }

    /// The root is not reaped yet, so if it is invisible, /proc is restricted.
    @Test func aProcessThatCannotBeSeenIsUnreadable() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 16)
        #expect(observe(999_999_999, listener) == .unreadable)
    }

    /// Reads that can block on the process are left to a thorough sample.
    @Test(arguments: [
        ("e = select.epoll(); e.register(3, select.EPOLLIN); e.poll()", AcceptEvidence.waiting),
        ("s.accept()", .waiting),
        ("p = select.poll(); p.register(3, select.POLLIN); p.poll()", .needsMore),
        ("select.select([3], [], [])", .needsMore),
        ("t = socket.socket(); os.read(os.pipe()[0], 1)", .needsMore),
        ("os.read(os.pipe()[0], 1)", .notYet),
    ])
    func aCautiousSampleReadsNoMemory(_ body: String, _ expected: AcceptEvidence) throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 16)
        let child = try TestChild(
            ["python3", "-c", Self.prelude + body], descriptors: [listener.rawValue])
        #expect(
            eventually {
                ProcessStatus.read(child.pid)?.state == "S"
                    && observe(child.pid, listener, depth: .cautious) == expected
            })
    }

    @Test(.enabled(if: isRoot, "needs root"))
    func ofAnotherUsersProcessACautiousSampleReadsTheUserAlone() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 16)
        let child = try TestChild(
            ["python3", "-c", Self.prelude + "os.setuid(65534); s.accept()"],
            descriptors: [listener.rawValue])
        #expect(waits(child, listener))
        #expect(observe(child.pid, listener, depth: .cautious) == .needsMore)
    }

    @Test(arguments: [
        "[os.dup(3) for i in range(900)]",
        "t = socket.socket()\nes = [select.epoll() for i in range(20)]\n"
            + "ds = [os.dup(t.fileno()) for i in range(200)]\n"
            + "[e.register(d) for e in es for d in ds]",
        "import threading\n"
            + "[threading.Thread(target=os.read, args=(os.pipe()[0], 1)).start() "
            + "for i in range(300)]",
    ])
    func aSampleHasABudget(_ body: String) throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 16)
        let said = try TestPipe()
        let child = try TestChild(
            [
                "python3", "-c",
                Self.prelude + body + "\nos.write(4, b'x')\nimport time\ntime.sleep(60)",
            ],
            descriptors: [listener.rawValue, said.writing.rawValue])
        #expect(try TestPipe.text(from: said.reading.rawValue) { !$0.isEmpty } == "x")
        let small = SampleBudget(entries: 500, bytes: 100_000, microseconds: 20_000_000)
        #expect(observe(child.pid, listener, within: small) == .tooLarge)
        let late = SampleBudget(entries: 1_000_000, bytes: 100_000_000, microseconds: 0)
        #expect(observe(child.pid, listener, within: late) == .tooLarge)
    }

    @Test(.enabled(if: !isRoot, "root may look at everything"))
    func anothersProcessIsUnreadable() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 16)
        let evidence = observe(1, listener)
        #expect(evidence == .unreadable)
    }

    private static let asyncServer = """
        import asyncio
        async def serve():
            server = await asyncio.start_server(print, sock=s)
            await server.serve_forever()
        asyncio.run(serve())
        """

    private func waits(_ child: TestChild, _ listener: ListenSocket) -> Bool {
        eventually { observe(child.pid, listener) == .waiting }
    }

    private func observe(
        _ pid: Int32, _ listener: ListenSocket, depth: AcceptEvidence.Depth = .thorough,
        within budget: SampleBudget = .besideLoop()
    ) -> AcceptEvidence {
        AcceptEvidence.observe(
            from: pid, listeners: [listener.identity], depth: depth, within: budget)
    }
}
