/// An address that a pool listens on, as given by `bind`.
public enum BindAddress: Hashable, Sendable, Codable {
    /// A TCP address: a host name or literal address (IPv6 without brackets) and a port; port 0 selects
    /// a free one.
    case tcp(host: String, port: UInt16)
    /// A unix socket at a path.
    case unix(path: String)
    /// A unix socket in the abstract namespace (unix(7)), its name without the leading NUL.
    case abstract(name: String)
    /// An open descriptor that the master inherits.
    case descriptor(Int32)
    /// The sockets of this name that systemd passes (LISTEN_FDNAMES, sd_listen_fds(3)).
    case systemd(name: String)

    /// sun_path has 108 bytes, one of which is a NUL at the end or at the beginning: unix(7).
    private static let longestSocketPathBytes = 107

    /// Parses an address.
    public init(parsing text: String) throws(ValueFault) {
        guard !text.isEmpty else { throw .empty }
        if let rest = text.after(prefix: "unix:@") {
            self = .abstract(name: try BindAddress.socketPath(rest, in: text))
        } else if let rest = text.after(prefix: "unix:") {
            self = .unix(path: try BindAddress.socketPath(rest, in: text))
        } else if let rest = text.after(prefix: "fd://") {
            switch Decimal.parse(rest) {
            case .notDigits: throw .malformed(text, noun: "a listener")
            case .number(let number) where number < 1 << 20: self = .descriptor(Int32(number))
            case .number, .tooLarge: throw .outOfRange(text)
            }
        } else if let rest = text.after(prefix: "systemd:") {
            guard (1...255).contains(rest.utf8.count),
                rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") })
            else { throw .malformed(text, noun: "a listener") }
            self = .systemd(name: rest)
        } else {
            self = try BindAddress.tcp(parsing: text)
        }
    }

    private static func socketPath(
        _ path: String, in text: String
    ) throws(ValueFault) -> String {
        guard !path.isEmpty else { throw .malformed(text, noun: "a listener") }
        guard path.utf8.count <= longestSocketPathBytes else { throw .socketPathTooLong(text) }
        return try Quoting.withoutNUL(path)
    }

    private static func tcp(parsing text: String) throws(ValueFault) -> BindAddress {
        let scalars = text.unicodeScalars
        guard let colon = scalars.lastIndex(of: ":") else { throw .missingPort(text) }
        var host = String(scalars[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]"), host.utf8.count > 2 {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":"), host.unicodeScalars.allSatisfy(isPartOfIPv6) else {
                throw .malformed(text, noun: "a listener")
            }
        } else if host.hasPrefix("["), scalars.last == "]" {
            throw .missingPort(text)
        } else if host.unicodeScalars.allSatisfy(isPartOfIPv6), host.contains(":") {
            throw .missingBrackets(text)
        } else {
            guard host.unicodeScalars.allSatisfy(isPartOfHost) else {
                throw .malformed(text, noun: "a listener")
            }
        }
        let written = String(scalars[scalars.index(after: colon)...])
        guard !written.isEmpty else { throw .missingPort(text) }
        guard let port = BindAddress.port(written) else { throw .badPort(text, port: written) }
        return .tcp(host: host.isEmpty ? "0.0.0.0" : host, port: port)
    }

    private static func port(_ text: String) -> UInt16? {
        guard case .number(let number) = Decimal.parse(text) else { return nil }
        return UInt16(exactly: number)
    }

    private static func isPartOfIPv6(_ scalar: Unicode.Scalar) -> Bool {
        // With a zone: fe80::1%eth0.
        isPartOfHost(scalar) || scalar == ":" || scalar == "%"
    }

    private static func isPartOfHost(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "-", "_": true
        default: false
        }
    }

    /// Whether both addresses cannot be bound at once. Port 0 is a new port each time.
    func collides(with other: BindAddress) -> Bool {
        switch (self, other) {
        case (.tcp(_, port: 0), _): false
        case (.tcp(let host, let port), .tcp(let otherHost, let otherPort)):
            port == otherPort && host.lowercased() == otherHost.lowercased()
        default: self == other
        }
    }
}

extension BindAddress: CustomStringConvertible {
    /// The address as written for `bind`; parsing it yields the same address.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        case .abstract(let name): "unix:@\(name)"
        case .descriptor(let number): "fd://\(number)"
        case .systemd(let name): "systemd:\(name)"
        }
    }
}

extension String {
    /// The text after a prefix, compared byte by byte; nil if the text lacks the prefix.
    func after(prefix: String) -> String? {
        guard utf8.starts(with: prefix.utf8) else { return nil }
        return String(Substring(utf8.dropFirst(prefix.utf8.count)))
    }
}
