import CSupervise
import Glibc

/// The accept queue of a listener, and its unfinished handshakes.
public struct AcceptQueue: Hashable, Sendable {
    /// The number of connections that wait to be accepted.
    public var waiting: Int
    /// The length of the queue; the kernel drops or refuses further connections (listen(2)).
    public var limit: Int
}

/// The kernel's socket tables (sock_diag(7)), read over a descriptor of its own.
public final class SocketDiagnosis: Sendable {
    private let descriptor: FileDescriptor

    /// Opens the tables. Fails as socket(2), also in a kernel without them.
    public init() throws(SystemCallError) {
        descriptor = FileDescriptor(
            owning: try systemCall("socket") { csupervise_open_diagnosis() })
    }

    var rawValue: Int32 { descriptor.rawValue }

    /// The queue of this listener.
    public func queue(of listener: ListenSocket) throws(SystemCallError) -> AcceptQueue {
        var waiting: UInt32 = 0
        var limit: UInt32 = 0
        if listener.isUnix {
            // The inode of a listener has 32 bits (socket(7) has no more).
            let inode = UInt32(truncatingIfNeeded: listener.identity.inode)
            try systemCall("sock_diag") {
                csupervise_unix_queue(descriptor.rawValue, inode, &waiting, &limit)
            }
        } else {
            try systemCall("getsockopt") {
                csupervise_tcp_queue(listener.rawValue, &waiting, &limit)
            }
        }
        return AcceptQueue(waiting: Int(waiting), limit: Int(limit))
    }

    /// The inode of the socket that the unix socket with this inode is connected to. Fails with
    /// ENODATA if it is not connected.
    func peer(ofUnixSocket inode: UInt64) throws(SystemCallError) -> UInt64 {
        var peer: UInt32 = 0
        try systemCall("sock_diag") {
            csupervise_unix_peer(rawValue, UInt32(truncatingIfNeeded: inode), &peer)
        }
        return UInt64(peer)
    }

    /// The number of unfinished handshakes on the port of this listener. The client of each may
    /// already consider itself connected. 0 for a unix socket, which has no such state.
    public func halfOpen(to listener: ListenSocket) throws(SystemCallError) -> Int {
        guard let port = listener.port else { return 0 }
        // A dual-stack socket has clients of both families.
        var count: Int32 = 0
        for family in [AF_INET, AF_INET6] {
            count += try systemCall("sock_diag") {
                csupervise_half_open(descriptor.rawValue, family, port)
            }
        }
        return Int(count)
    }
}

extension ListenSocket {
    /// Whether it is a unix(7) socket.
    public var isUnix: Bool { address.hasPrefix("unix:") }

    /// Whether only this machine can connect (127.0.0.0/8 and ::1, see ip(7) and ipv6(7)).
    public var isLoopback: Bool {
        ["127.", "[::1]:", "[::ffff:127."].contains { address.hasPrefix($0) }
    }

    /// The TCP port; nil for a unix socket.
    public var port: UInt16? {
        isUnix ? nil : address.lastIndex(of: ":").flatMap { UInt16(address[$0...].dropFirst()) }
    }
}
