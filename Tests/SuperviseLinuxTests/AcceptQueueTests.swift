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
        // With this option, the handshake completes for the server only when data arrive.
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
