import Glibc

/// The address of a stream socket, compared by the rules by which the kernel rejects a second
/// listener (EADDRINUSE of bind(2)).
struct ListenAddress: Hashable, Sendable {
    private enum Place: Hashable {
        /// Any host, or a specific one in four or sixteen bytes.
        case host([UInt8])
        case path([UInt8])
        case abstract([UInt8])
    }

    /// The address family, which is also that of a socket for it.
    let family: Int32
    private let place: Place
    /// 0 is any free port, or no port.
    private let port: UInt16
    /// The interface of a link-local address (ipv6(7)); 0 means none.
    private let scope: UInt32

    /// Parses a `struct sockaddr` (socket(7)) of the size given by the caller. Nil for other
    /// families, and for an address that the kernel would reject.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 2 else { return nil }
        family = Int32(bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt16.self) })
        // The size of an IPv6 address without a scope is still accepted (SIN6_LEN_RFC2133).
        scope =
            family == AF_INET6 && bytes.count >= 28
            ? bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 24, as: UInt32.self) } : 0
        switch family {
        case AF_INET:
            guard bytes.count >= 16 else { return nil }
            port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
            place = .host(Array(bytes[4..<8]))
        case AF_INET6:
            guard bytes.count >= 24 else { return nil }
            port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
            place = .host(Array(bytes[8..<24]))
        case AF_UNIX:
            port = 0
            let name = Array(bytes[2...])
            guard let first = name.first, name.count <= 108 else { return nil }
            place =
                first == 0
                ? .abstract(Array(name.dropFirst())) : .path(name.prefix { $0 != 0 } + [])
        default:
            return nil
        }
    }

    /// Whether it is a specific address, with a port or a name.
    var isDefinite: Bool { if case .host = place { port != 0 } else { true } }

    /// Whether it is a file name, which refers to another socket if the file is replaced.
    var isPath: Bool { if case .path = place { true } else { false } }

    /// Whether a socket bound here conflicts with one at the other address: the names are equal, or
    /// the ports are equal and the hosts overlap. `isIPv6Only` is IPV6_V6ONLY of the socket
    /// (ipv6(7)), without which `::` includes IPv4.
    func collides(
        isIPv6Only: Bool, with other: ListenAddress, isOtherIPv6Only: Bool
    ) -> Bool {
        guard case .host = place, case .host = other.place else {
            return family == other.family && place == other.place
        }
        guard port == other.port, port != 0,
            scope == other.scope || scope == 0 || other.scope == 0
        else { return false }
        let (ours, theirs) = (
            coverage(isIPv6Only: isIPv6Only), other.coverage(isIPv6Only: isOtherIPv6Only)
        )
        return ListenAddress.overlap(ours.four, theirs.four)
            || ListenAddress.overlap(ours.six, theirs.six)
    }

    /// Whether the two have the same port and different families, so that a server with one socket
    /// per family means both by one address.
    func isOtherFamily(
        isIPv6Only: Bool, of other: ListenAddress, isOtherIPv6Only: Bool
    ) -> Bool {
        guard case .host = place, case .host = other.place, port == other.port, port != 0 else {
            return false
        }
        let (ours, theirs) = (
            coverage(isIPv6Only: isIPv6Only), other.coverage(isIPv6Only: isOtherIPv6Only)
        )
        // A mapped address on an IPv6-only socket covers nothing, and the kernel rejects it.
        guard ours.four != nil || ours.six != nil, theirs.four != nil || theirs.six != nil else {
            return false
        }
        return (ours.four == nil || theirs.four == nil) && (ours.six == nil || theirs.six == nil)
    }

    /// The hosts of each family from which a socket here accepts connections; nil means none, empty
    /// means all.
    private func coverage(isIPv6Only: Bool) -> (four: [UInt8]?, six: [UInt8]?) {
        guard case .host(let bytes) = place else { return (nil, nil) }
        let isAny = bytes.allSatisfy { $0 == 0 }
        if family == AF_INET { return (isAny ? [] : bytes, nil) }
        if isAny { return (isIPv6Only ? nil : [], []) }
        guard bytes.starts(with: ListenAddress.mappedPrefix) else { return (nil, bytes) }
        let four = Array(bytes.dropFirst(ListenAddress.mappedPrefix.count))
        // Such a socket cannot be bound to this address (EINVAL).
        if isIPv6Only { return (nil, nil) }
        return (four.allSatisfy { $0 == 0 } ? [] : four, nil)
    }

    private static func overlap(_ a: [UInt8]?, _ b: [UInt8]?) -> Bool {
        guard let a, let b else { return false }
        return a.isEmpty || b.isEmpty || a == b
    }

    /// `::ffff:` before an IPv4 address.
    private static let mappedPrefix = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
}
