import CSupervise
import Glibc
import Testing

@testable import SuperviseLinux

struct NotifySocketTests {
    @Test func aDatagramComesWithItsSender() throws {
        let socket = try NotifySocket(nonce: "credentials-\(getpid())")
        let address = NotifySocket.address(nonce: "credentials-\(getpid())")
        #expect(address == "@supervise/credentials-\(getpid())")
        try python(
            "s.sendto(b'READY=1\\nSTATUS=up', a)", to: socket
        ) { child throws in
            let datagram = try #require(first(of: socket))
            #expect(datagram.pid == child.pid)
            #expect(datagram.uid == getuid())
            #expect(datagram.text == "READY=1\nSTATUS=up")
            #expect(!datagram.isTruncated)
        }
    }

    @Test func aLongDatagramIsTruncated() throws {
        let socket = try NotifySocket(nonce: "long-\(getpid())")
        try python("s.sendto(b'x' * 5000, a)", to: socket) { _ throws in
            let datagram = try #require(first(of: socket))
            #expect(datagram.bytes.count == 4096)
            #expect(datagram.isTruncated)
        }
    }

    @Test func aFloodIsReadInPortions() throws {
        let socket = try NotifySocket(nonce: "flood-\(getpid())")
        try python("[s.sendto(b'%d' % i, a) for i in range(8)]", to: socket) { child throws in
            #expect(try child.exitStatus() == .exited(0))
            #expect(socket.receive(limit: 5).map(\.text) == ["0", "1", "2", "3", "4"])
            #expect(socket.receive(limit: 5).map(\.text) == ["5", "6", "7"])
            #expect(socket.receive(limit: 5).isEmpty)
        }
    }

    @Test(arguments: [1, 20, 250])
    func descriptorsSentAlongAreClosed(_ count: Int) throws {
        let socket = try NotifySocket(nonce: "rights-\(count)-\(getpid())")
        // The sender hears of the last copy's end by an end of file, and says so by its exit.
        let script = """
            r, w = os.pipe()
            s.connect(a)
            socket.send_fds(s, [b'BARRIER=1'], [w] * \(count))
            os.close(w)
            os._exit(7 if os.read(r, 1) == b'' else 8)
            """
        try python(script, to: socket) { child throws in
            #expect(first(of: socket)?.text == "BARRIER=1")
            #expect(try child.exitStatus() == .exited(7))
        }
    }

    private func first(of socket: NotifySocket) -> NotifyDatagram? {
        var datagram: NotifyDatagram?
        _ = eventually {
            datagram = socket.receive(limit: 1).first
            return datagram != nil
        }
        return datagram
    }

    private func python(
        _ script: String, to socket: NotifySocket, _ check: (TestChild) throws -> Void
    ) throws {
        let prelude = """
            import os, socket
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            a = '\\0' + os.environ['NOTIFY_SOCKET'][1:]

            """
        let child = try TestChild(
            ["python3", "-c", prelude + script],
            environment: ["PATH=/usr/bin:/bin", "NOTIFY_SOCKET=@\(try address(of: socket))"])
        try check(child)
    }

    /// The name that the kernel knows it by.
    private func address(of socket: NotifySocket) throws -> String {
        String(try SocketAddress(boundBy: socket.rawValue).text.dropFirst("unix:@".count))
    }
}
