import CSupervise
import Glibc

/// The peer of a unix socket (SO_PEERCRED of unix(7)).
public struct PeerCredentials: Hashable, Sendable, Codable {
    /// The process ID; 0 if it is in a pid namespace that we do not see.
    public let pid: Int32
    /// The user at the time of connect or listen.
    public let uid: UInt32
    /// The group.
    public let gid: UInt32
}

/// A connected stream socket, close-on-exec and non-blocking; closed when the last reference goes.
public final class StreamSocket: Sendable {
    private let descriptor: FileDescriptor

    /// Takes over a connected socket, which is close-on-exec.
    public init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// The descriptor, valid while this object lives.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Receives the available data, up to this many bytes; empty at the end, nil if there is none
    /// yet. Fails as recv(2): ECONNRESET.
    public func read(atMost limit: Int) throws(SystemCallError) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        do throws(SystemCallError) {
            let count = try systemCall("recv") {
                recv(descriptor.rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            }
            buffer.removeLast(limit - count)
            return buffer
        } catch  where error.code == EAGAIN {
            return nil
        }
    }

    /// Sends as much as possible and returns the number of bytes, 0 if none. Fails as send(2),
    /// without a signal: EPIPE, ECONNRESET.
    public func write(_ bytes: ArraySlice<UInt8>) throws(SystemCallError) -> Int {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        do throws(SystemCallError) {
            return try systemCall("send") {
                bytes.withUnsafeBytes { send(descriptor.rawValue, $0.baseAddress, $0.count, flags) }
            }
        } catch  where error.code == EAGAIN {
            return 0
        }
    }

    /// Shuts down the sending side (shutdown(2)). The peer may already be gone.
    public func shutDownWriting() {
        shutdown(descriptor.rawValue, Int32(SHUT_WR))
    }

    /// The peer of a unix socket. Fails as getsockopt(2).
    public func peer() throws(SystemCallError) -> PeerCredentials {
        var credentials = csupervise_peer()
        try systemCall("getsockopt") {
            csupervise_peer_credentials(descriptor.rawValue, &credentials)
        }
        return PeerCredentials(
            pid: credentials.pid, uid: credentials.uid, gid: credentials.gid)
    }

    /// Connects to a unix socket without blocking. Fails with EAGAIN if the accept queue is full,
    /// otherwise as connect(2): ENOENT, ECONNREFUSED, EACCES.
    public static func connect(unix path: String) throws(SystemCallError) -> StreamSocket {
        let address = try SocketAddress(unix: path, abstract: false)
        let descriptor = try ListenSocket.open(AF_UNIX, nonblocking: true)
        try systemCall("connect") {
            address.withPointer { Glibc.connect(descriptor.rawValue, $0, $1) }
        }
        return StreamSocket(descriptor)
    }
}

/// Waiting for descriptors outside the master's loop (poll(2)).
public enum Readiness {
    /// Returns the descriptors that are readable or at their end; none if the time is up.
    public static func wait(
        _ numbers: [Int32], timeoutMilliseconds: Int32
    ) throws(SystemCallError) -> Set<Int32> {
        var entries = numbers.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        try systemCall("poll") { poll(&entries, nfds_t(entries.count), timeoutMilliseconds) }
        return Set(entries.filter { $0.revents != 0 }.map(\.fd))
    }
}

extension ListenSocket {
    /// The result of accepting a connection.
    public enum Accepted {
        /// A connection.
        case connection(StreamSocket)
        /// No connection waits any longer.
        case none
        /// The system lacks descriptors or memory; the connection still waits.
        case exhausted(SystemCallError)
    }

    /// Accepts a connection without blocking (accept(2)).
    public func accept() -> Accepted {
        let number = csupervise_accept(rawValue)
        if number >= 0 { return .connection(StreamSocket(FileDescriptor(owning: number))) }
        switch errno {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            return .exhausted(SystemCallError(call: "accept", code: errno))
        // Besides EAGAIN, pending errors of the waiting connection (accept(2)).
        default: return .none
        }
    }
}
