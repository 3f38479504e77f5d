import CSupervise
import Glibc
import Testing

@testable import SuperviseLinux

/// New connections are blocked without any privilege.
struct OverflowListenerTests {
    private static let hosts = ["127.0.0.1", "::1", "0.0.0.0", "::"]

    @Test(arguments: hosts)
    func theQueueIsServedAndNobodyIsReset(_ host: String) throws {
        let listener = try ListenSocket.tcp(host: host, port: 0, backlog: 64)
        #expect(listener.isClosable)
        let queued = try (0..<20).map { _ in try Client(of: listener) }
        for client in queued { #expect(client.isConnected) }
        try steer(listener)

        let late = try (0..<10).map { _ in try Client(of: listener) }
        #expect(late.allSatisfy { !$0.isConnected })
        var served = 0
        while served < queued.count {
            let accepted = accept(listener.rawValue, nil, nil)
            #expect(accepted >= 0)
            #expect(send(accepted, "x", 1, 0) == 1)
            close(accepted)
            served += 1
        }
        #expect(!listener.hasWaitingConnection)
        listener.endIfSteered()
        for client in queued { #expect(client.received == 1) }
        // Their next SYN, a second later, finds no listener.
        for client in late { #expect(client.error == ECONNREFUSED) }
    }

    @Test(arguments: hosts)
    func itIsTakenBack(_ host: String) throws {
        let listener = try ListenSocket.tcp(host: host, port: 0, backlog: 64)
        for _ in 0..<3 {
            try steer(listener)
            #expect(try !Client(of: listener).isConnected)
            try listener.admitNewConnections()
            #expect(option(listener, SO_REUSEPORT) == 0)
            #expect(try Client(of: listener).isConnected)
            close(accept(listener.rawValue, nil, nil))
        }
    }

    /// Other sockets that joined the address get no connection meant for the first listener, and
    /// the filler connections reach their queue.
    @Test func othersMayHaveJoinedBefore() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 64)
        try SocketOption.set(listener.rawValue, SOL_SOCKET, SO_REUSEPORT, 1)
        let address = try SocketAddress(boundBy: listener.rawValue)
        let other = OwnedDescriptor(try ListenSocket.open(AF_INET, nonblocking: true))
        try SocketOption.set(other.rawValue, SOL_SOCKET, SO_REUSEADDR, 1)
        try SocketOption.set(other.rawValue, SOL_SOCKET, SO_REUSEPORT, 1)
        try ListenSocket.bind(other.rawValue, to: address)
        try systemCall("listen") { listen(other.rawValue, 16) }

        try steer(listener)
        #expect(try !Client(of: listener).isConnected)
        try listener.admitNewConnections()
        #expect(option(listener, SO_REUSEPORT) == 1)
    }

    /// A worker that shut it down and listens again leaves no group behind.
    @Test func aListenerWithoutAGroupIsSteeredToo() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 64)
        shutdown(listener.rawValue, Int32(SHUT_RD))
        try listener.resetBacklog(64)
        let client = try Client(of: listener)
        #expect(client.isConnected)
        try steer(listener)
        #expect(try !Client(of: listener).isConnected)
        #expect(listener.hasWaitingConnection)
    }

    @Test func aHandshakeUnderWayEndsWell() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 16)
        var seconds: Int32 = 30
        setsockopt(listener.rawValue, Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT, &seconds, 4)
        let client = try Client(of: listener)
        #expect(client.isConnected)
        try steer(listener)
        #expect(send(client.rawValue, "x", 1, 0) == 1)
        #expect(eventually { listener.hasWaitingConnection })
    }

    private func steer(_ listener: ListenSocket) throws {
        try listener.steerNewConnectionsAway()
        let isRefusing = try eventually {
            try listener.continueRefusing()
            return listener.isRefusing
        }
        #expect(isRefusing)
    }

    private func option(_ listener: ListenSocket, _ name: Int32) -> Int32? {
        SocketOption.int(listener.rawValue, SOL_SOCKET, name)
    }
}
