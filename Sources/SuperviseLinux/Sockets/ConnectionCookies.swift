import CSupervise
import Glibc

/// Open connections by their cookies (SO_COOKIE of socket(7)), which identify a socket for as long
/// as the machine runs.
public enum ConnectionCookies {
    /// Returns those of these cookies that belong to an open TCP connection with one of these local
    /// ports or, with `includesUnix`, to a unix socket, with the address of the client. A unix
    /// socket's client has none. The cost grows with the connections on the machine. Fails as
    /// sendto(2) and recv(2).
    public static func open(
        among cookies: Set<UInt64>, ports: some Sequence<UInt16>, includesUnix: Bool,
        _ diagnosis: SocketDiagnosis
    ) throws(SystemCallError) -> [UInt64: String?] {
        guard !cookies.isEmpty else { return [:] }
        var wanted = cookies.map { cookie in
            var one = csupervise_cookie()
            one.cookie = cookie
            return one
        }
        let count = Int32(wanted.count)
        for port in ports {
            for family in [AF_INET, AF_INET6] {
                try systemCall("sock_diag") {
                    csupervise_find_tcp(diagnosis.rawValue, family, port, &wanted, count)
                }
            }
        }
        if includesUnix {
            try systemCall("sock_diag") {
                csupervise_find_unix(diagnosis.rawValue, &wanted, count)
            }
        }
        var found: [UInt64: String?] = [:]
        for one in wanted where one.found != 0 { found.updateValue(one.peer, forKey: one.cookie) }
        return found
    }
}

extension csupervise_cookie {
    fileprivate var peer: String? {
        let bytes = withUnsafeBytes(of: address) { Array($0) }
        let ends = [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]
        // The layouts of ip(7) and ipv6(7).
        func text(_ family: Int32, _ rest: [UInt8]) -> String {
            let head = withUnsafeBytes(of: sa_family_t(family)) { Array($0) }
            return SocketAddress(bytes: head + ends + rest).text
        }
        switch Int32(family) {
        case AF_INET: return text(AF_INET, bytes.prefix(4) + [UInt8](repeating: 0, count: 8))
        case AF_INET6:
            let zeros = [UInt8](repeating: 0, count: 4)
            return text(AF_INET6, zeros + bytes + zeros)
        default: return nil
        }
    }
}
