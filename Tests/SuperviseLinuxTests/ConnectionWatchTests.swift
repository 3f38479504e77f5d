import Glibc
import Testing

@testable import SuperviseLinux

struct ConnectionWatchTests {
    /// Both ends of a connection to a listener of this process.
    private final class Pair {
        let listener: ListenSocket
        let client: Int32
        let server: Int32

        init(_ host: String = "127.0.0.1") throws {
            listener = try ListenSocket.tcp(host: host, port: 0, backlog: 16)
            client = try Self.connect(to: host, port: try #require(listener.port))
            server = accept(listener.rawValue, nil, nil)
            try #require(server >= 0)
        }

        static func connect(to host: String, port: UInt16) throws -> Int32 {
            let family = host.contains(":") ? AF_INET6 : AF_INET
            let client = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            let result: Int32
            if family == AF_INET6 {
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_port = port.bigEndian
                inet_pton(AF_INET6, host, &address.sin6_addr)
                result = connect(client, &address)
            } else {
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = port.bigEndian
                inet_pton(AF_INET, host, &address.sin_addr)
                result = connect(client, &address)
            }
            try #require(result == 0)
            return client
        }

        private static func connect<Address>(_ socket: Int32, _ address: inout Address) -> Int32 {
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(socket, $0, socklen_t(MemoryLayout<Address>.size))
                }
            }
        }

        deinit {
            close(client)
            close(server)
        }

        var inode: UInt64 {
            var status = stat()
            fstat(server, &status)
            return UInt64(status.st_ino)
        }

        func ask() { #expect(send(client, "x", 1, 0) == 1) }
        func hear() {
            var byte: UInt8 = 0
            #expect(recv(server, &byte, 1, 0) == 1)
        }
        func answer() {
            #expect(send(server, "y", 1, 0) == 1)
            var byte: UInt8 = 0
            #expect(recv(client, &byte, 1, 0) == 1)
        }

        /// The state of the connection: the tables and the socket agree, except for changes
        /// meanwhile.
        var use: HeldConnection.Use {
            get throws {
                let port = try #require(listener.port)
                let before = try useByTables(port)
                let held = try list([getpid()], [port])
                if try useByTables(port) == before { #expect(held?.map(\.use) == [before]) }
                #expect(try list([getpid()], []) == [])
                let small = SampleBudget(entries: 1, bytes: 1, microseconds: 20_000_000)
                #expect(throws: SystemCallError(call: "sample", code: E2BIG)) {
                    try list([getpid()], [port], within: small)
                }
                return before
            }
        }

        private func useByTables(_ port: UInt16) throws -> HeldConnection.Use {
            let sockets = try PortConnections(ports: [port], SocketDiagnosis())
            #expect(sockets.listeners == [listener.identity.inode])
            #expect(sockets.connections(among: [1]).isEmpty)
            let own = sockets.connections(among: [inode])
            try #require(own.count == 1)
            return own[0].use
        }
    }

    private static let longerThanQuiet: UInt32 = 1_100_000

    @Test(arguments: ["127.0.0.1", "::1"])
    func whoSaysNothingIsIdleAfterASecond(_ host: String) throws {
        let pair = try Pair(host)
        #expect(try pair.use == .inFlight)
        #expect(try eventually { try pair.use == .idle })
    }

    /// However long it takes: data were received last. Whether more follows a response is unknown.
    @Test func aSlowAnswerIsWaitedFor() throws {
        let pair = try Pair()
        pair.ask()
        #expect(try pair.use == .inFlight)
        pair.hear()
        usleep(Self.longerThanQuiet)
        #expect(try pair.use == .inFlight)
        pair.answer()
        #expect(try pair.use == .answered)
        #expect(try eventually { try pair.use == .quiet })
    }

    @Test func whatWasNotReadIsARequest() throws {
        let pair = try Pair()
        pair.ask()
        usleep(Self.longerThanQuiet)
        #expect(try pair.use == .inFlight)
    }

