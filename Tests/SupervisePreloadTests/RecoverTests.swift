import Glibc
import SuperviseLinux
import Testing

/// Processes that lost the inherited listeners.
@Suite(.serialized) struct RecoverTests {
    /// Python closes descriptors that a child does not request, as npm does.
    private static let parent = """
        script = '''from probe import *
        assert failure(os.fstat, 3) == errno.EBADF
        sock = socket.socket()
        sock.settimeout(20)
        code = failure(sock.bind, ('127.0.0.1', PORT))
        assert code == EXPECTED, code
        if code == 0:
            assert ours(sock) == 0
            assert min(number for number in range(3, 99) if number != sock.fileno() and failure(os.fstat, number) == 0) >= 64
            sock.listen(1)
            # And once more, from what it has by now.
            assert ours(bound(('127.0.0.1', PORT))) == 0
        '''
        sys.exit(subprocess.call([sys.executable, '-c', script], close_fds=True))
        """

    private func script(_ stage: Stage, expecting code: Int32 = 0) -> String {
        "from probe import *\n"
            + Self.parent.replacing("PORT", with: stage.port)
            .replacing("EXPECTED", with: "\(code)")
    }

    @Test func theMasterIsAsked() async throws {
        let stage = try Stage()
        let master = try stage.answering(withListener: true)
        let worker = try stage.worker(["python3", "-c", script(stage)], without: ["LISTEN_PID"])
        #expect(try await worker.child.end() == .exited(0))
        withExtendedLifetime(master) {}
    }

    /// The environment names the worker that still holds it.
    @Test(.enabled(if: Self.mayCopyOfParents, "a process may not look into its parent here"))
    func theWorkerIsCopiedFromWithoutAMaster() async throws {
        let stage = try Stage()
        let worker = try stage.worker(
            ["python3", "-c", script(stage)], without: ["NOTIFY_SOCKET"])
        #expect(try await worker.child.end() == .exited(0))
    }

    @Test func withoutEitherTheAddressIsInUseAndTheMasterIsNotified() async throws {
        let stage = try Stage()
        let master = try stage.answering(
            withListener: false, until: "X_NOT_ADOPTED=\(stage.listeners[0].identity.inode)")
        let worker = try stage.worker(
            ["python3", "-c", script(stage, expecting: EADDRINUSE)], without: ["LISTEN_PID"])
        #expect(try await worker.child.end() == .exited(0))
        #expect(try await master.end() == .exited(0))
    }

    /// A server that closes all unknown descriptors.
    @Test func aDescriptorThatWasClosedIsHadAgain() async throws {
        let stage = try Stage()
        let master = try stage.answering(withListener: true)
        let worker = try stage.worker([
            "python3", "-c",
            """
            from probe import *
            os.closerange(3, 64)
            other = socket.socket()
            assert other.fileno() == 3
            assert ours(bound(('127.0.0.1', \(stage.port)))) == 0
            """,
        ])
        #expect(try await worker.child.end() == .exited(0))
        withExtendedLifetime(master) {}
    }

    private static let mayCopyOfParents =
        getuid() == 0 || access("/proc/sys/kernel/yama/ptrace_scope", F_OK) != 0
}
