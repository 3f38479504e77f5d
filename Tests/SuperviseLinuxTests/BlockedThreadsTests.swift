import Glibc
import Testing

@testable import SuperviseLinux

struct BlockedThreadsTests {
    /// A child with a listener and one connection, which runs `script`.
    private func child(_ script: String) throws -> TestChild {
        try TestChild([
            "python3", "-c",
            """
            import socket, signal, sys, threading, time
            listener = socket.create_server(("127.0.0.1", 0))
            client = socket.create_connection(listener.getsockname())
            connection, _ = listener.accept()
            \(script)
            """,
        ])
    }

    private func inodes(_ pid: Int32) throws -> Set<UInt64> { try ProcessSockets.inodes(of: pid) }

    @Test func readersOfAConnectionAreDetected() throws {
        let child = try child("connection.recv(1)")
        #expect(
            try eventually {
                let threads = BlockedThreads(of: [child.pid], listeners: try inodes(child.pid))
                return threads.read.count == 1 && threads.acceptors.isEmpty
            })
        kill(child.pid, SIGKILL)
    }

    @Test func workingThreadsAreNot() throws {
        let child = try child("time.sleep(100)")
        #expect(try eventually { try inodes(child.pid).count == 3 })
        #expect(BlockedThreads(of: [child.pid], listeners: []).read.isEmpty)
        kill(child.pid, SIGKILL)
    }

    @Test func acceptingThreadsAreSeen() throws {
        let child = try child(
            "threading.Thread(target=listener.accept).start(); listener.accept()")
        #expect(
            try eventually {
                let sockets = try inodes(child.pid)
                return BlockedThreads(of: [child.pid], listeners: sockets).acceptors.count == 2
            })
        #expect(BlockedThreads(of: [child.pid], listeners: []).acceptors.isEmpty)
        kill(child.pid, SIGKILL)
        #expect(BlockedThreads(of: [1 << 22 - 1], listeners: []).read.isEmpty)
    }

    @Test(arguments: [
        ("signal.signal(15, lambda *_: 0)", true), ("signal.signal(15, signal.SIG_IGN)", true),
        ("signal.pthread_sigmask(signal.SIG_BLOCK, [15])", true), ("pass", false),
    ]) func whoHandlesASignalIsSeen(_ call: String, _ handles: Bool) throws {
        let child = try child("\(call); client.close(); time.sleep(100)")
        #expect(
            try eventually {
                try inodes(child.pid).count == 2
                    && ProcessSignals.handles(SIGTERM, child.pid) == handles
            })
        #expect(!ProcessSignals.handles(SIGTERM, 1 << 22 - 1))
        kill(child.pid, SIGKILL)
    }
}
