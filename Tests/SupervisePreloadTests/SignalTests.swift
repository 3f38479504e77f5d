import Glibc
import SuperviseLinux
import Testing

/// USR1, USR2 and HUP, which control the master and may also reach its workers.
@Suite(.serialized) struct SignalTests {
    private static let signals = [SIGUSR1, SIGUSR2, SIGHUP]

    @Test(arguments: signals)
    func aStrangersSignalDoesNotEndAProgramThatHandlesNone(_ number: Int32) async throws {
        let folder = try Folder()
        let stage = try Stage()
        let worker = try stage.worker([
            "python3", "-c",
            "from probe import *\nopen('\(folder["ready"])', 'w')\ntime.sleep(600)",
        ])
        try await eventually("the worker") { access(folder["ready"], F_OK) == 0 }
        // Neither the worker's parent nor in its group.
        let sender = try Child(
            ["sh", "-c", "kill -\(number) \(worker.child.pid)"], environment: [])
        #expect(try await sender.end() == .exited(0))
        // Its next signal terminates it, which proves that the first did not.
        kill(worker.child.pid, SIGTERM)
        #expect(try await worker.child.end() == .signaled(SIGTERM, coreDumped: false))
    }

    /// The master sends such a signal only if it is configured.
    @Test(arguments: signals)
    func theMastersSignalDoesWhatItAlwaysDid(_ number: Int32) async throws {
        let folder = try Folder()
        let worker = try Stage().worker([
            "python3", "-c", "open('\(folder["ready"])', 'w')\nimport time\ntime.sleep(600)",
        ])
        try await eventually("the worker") { access(folder["ready"], F_OK) == 0 }
        kill(worker.child.pid, number)
        #expect(try await worker.child.end() == .signaled(number, coreDumped: false))
    }

    @Test func aProgramSeesTheDispositionsOfItsOwn() async throws {
        _ = try await Stage().probe(
            """
            for each in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
                assert signal.getsignal(each) == signal.SIG_DFL
                # By itself, by a child of its own, and in a child.
                for send in ('os.kill(os.getpid(), each)', 'signal.raise_signal(each)'):
                    pid = os.fork()
                    if pid == 0:
                        exec(send)
                        os._exit(9)
                    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == each, send
                pid = os.fork()
                if pid == 0:
                    time.sleep(600)
                os.kill(pid, each)
                assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == each
                # A program that it executes.
                child = subprocess.Popen(['sleep', '600'])
                child.send_signal(each)
                assert child.wait() == -each
                assert subprocess.run(['sh', '-c', f'trap "exit 7" {each}; kill -{each} $$; sleep 9']).returncode == 7
                # A handler of its own, and what is found when it is taken away.
                taken = []
                old = signal.signal(each, lambda *_: taken.append(each))
                assert old == signal.SIG_DFL
                os.kill(os.getpid(), each)
                assert taken == [each]
                signal.signal(each, signal.SIG_IGN)
                os.kill(os.getpid(), each)
                # Kept for who waits for it.
                signal.signal(each, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_BLOCK, [each])
                os.kill(os.getpid(), each)
                assert signal.sigwait([each]) == each
                signal.pthread_sigmask(signal.SIG_UNBLOCK, [each])
            assert subprocess.run([sys.executable, '-c', '''if True:
                import ctypes
                libc = ctypes.CDLL(None)
                for call in (libc.signal, libc.sysv_signal, libc.__sysv_signal, libc.ssignal, libc.sigset):
                    call.restype = ctypes.c_void_p
                    assert call(12, None) is None
                    assert call(10, None) is None
                ''']).returncode == 0
            """)
    }

    /// nohup(1), and dispositions that the program was started with.
    @Test func whatIsIgnoredStaysIgnored() async throws {
        let worker = try Stage().worker([
            "sh", "-c", "trap '' HUP; exec python3 -c \"$1\"", "sh",
            "import signal; assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN",
        ])
        #expect(try await worker.child.end() == .exited(0))
    }

    /// Node resets all dispositions when it starts.
    @Test func resettingWhatWasNeverSetChangesNothing() async throws {
        let folder = try Folder()
        let worker = try Stage().worker([
            "python3", "-c",
            """
            import signal, time
            for each in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
                signal.signal(each, signal.SIG_DFL)
            open('\(folder["ready"])', 'w')
            time.sleep(600)
            """,
        ])
        try await eventually("the worker") { access(folder["ready"], F_OK) == 0 }
        for number in Self.signals {
            let sender = try Child(
                ["sh", "-c", "kill -\(number) \(worker.child.pid)"], environment: [])
            #expect(try await sender.end() == .exited(0))
        }
        kill(worker.child.pid, SIGTERM)
        #expect(try await worker.child.end() == .signaled(SIGTERM, coreDumped: false))
    }

}
