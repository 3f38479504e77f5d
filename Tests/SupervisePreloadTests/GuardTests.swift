import Glibc
import SuperviseLinux
import Testing

/// The library must not affect programs that are not workers, nor the other workers.
@Suite(.serialized) struct GuardTests {
    private static let refused = "assert failure(bound) == errno.EADDRINUSE\n"
    private static let accepts = """
        client = socket.create_connection(address())
        assert libc.accept(3, None, None) >= 0
        """

    @Test func withoutTheEnvironmentNothingHappens() async throws {
        let stage = try Stage()
        let both: Set = ["SUPERVISE_WORKER_ADOPT", "SUPERVISE_WORKER_COUNT"]
        let page = try await stage.probe(Self.refused + Self.accepts, without: both)
        #expect(page.connections() == 0)
    }

    @Test func eachPartIsSwitchedOnByItself() async throws {
        let stage = try Stage()
        let counting = try await stage.probe(
            Self.refused + Self.accepts, without: ["SUPERVISE_WORKER_ADOPT"])
        #expect(counting.connections() == 1)
        let adopting = try await stage.probe(
            "bound()\n" + Self.accepts, without: ["SUPERVISE_WORKER_COUNT"])
        #expect(adopting.connections() == 0)
    }

    @Test(arguments: [
        ["SUPERVISE_WORKER_ID": String(repeating: "0", count: 32)],
        ["SUPERVISE_WORKER_ID": "0"], ["SUPERVISE_WORKER_PAGE": "3"],
        ["SUPERVISE_WORKER_PAGE": "99"], ["SUPERVISE_WORKER_PAGE": "4x"],
        ["SUPERVISE_WORKER_PAGE": "99999999999999999999"],
    ])
    func aPageThatIsNotOursIsNotTouched(_ variables: [String: String]) async throws {
        let page = try await Stage().probe("bound()\n" + Self.accepts, variables: variables)
        #expect(page.connections() == 0)
    }

    @Test(arguments: [
        "", "3", "3:", ":1", "x", "3:1", "-3:1", "99:1", "3:99999999999999999999",
        "99999999999:1", ",",
    ])
    func aListThatNamesNoListenerOfOursDoesNothing(_ list: String) async throws {
        let stage = try Stage()
        let worker = try stage.worker(
            [
                "python3", "-c",
                """
                import socket
                address = socket.socket(fileno=3).getsockname()
                server = socket.socket()
                try:
                    server.bind(address)
                except OSError:
                    raise SystemExit(7)
                """,
            ], variables: ["SUPERVISE_WORKER_LISTENERS": list], without: ["NOTIFY_SOCKET"])
        #expect(try await worker.child.end() == .exited(7))
    }

    @Test func theFullNumberOfListenersIsRead() async throws {
        let stage = try Stage()
        let inode = stage.listeners[0].identity.inode
        let others = (0..<63).map { "\(100 + $0):\(1 + $0)" }.joined(separator: ",")
        let script = "assert failure(bound) == %\n\(Self.accepts)"
        for (list, code, count) in [
            ("\(others),3:\(inode)", "0", UInt64(1)),
            ("\(others),99:1,3:\(inode)", "errno.EADDRINUSE", 0),
        ] {
            let page = try await stage.probe(
                script.replacing("%", with: code), variables: ["SUPERVISE_WORKER_LISTENERS": list],
                without: ["NOTIFY_SOCKET"])
            #expect(page.connections() == count)
        }
    }

    @Test func theOthersAreNotDeafened() async throws {
        let stage = try Stage()
        _ = try await stage.probe(
            """
            where = address()
            server = bound()
            for backlog in (0, 1, 100000):
                server.listen(backlog)
            server.shutdown(socket.SHUT_WR)
            client = socket.create_connection(address())
            assert server.accept()
            for how in (socket.SHUT_RD, socket.SHUT_RDWR):
                server = bound(where)
                server.shutdown(how)
                assert failure(server.accept) == errno.EINVAL
            server.close()
            """)
        #expect(stage.backlog == 700)
        // Other sockets listen and shut down as usual.
        _ = try await stage.probe(
            """
            other = socket.create_server(('127.0.0.1', 0))
            client = socket.create_connection(other.getsockname())
            client.shutdown(socket.SHUT_WR)
            assert other.accept()[0].recv(1) == b''
            other.shutdown(socket.SHUT_RD)
            assert failure(other.accept) == errno.EINVAL
            """)
    }

    @Test func aNumberThatSomethingElseTookIsNotMistaken() async throws {
        let stage = try Stage()
        _ = try await stage.probe(
            """
            where = address()
            os.close(3)
            other = socket.create_server(('127.0.0.1', 0))
            assert other.fileno() == 3
            # All as if it had never been ours.
            fcntl.fcntl(3, fcntl.F_SETFL, os.O_NONBLOCK)
            assert truly_nonblocking(3)
            assert failure(other.accept) == errno.EAGAIN
            other.setblocking(True)
            assert not truly_nonblocking(3)
            other.shutdown(socket.SHUT_RD)
            assert failure(other.accept) == errno.EINVAL
            # With the listener gone there is nothing to answer with.
            assert failure(bound, where) == errno.EADDRINUSE
            """)
        #expect(stage.backlog == 700)
    }

    @Test func errnoIsLeftAlone() async throws {
        let stage = try Stage()
        let page = try await stage.probe(
            """
            def keeps(call, *arguments):
                ctypes.set_errno(77)
                assert call(*arguments) >= 0
                assert ctypes.get_errno() == 77, (call, ctypes.get_errno())
            clients = [socket.create_connection(address()) for _ in range(3)]
            host, port = address()
            where = struct.pack('=H', socket.AF_INET) + struct.pack('!H', port) + bytes(12)
            keeps(libc.bind, socket.socket().detach(), where, 16)
            # The second rings, and nobody is there.
            for _ in range(3):
                keeps(libc.accept, 3, None, None)
            keeps(libc.listen, 3, 1)
            keeps(libc.shutdown, 3, 2)
            keeps(libc.fcntl, 3, fcntl.F_SETFL, os.O_NONBLOCK)
            keeps(libc.fcntl, 3, fcntl.F_SETFL, 0)
            keeps(libc.fcntl, 3, fcntl.F_GETFL)
            keeps(libc.ioctl, 3, ctypes.c_ulong(termios.FIONBIO), ctypes.byref(ctypes.c_int(0)))
            """, limit: 2, variables: ["NOTIFY_SOCKET": "@supervise-preload-nobody"])
        #expect(page.connections() == 3)
    }

    /// Constructors of other libraries run before that of the library.
    @Test(.enabled(if: Compiled.isPossible, "cc is not installed"))
    func callsBeforeTheConstructorReachTheKernel() async throws {
        let early = try await Compiled("early", ["-shared", "-fPIC"])
        let stage = try Stage()
        let page = try await stage.probe(
            "assert os.environ.pop('EARLY') == 'yes'\nbound()\n" + Self.accepts,
            variables: ["LD_PRELOAD": "\(Place.library):\(early.path)"])
        #expect(page.connections() == 1)
    }

    @Test func aProgramThatAShellExecutesIsAWorkerToo() async throws {
        let stage = try Stage()
        let worker = try stage.worker([
            "sh", "-c", "unset NOTIFY_SOCKET; true; exec python3 -c \"$1\"", "sh",
            "from probe import *\nbound()\n\(Self.accepts)",
        ])
        #expect(try await worker.child.end() == .exited(0))
        #expect(worker.connections == 1)
    }
}
