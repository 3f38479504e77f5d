import Glibc
import Testing

@testable import SuperviseLinux

struct StreamSocketTests {
    private func pair(_ folder: String) throws -> (
        listener: ListenSocket, client: StreamSocket, server: StreamSocket
    ) {
        let listener = try ListenSocket.unix(path: "\(folder)/s", mode: 0o600, backlog: 4)
        let client = try StreamSocket.connect(unix: "\(folder)/s")
        guard case .connection(let server) = listener.accept() else {
            throw SystemCallError(call: "accept", code: EAGAIN)
        }
        return (listener, client, server)
    }

    private func temporaryFolder() throws -> String {
        var template = Array("/tmp/supervise-stream-XXXXXX".utf8CString)
        return try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    @Test func bytesGoBothWaysWithoutWaiting() throws {
        let folder = try temporaryFolder()
        let (listener, client, server) = try pair(folder)
        #expect(try client.read(atMost: 10) == nil)
        #expect(try server.write([1, 2, 3]) == 3)
        #expect(try client.read(atMost: 2) == [1, 2])
        #expect(try client.read(atMost: 2) == [3])
        server.shutDownWriting()
        #expect(try client.read(atMost: 2) == [])
        guard case .none = listener.accept() else {
            Issue.record("nobody else connected")
            return
        }
        try listener.removeIfStillOurs()
        rmdir(folder)
    }

    @Test func aReaderThatDoesNotReadIsNotWaitedFor() throws {
        let folder = try temporaryFolder()
        let (listener, client, server) = try pair(folder)
        let bytes = [UInt8](repeating: 0, count: 1 << 20)
        var sent = 0
        for _ in 0..<100 { sent += try server.write(bytes[...]) }
        #expect(sent > 0 && sent < 100 << 20)
        _ = consume client
        try listener.removeIfStillOurs()
        rmdir(folder)
    }

    @Test func thePeerIsIdentified() throws {
        let folder = try temporaryFolder()
        let (listener, client, server) = try pair(folder)
        for socket in [client, server] {
            #expect(
                try socket.peer()
                    == PeerCredentials(pid: getpid(), uid: geteuid(), gid: getegid()))
        }
        try listener.removeIfStillOurs()
        #expect(throws: SystemCallError.self) { try StreamSocket.connect(unix: "\(folder)/s") }
        rmdir(folder)
    }
}
