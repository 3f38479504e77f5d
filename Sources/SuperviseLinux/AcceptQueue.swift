import CSupervise
import Glibc

/// The connections that a listener holds for whoever accepts next, and those that are about to come.
public struct AcceptQueue: Hashable, Sendable {
    /// Connections that wait to be accepted.
    public var waiting: Int
    /// How many may wait; the kernel drops or refuses more (listen(2)).
    public var limit: Int
}

/// What the kernel's socket tables tell of listeners (sock_diag(7)), over a descriptor of its own.
public final class SocketDiagnosis: Sendable {
    private let descriptor: FileDescriptor

    /// Opens the way to the tables. Fails as socket(2), in a kernel without them too.
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
            // A listener's inode is 32 bits wide (socket(7) has no more).
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

    /// How many clients of this listener's port have begun a handshake that is not finished: each may
    /// take itself for connected already. 0 for a unix socket, which knows no such state.
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

    /// Whether only this machine can connect (127.0.0.0/8 and ::1 of ip(7) and ipv6(7)).
    public var isLoopback: Bool {
        ["127.", "[::1]:", "[::ffff:127."].contains { address.hasPrefix($0) }
    }

    /// The TCP port; nil of a unix socket.
    public var port: UInt16? {
        isUnix ? nil : address.lastIndex(of: ":").flatMap { UInt16(address[$0...].dropFirst()) }
    }
}
