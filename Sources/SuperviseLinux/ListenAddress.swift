import Glibc

/// What a stream socket is bound to, compared as the kernel does it when it refuses a second listener
/// (EADDRINUSE of bind(2)).
struct ListenAddress: Hashable, Sendable {
    private enum Place: Hashable {
        /// Any host, or this one, in four or sixteen bytes.
        case host([UInt8])
        case path([UInt8])
        case abstract([UInt8])
    }

    /// The address family, which is also that of a socket that can be bound to it.
    let family: Int32
    private let place: Place
    /// 0 is any free port, or no port.
    private let port: UInt16
    /// The interface of a link-local address (ipv6(7)); 0 is none.
    private let scope: UInt32

    /// The address of a `struct sockaddr` (socket(7)), as many bytes as the caller says it has. Nil for
    /// other families, and for what the kernel would refuse.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 2 else { return nil }
        family = Int32(bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt16.self) })
        // Without a scope an IPv6 address was once shorter, and still may be (SIN6_LEN_RFC2133).
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

    /// Whether it is one address, with a port or a name.
    var isDefinite: Bool { if case .host = place { port != 0 } else { true } }

    /// Whether it is a file's name, which is another socket once the file is another.
    var isPath: Bool { if case .path = place { true } else { false } }

    /// Whether a socket bound here leaves no room for one at the other address: the names are equal,
    /// or the ports are and both take connections to some same host. `isIPv6Only` is the socket's
    /// IPV6_V6ONLY (ipv6(7)), without which `::` takes IPv4 too.
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

    /// Whether the two have a port in common and no family, so that a server which opens a socket for
    /// each family means both by one address.
    func isOtherFamily(
        isIPv6Only: Bool, of other: ListenAddress, isOtherIPv6Only: Bool
    ) -> Bool {
        guard case .host = place, case .host = other.place, port == other.port, port != 0 else {
            return false
        }
        let (ours, theirs) = (
            coverage(isIPv6Only: isIPv6Only), other.coverage(isIPv6Only: isOtherIPv6Only)
        )
        // A mapped address on a socket for IPv6 alone covers nothing, and the kernel refuses it.
        guard ours.four != nil || ours.six != nil, theirs.four != nil || theirs.six != nil else {
            return false
        }
        return (ours.four == nil || theirs.four == nil) && (ours.six == nil || theirs.six == nil)
    }

    /// The hosts of each family that a socket here takes connections for; none is nil, all is empty.
    private func coverage(isIPv6Only: Bool) -> (four: [UInt8]?, six: [UInt8]?) {
        guard case .host(let bytes) = place else { return (nil, nil) }
        let isAny = bytes.allSatisfy { $0 == 0 }
        if family == AF_INET { return (isAny ? [] : bytes, nil) }
        if isAny { return (isIPv6Only ? nil : [], []) }
        guard bytes.starts(with: ListenAddress.mappedPrefix) else { return (nil, bytes) }
        let four = Array(bytes.dropFirst(ListenAddress.mappedPrefix.count))
        // Such a socket takes no such address (EINVAL).
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
