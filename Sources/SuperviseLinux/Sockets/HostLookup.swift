import CSupervise
import Glibc

/// A host name without an address.
public struct HostLookupFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The requested name.
    public let host: String
    /// The message of gai_strerror(3).
    public let message: String

    /// `example.invalid: Name or service not known`.
    public var description: String { "\(host): \(message)" }
}

/// Addresses of hosts (getaddrinfo(3)). A lookup can query the network, so it must never run on the
/// loop.
public enum HostLookup {
    /// The numeric addresses of a host, IPv4 first, without duplicates. An empty name and `*` mean
    /// every IPv4 address of this machine.
    public static func resolve(_ host: String) throws(HostLookupFailure) -> [String] {
        if host.isEmpty || host == "*" { return ["0.0.0.0"] }
        NameServices.prepare()
        var hints = addrinfo()
        hints.ai_socktype = streamType
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, nil, &hints, &list)
        guard result == 0 else {
            let message =
                result == EAI_SYSTEM
                ? SystemCallError.message(of: errno) : String(cString: gai_strerror(result))
            throw HostLookupFailure(host: host, message: message)
        }
        defer { freeaddrinfo(list) }
        var four: [String] = []
        var six: [String] = []
        var next = list
        while let entry = next?.pointee {
            var name = [CChar](repeating: 0, count: 256)
            let length = socklen_t(name.count)
            if getnameinfo(
                entry.ai_addr, entry.ai_addrlen, &name, length, nil, 0, NI_NUMERICHOST) == 0
            {
                let text = string(name)
                if entry.ai_family == AF_INET, !four.contains(text) { four.append(text) }
                if entry.ai_family == AF_INET6, !six.contains(text) { six.append(text) }
            }
            next = entry.ai_next
        }
        return four + six
    }
}

/// The name services of the C library (nss(5)).
enum NameServices {
    /// Call this before each lookup. A static program uses only files and the DNS: other name
    /// services are libraries that load a second C library and crash.
    static func prepare() {
        _ = once
    }

    private static let once: Void = csupervise_avoid_name_service_libraries()
}
