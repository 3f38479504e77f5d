import CSupervise
import Glibc
import Testing

@testable import SuperviseLinux

struct AcceptQueueTests {
    private static let addresses = ["127.0.0.1:0", "[::1]:0", "unix:", "unix:@"]

    @Test(arguments: addresses)
    func theQueueIsKnownAndDrainedAfterTheDoorIsShut(_ address: String) throws {
        let folder = try TestFolder()
        let listener = try open(address, in: folder, backlog: 16)
        let diagnosis = try SocketDiagnosis()
        #expect(try diagnosis.queue(of: listener) == AcceptQueue(waiting: 0, limit: 16))
        let clients = try (0..<3).map { _ in try Client(of: listener) }
        for client in clients { #expect(client.isConnected) }
        #expect(try eventually { try diagnosis.queue(of: listener).waiting == 3 })

        try listener.refuseNewConnections()
        #expect(try diagnosis.queue(of: listener).waiting == 3)
        #expect(try Client(of: listener).isConnected == false)
        for _ in clients {
            let accepted = accept(listener.rawValue, nil, nil)
            #expect(accepted >= 0)
            close(accepted)
        }
        #expect(try diagnosis.queue(of: listener).waiting == 0)
    }

    @Test(arguments: ["127.0.0.1:0", "[::1]:0"])
    func aShutDoorIsOpenedAgain(_ address: String) throws {
        let listener = try open(address, in: try TestFolder(), backlog: 16)
        try listener.refuseNewConnections()
        try listener.admitNewConnections()
        #expect(try Client(of: listener).isConnected)
    }

    @Test(arguments: ["127.0.0.1:0", "[::1]:0"])
    func anUnfinishedHandshakeIsSeen(_ address: String) throws {
        let folder = try TestFolder()
        let listener = try open(address, in: folder, backlog: 16)
        let diagnosis = try SocketDiagnosis()
        #expect(try diagnosis.halfOpen(to: listener) == 0)
        // With this option the handshake ends for the server only when data comes.
        var seconds: Int32 = 30
        setsockopt(listener.rawValue, Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT, &seconds, 4)
        let client = try Client(of: listener)
        #expect(client.isConnected)
        #expect(try eventually { try diagnosis.halfOpen(to: listener) == 1 })
        #expect(try diagnosis.queue(of: listener).waiting == 0)

        try listener.refuseNewConnections()
        #expect(send(client.rawValue, "x", 1, 0) == 1)
        #expect(try eventually { try diagnosis.queue(of: listener).waiting == 1 })
        #expect(try diagnosis.halfOpen(to: listener) == 0)
    }

    @Test func anotherPortsHandshakesDoNotCount() throws {
        let folder = try TestFolder()
        let busy = try open("127.0.0.1:0", in: folder, backlog: 16)
        let other = try open("127.0.0.1:0", in: folder, backlog: 16)
        var seconds: Int32 = 30
        setsockopt(busy.rawValue, Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT, &seconds, 4)
        let client = try Client(of: busy)
        #expect(client.isConnected)
        let diagnosis = try SocketDiagnosis()
        #expect(try eventually { try diagnosis.halfOpen(to: busy) == 1 })
        #expect(try diagnosis.halfOpen(to: other) == 0)
    }

    private func open(
        _ address: String, in folder: TestFolder, backlog: Int32
    ) throws -> ListenSocket {
        switch address {
        case "unix:":
            try ListenSocket.unix(path: "\(folder.path)/s", mode: 0o600, backlog: backlog)
        case "unix:@":
            try ListenSocket.abstract(name: "\(folder.path)/abstract", backlog: backlog)
        default:
            try ListenSocket.tcp(
                host: address.hasPrefix("[") ? "::1" : "127.0.0.1", port: 0, backlog: backlog)
        }
    }
}

/// A client that does not wait for its connection.
private final class Client {
    let rawValue: Int32

    init(of listener: ListenSocket) throws {
        let address = try SocketAddress(boundBy: listener.rawValue)
        let type = streamType | closeOnExec | nonBlocking
        let number = try systemCall("socket") { socket(address.family, type, 0) }
        rawValue = number
        _ = address.withPointer { connect(number, $0, $1) }
    }

    deinit { close(rawValue) }

    /// Whether it is connected, within the time that a handshake over loopback can take.
    var isConnected: Bool {
        var entry = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
        guard poll(&entry, 1, 300) == 1 else { return false }
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutableBytes(of: &address) {
            getpeername(rawValue, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
        }
        return result == 0
    }
}
