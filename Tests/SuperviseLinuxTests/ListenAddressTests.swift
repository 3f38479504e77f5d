import CSupervise
import Glibc
import Testing

@testable import SuperviseLinux

struct ListenAddressTests {
    /// A host, and whether the socket is IPv6-only.
    private static let hosts: [(name: String, isIPv6Only: Bool)] = [
        ("127.0.0.1", false), ("127.0.0.2", false), ("0.0.0.0", false), ("::1", false),
        ("::1", true), ("::", false), ("::", true), ("::ffff:127.0.0.1", false),
        ("::ffff:127.0.0.2", false), ("::ffff:0.0.0.0", false),
    ]

    /// The kernel is the reference: if it rejects a second socket, the addresses collide.
    @Test func collisionsAreThoseOfTheKernel() throws {
        for held in Self.hosts {
            let listening = try bound(held, port: 0).get()
            try systemCall("listen") { listen(listening.rawValue, 1) }
            let listener = try SocketAddress(boundBy: listening.rawValue)
            let place = try #require(ListenAddress(listener.bytes))
            let port = UInt16(listener.bytes[2]) << 8 | UInt16(listener.bytes[3])
            for wanted in Self.hosts {
                let address = try SocketAddress(numericHost: wanted.name, port: port)
                let told = try #require(ListenAddress(address.bytes)).collides(
                    isIPv6Only: wanted.isIPv6Only, with: place, isOtherIPv6Only: held.isIPv6Only)
                let refused = try isRefused(bound(wanted, port: port))
                #expect(told == refused, "\(wanted) beside \(held)")
            }
        }
    }

    /// Another family shares the port, but no address.
    @Test func otherFamiliesAreThoseWithoutACollision() throws {
        func isOther(
            _ a: (name: String, isIPv6Only: Bool), _ b: (name: String, isIPv6Only: Bool),
            port: UInt16 = 80
        ) throws -> Bool {
            let wanted = try SocketAddress(numericHost: a.name, port: port)
            let held = try SocketAddress(numericHost: b.name, port: 80)
            return try #require(ListenAddress(wanted.bytes)).isOtherFamily(
                isIPv6Only: a.isIPv6Only, of: #require(ListenAddress(held.bytes)),
                isOtherIPv6Only: b.isIPv6Only)
        }
        #expect(try isOther(("::", true), ("0.0.0.0", false)))
        #expect(try isOther(("::1", false), ("127.0.0.1", false)))
        #expect(try isOther(("127.0.0.1", false), ("::", true)))
        #expect(try isOther(("::ffff:127.0.0.1", false), ("::", true)))
        #expect(try !isOther(("::", true), ("0.0.0.0", false), port: 81))
        #expect(try !isOther(("127.0.0.2", false), ("127.0.0.1", false)))
        #expect(try !isOther(("::ffff:127.0.0.2", false), ("127.0.0.1", false)))
        #expect(try !isOther(("::1", true), ("::2", true)))
        // It covers nothing.
        #expect(try !isOther(("::ffff:0.0.0.0", true), ("127.0.0.1", false)))
    }

    @Test func otherPortsAndNoPortAreFree() throws {
        func address(_ host: String, _ port: UInt16) throws -> ListenAddress {
            try #require(ListenAddress(SocketAddress(numericHost: host, port: port).bytes))
        }
        let held = try address("127.0.0.1", 80)
        for (host, port, expected) in [("127.0.0.1", 80, true), ("0.0.0.0", 81, false)] {
            #expect(
                try address(host, UInt16(port)).collides(
                    isIPv6Only: false, with: held, isOtherIPv6Only: false) == expected)
        }
        let free = try address("0.0.0.0", 0)
        #expect(!free.collides(isIPv6Only: false, with: free, isOtherIPv6Only: false))
    }

    @Test func linksAreDistinguished() throws {
        func address(scope: UInt8) throws -> ListenAddress {
            var bytes = [UInt8](repeating: 0, count: 28)
            (bytes[0], bytes[3], bytes[8], bytes[9]) = (UInt8(AF_INET6), 80, 0xFE, 0x80)
            bytes[24] = scope
            return try #require(ListenAddress(bytes))
        }
        for (scope, expected) in [(1, true), (2, false), (0, true)] as [(UInt8, Bool)] {
            #expect(
                try address(scope: scope).collides(
                    isIPv6Only: true, with: address(scope: 1), isOtherIPv6Only: true) == expected)
        }
    }

    @Test func unixNamesAreComparedByTheirBytes() throws {
        func address(_ name: String, abstract: Bool) throws -> ListenAddress {
            try #require(ListenAddress(SocketAddress(unix: name, abstract: abstract).bytes))
        }
        func collide(_ a: ListenAddress, _ b: ListenAddress) -> Bool {
            a.collides(isIPv6Only: false, with: b, isOtherIPv6Only: false)
        }
        let file = try address("/run/a", abstract: false)
        #expect(file.isPath)
        #expect(collide(file, file))
        #expect(!collide(file, try address("/run/ab", abstract: false)))
        #expect(!collide(file, try address("/run/a", abstract: true)))
        // Bytes after the NUL are ignored, and the NUL may be missing.
        let sloppy = [UInt8(AF_UNIX), 0] + Array("/run/a".utf8)
        #expect(try collide(file, #require(ListenAddress(sloppy))))
        #expect(try collide(file, #require(ListenAddress(sloppy + [0, 7]))))
        let abstract = try address("a", abstract: true)
        #expect(collide(abstract, abstract))
        // In an abstract name, every byte is significant.
        let longer = [UInt8(AF_UNIX), 0, 0] + Array("a".utf8) + [0]
        #expect(try !collide(abstract, #require(ListenAddress(longer))))
    }

    @Test func whatIsNoAddressIsNone() {
        let family = { (number: Int32) in [UInt8(number), 0] }
        let none: [[UInt8]] = [
            [], [2], family(AF_INET), family(AF_INET) + [UInt8](repeating: 1, count: 13),
            family(AF_INET6) + [UInt8](repeating: 1, count: 21), family(AF_UNIX),
            family(AF_UNIX) + [UInt8](repeating: 65, count: 109),
            family(AF_NETLINK) + [UInt8](repeating: 0, count: 10), [0xFF, 0xFF, 1, 2, 3],
        ]
        for bytes in none { #expect(ListenAddress(bytes) == nil, "\(bytes)") }
        for _ in 0..<2000 {
            var bytes = (0..<Int.random(in: 0...128)).map { _ in UInt8.random(in: 0...255) }
            if !bytes.isEmpty { bytes[0] = [1, 2, 10].randomElement() ?? 0 }
            if bytes.count > 1 { bytes[1] = 0 }
            guard let address = ListenAddress(bytes) else { continue }
            _ = address.collides(isIPv6Only: .random(), with: address, isOtherIPv6Only: false)
        }
    }

    private func bound(
        _ host: (name: String, isIPv6Only: Bool), port: UInt16
    ) throws -> Result<OwnedDescriptor, SystemCallError> {
        let address = try SocketAddress(numericHost: host.name, port: port)
        let socket = OwnedDescriptor(try ListenSocket.open(address.family, nonblocking: false))
        var on: Int32 = 1
        // As servers do. It has no effect next to a listening socket.
        setsockopt(socket.rawValue, SOL_SOCKET, SO_REUSEADDR, &on, 4)
        on = host.isIPv6Only ? 1 : 0
        if address.family == AF_INET6 {
            setsockopt(socket.rawValue, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, 4)
        }
        return Result { () throws(SystemCallError) in
            try ListenSocket.bind(socket.rawValue, to: address)
            return socket
        }
    }

    private func isRefused(_ result: Result<OwnedDescriptor, SystemCallError>) throws -> Bool {
        switch result {
        case .success: return false
        case .failure(let error):
            try #require(error.code == EADDRINUSE)
            return true
        }
    }
}