    /// Several messages fit within one tick of the kernel's clock, and then the last one is
    /// unknown.
    @Test func aRequestRightAfterAnAnswerIsNotMissed() throws {
        let pair = try Pair()
        for _ in 0..<50 {
            pair.ask()
            pair.hear()
            pair.answer()
        }
        #expect(
            try eventually(withinSeconds: 5) { [.quiet, .unclear].contains(try pair.use) })
        for _ in 0..<3 {
            pair.ask()
            pair.hear()
            pair.answer()
            pair.ask()
            pair.hear()
            usleep(Self.longerThanQuiet)
            #expect([.inFlight, .unclear].contains(try pair.use))
            pair.answer()
        }
    }

    /// Between requests a connection can be closed, as by a server with a keep-alive timeout.
    @Test func whatIsAnsweredCanBeEnded() throws {
        let pair = try Pair()
        let port = try #require(pair.listener.port)
        func end() throws -> [HeldConnection]? {
            try HeldConnections.list(
                of: [getpid()], ports: [port], within: SampleBudget.ofConnections(),
                endsAnswered: true)
        }
        pair.ask()
        #expect(try end()?.map(\.use) == [.inFlight])
        pair.hear()
        usleep(20_000)
        pair.answer()
        #expect(try eventually { try end()?.map(\.use) == [.idle] })
        var byte: UInt8 = 0
        #expect(recv(pair.client, &byte, 1, 0) == 0 && recv(pair.server, &byte, 1, 0) == 0)
    }

    /// A dual-stack listener, such as a passed one.
    @Test func anAddressOfTheOtherFamilyIsSeen() throws {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let listener = socket(AF_INET6, type, 0)
        var off: Int32 = 0
        setsockopt(listener, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &off, 4)
        try #require(listen(listener, 4) == 0)
        let bound = try SocketAddress(boundBy: listener)
        let port = UInt16(bound.bytes[2]) << 8 | UInt16(bound.bytes[3])
        let client = try Pair.connect(to: "127.0.0.1", port: port)
        let server = accept(listener, nil, nil)
        defer { for end in [listener, client, server] { close(end) } }
        var status = stat()
        fstat(server, &status)
        let sockets = try PortConnections(ports: [port], SocketDiagnosis())
        #expect(sockets.connections(among: [UInt64(status.st_ino)]).map(\.use) == [.inFlight])
        let held = try list([getpid()], [port])
        #expect(held?.map(\.use) == [.inFlight])
    }

    /// A client that has sent its last request still waits for the response.
    @Test func aClientThatShutDownItsSideStillWaits() throws {
        let pair = try Pair()
        pair.ask()
        shutdown(pair.client, Int32(SHUT_WR))
        pair.hear()
        usleep(Self.longerThanQuiet)
        #expect(try pair.use == .inFlight)
    }

    @Test func moreThanOneMessageHasRoomForAreAllSeen() throws {
        let pair = try Pair()
        let port = try #require(pair.listener.port)
        var ends: [Int32] = []
        defer { for end in ends { close(end) } }
        for _ in 0..<300 {
            ends.append(try Pair.connect(to: "127.0.0.1", port: port))
            ends.append(accept(pair.listener.rawValue, nil, nil))
        }
        let own = try ProcessSockets.inodes(of: getpid())
        let sockets = try PortConnections(ports: [port], SocketDiagnosis())
        #expect(sockets.connections(among: own).count == 301)
        #expect(try list([getpid()], [port])?.count == 301)
        #expect(own.contains(pair.listener.identity.inode))
    }

    @Test func aProcessThatIsGoneHasNoSockets() throws {
        #expect(try ProcessSockets.inodes(of: 1 << 22 - 1) == [])
        #expect(try list([1 << 22 - 1], [80]) == [])
    }
}

private func list(
    _ processes: [Int32], _ ports: Set<UInt16>, within budget: SampleBudget = .ofConnections()
) throws -> [HeldConnection]? {
    try HeldConnections.list(of: processes, ports: ports, within: budget)
}
