import Glibc

/// The bytes of a `struct sockaddr` of any family (socket(7)).
struct SocketAddress {
    private var storage = sockaddr_storage()
    private(set) var length: socklen_t

    var family: Int32 { Int32(storage.ss_family) }

    /// Parses a numeric address, `::1` or `192.0.2.1` or `fe80::1%eth0`, without a lookup. Fails
    /// with EINVAL for anything else.
    init(numericHost host: String, port: UInt16) throws(SystemCallError) {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = streamType
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let first = list,
            let address = first.pointee.ai_addr
        else { throw SystemCallError(call: "inet_pton", code: EINVAL) }
        defer { freeaddrinfo(list) }
        self.init(copying: address, length: first.pointee.ai_addrlen)
    }

    /// A path or, with `abstract`, an abstract name (unix(7)). Fails with ENAMETOOLONG past 107
    /// bytes.
    init(unix name: String, abstract: Bool) throws(SystemCallError) {
        let bytes = (abstract ? [0] : []) + Array(name.utf8) + (abstract ? [] : [0])
        let offset = MemoryLayout<sa_family_t>.size
        guard bytes.count <= MemoryLayout<sockaddr_un>.size - offset else {
            throw SystemCallError(call: "bind", code: ENAMETOOLONG)
        }
        storage.ss_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &storage) { $0.baseAddress?.advanced(by: offset) }?
            .copyMemory(from: bytes, byteCount: bytes.count)
        // A larger length would make the zeros after an abstract name part of it.
        length = socklen_t(offset + bytes.count)
    }

    /// The address that a socket is bound to (getsockname(2)).
    init(boundBy descriptor: Int32) throws(SystemCallError) {
        try self.init("getsockname") { getsockname(descriptor, $0, $1) }
    }

    /// The address that a socket is connected to (getpeername(2)); ENOTCONN where it is not.
    init(connectedTo descriptor: Int32) throws(SystemCallError) {
        try self.init("getpeername") { getpeername(descriptor, $0, $1) }
    }

    private init(
        _ call: StaticString,
        _ body: (UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws(SystemCallError) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try systemCall(call) {
            withUnsafeMutableBytes(of: &storage) {
                body($0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
            }
        }
        self.storage = storage
        self.length = length
    }

    /// The bytes of an address with the size of its family.
    init(bytes: [UInt8]) {
        length = socklen_t(bytes.count)
        withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: bytes.prefix($0.count)) }
    }

    private init(copying address: UnsafePointer<sockaddr>, length: socklen_t) {
        self.length = length
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(length)))
        }
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>?, socklen_t) -> Result) -> Result {
        withUnsafeBytes(of: storage) {
            body($0.baseAddress?.assumingMemoryBound(to: sockaddr.self), length)
        }
    }

    /// The bytes, without padding.
    var bytes: [UInt8] { withUnsafeBytes(of: storage) { Array($0.prefix(Int(length))) } }

    /// The port of an IP address.
    var port: UInt16? {
        guard family == AF_INET || family == AF_INET6 else { return nil }
        // The port follows the family in both (ip(7), ipv6(7)).
        return withUnsafeBytes(of: storage) { UInt16($0[2]) << 8 | UInt16($0[3]) }
    }

    /// `127.0.0.1:8000`, `[::1]:8000`, `unix:/run/app.sock`, `unix:@name`.
    var text: String {
        if family == AF_UNIX { return "unix:\(unixName)" }
        var host = [CChar](repeating: 0, count: 256)
        var port = [CChar](repeating: 0, count: 16)
        let result = withPointer { pointer, length in
            getnameinfo(
                pointer, length, &host, socklen_t(host.count), &port, socklen_t(port.count),
                NI_NUMERICHOST | NI_NUMERICSERV)
        }
        guard result == 0 else { return "family \(family)" }
        let name = string(host)
        return "\(family == AF_INET6 ? "[\(name)]" : name):\(string(port))"
    }

    private var unixName: String {
        let offset = MemoryLayout<sa_family_t>.size
        let bytes = withUnsafeBytes(of: storage) { Array($0[offset..<max(offset, Int(length))]) }
        if bytes.first == 0 { return "@" + String(decoding: bytes.dropFirst(), as: UTF8.self) }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// SOCK_STREAM as an argument of socket(2).
let streamType = Int32(SOCK_STREAM.rawValue)

/// SOCK_CLOEXEC | SOCK_NONBLOCK as arguments of socket(2).
let closeOnExec = Int32(SOCK_CLOEXEC.rawValue)
let nonBlocking = Int32(SOCK_NONBLOCK.rawValue)

/// The text in a C buffer before its NUL.
func string(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
