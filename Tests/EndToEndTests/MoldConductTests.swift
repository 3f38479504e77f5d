import Foundation
import Testing

/// What a mold does on its socket and with its descriptors.
@Suite(.takesTurn) struct MoldConductTests {
    /// A mold that does what `conduct` says with the connected socket `orders`.
    private static func mold(_ conduct: String, in folder: Folder) throws -> String {
        let text = """
            import array, os, signal, socket
            orders = socket.socket(fileno=int(os.environ["SUPERVISE_MOLD"]))
            \(conduct)

            """
        return "python3 " + (try folder.write("mold.py", text))
    }

    private let server: ForkedServer

    init() throws { server = try ForkedServer() }

    private var folder: Folder { server.folder }

    /// Under systemd, stdout and stderr are a connection to the journal.
    @Test func aStreamThatIsASocketIsNotShared() async throws {
        let wrapper = """
            import os, socket, sys
            own, other = socket.socketpair()
            own.set_inheritable(True)
            os.dup2(other.fileno(), 1)
            os.execvp(sys.argv[1], sys.argv[1:])

            """
        let path = try folder.write("wrapper.py", wrapper)
        let master = try server.start(wrapper: ["python3", path])
        try await master.waitForWorkers(2)
        #expect(master.lines("mold-failed").isEmpty, "\(master.tail)")
        #expect(master.lines("mold-ready").count == 1)
    }

    /// pidfd_getfd(2) waits for an exec, which waits for a file.
    @Test(.needsFileSystem) func itCannotMakeTheMasterWait() async throws {
        let files = try await StuckFileSystem()
        let mold = try Self.mold(
            "orders.send(b\"READY=1\")\nos.execv(\"\(files.page)\", [\"x\"])", in: folder)
        let master = try server.start(mold: mold)
        defer {
            files.end()
            withExtendedLifetime(master) {}
        }
        try await master.waitForEvent("mold-started")
        for _ in 1...3 {
            let begin = ContinuousClock.now
            let status = try await master.command("status", "--json")
            #expect(status.status == .exited(0), "\(status.errors)")
            #expect(ContinuousClock.now - begin < .seconds(10))
        }
        try await master.wait("a result") {
            !master.lines("mold-ready").isEmpty || !master.lines("mold-failed").isEmpty
        }
    }

    @Test func aSecondReportIsAViolation() async throws {
        let mold = try Self.mold(
            """
            import threading
            threading.Thread(target=signal.pause, daemon=True).start()
            try:
                while True:
                    orders.send(b"READY=1")
            except OSError:
                pass
            """, in: folder)
        let master = try server.start(mold: mold)
        try await master.waitForWorkers(2)
        let failure = try #require(master.lines("mold-failed").first)
        #expect(failure["error"] == "it violates the protocol of a mold", "\(failure)")
        #expect(master.lines("mold-threads").count <= 1)
    }

    @Test func theDeathOfAMoldWithUnreadOrdersIsNoViolation() async throws {
        let mold = try Self.mold("orders.send(b\"READY=1\")\nsignal.pause()", in: folder)
        let master = try server.start(mold: mold)
        let ready = try await master.waitForEvent("mold-ready")
        kill(try #require(ready.pid), SIGKILL)
        let failure = try await master.waitForEvent("mold-failed")
        // Its orders fail before its exit is noticed, and do not count.
        #expect(failure["cause"] == "exited", "\(failure)")
        #expect(failure.pid == ready.pid)
        try await master.waitForWorkers(2)
        #expect(!master.lines("mold-failed").contains { $0["cause"] == "unusable" })
    }

    /// The time in which the master did not run does not count for the mold, which stops it for
    /// longer than an order may take.
    @Test func anOrderSurvivesAStoppedMaster() async throws {
        let master = try server.start(
            shop: """
                import os, signal, time
                held = []

                def hold():
                    if held:
                        return
                    held.append(True)
                    # The master waits for events by then.
                    time.sleep(0.5)
                    os.kill(os.getppid(), signal.SIGSTOP)
                    time.sleep(6)
                    os.kill(os.getppid(), signal.SIGCONT)
                    time.sleep(1)
                os.register_at_fork(before=hold)

                """ + ForkedServer.plain)
        try await master.waitForWorkers(2, deadline: .seconds(40))
        #expect(master.lines("start-failed").isEmpty, "\(master.tail)")
        #expect(master.lines("mold-failed").isEmpty)
    }

    /// An order whose descriptors do not fit is reported, instead of a worker without its listener.
    @Test func anOrderThatLosesDescriptorsFails() async throws {
        let master = try server.start(
            ["--limit-nofile", "40"],
            shop: """
                import os
                held = []
                try:
                    while True:
                        held.append(os.open("/dev/null", os.O_RDONLY))
                except OSError:
                    pass
                for number in held[-3:]:
                    os.close(number)

                """ + ForkedServer.plain)
        let failure = try await master.waitForEvent("start-failed")
        #expect(failure["step"] == "order", "\(failure)")
        #expect(failure.mentions("lacks descriptors"), "\(failure)")
    }

    @Test func moreListenersThanAnOrderPassesAreAnObstacle() async throws {
        let binds = (0..<248).flatMap { ["--bind", "unix:\(folder["s\($0)"])"] }
        let master = try server.start(binds)
        try await master.waitForWorkers(2, deadline: .seconds(40))
        let failure = try #require(master.lines("mold-failed").first)
        #expect(failure.mentions("a start order passes at most 247"), "\(failure)")
        #expect(master.lines("mold-started").isEmpty)
        #expect(master.lines("start-failed").isEmpty)
    }

    @Test func theOutputOfAMoldIsThatOfItsPool() async throws {
        let master = try server.start(
            ["--output", "prefix", "--mold-import", "missing_module"],
            shop: "import sys\nprint(\"loaded\", file=sys.stderr)\n" + ForkedServer.plain)
        try await master.waitForWorkers(2)
        let failure = try #require(master.lines("mold-failed").first)
        let text = try #require(failure["output"], "\(failure)")
        #expect(text.contains("No module named 'missing_module'"))
        #expect(master.lines("mold-given-up").count == 1)
        #expect(try await master.stop() == .exited(0))
        let quiet = try server.start(["--output", "none"])
        try await quiet.waitForWorkers(2)
        #expect(try await quiet.stop() == .exited(0))
        #expect(!folder.lines("stderr").contains("loaded"))
    }

    @Test func theStatusShowsTheOwnMemoryOfAWorker() async throws {
        let master = try server.start()
        try await master.waitForWorkers(2)
        let text = try await master.command("status", "--json").output
        let values = text.components(separatedBy: "\"own_bytes\":").dropFirst()
        #expect(values.count == 2 && values.allSatisfy { $0.first?.isNumber == true }, "\(text)")
    }
}
