import CSupervise
import Glibc

/// Who is at the other end of a unix socket (SO_PEERCRED of unix(7)).
public struct PeerCredentials: Hashable, Sendable, Codable {
    /// Its process, 0 where it is in a namespace that we don't see.
    public let pid: Int32
    /// Its user, when it connected or listened.
    public let uid: UInt32
    /// Its group.
    public let gid: UInt32
}

/// A connected stream socket, close-on-exec and non-blocking; closed when the last reference goes.
public final class StreamSocket: Sendable {
    private let descriptor: FileDescriptor

    /// Takes a connected socket over, which is close-on-exec.
    public init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// The descriptor, valid while this object lives.
    public var rawValue: Int32 { descriptor.rawValue }

    /// What has arrived, at most so many bytes; empty at the end, nil when there is nothing yet. Fails
    /// as recv(2) does: ECONNRESET.
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

    /// Sends what fits; the number of bytes, 0 when none does. Fails as send(2) does, never by a
    /// signal: EPIPE, ECONNRESET.
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

    /// Tells the other end that nothing more comes (shutdown(2)). It may be gone already.
    public func shutDownWriting() {
        shutdown(descriptor.rawValue, Int32(SHUT_WR))
    }

    /// Who is at the other end of a unix socket. Fails as getsockopt(2) does.
    public func peer() throws(SystemCallError) -> PeerCredentials {
        var credentials = csupervise_peer()
        try systemCall("getsockopt") {
            csupervise_peer_credentials(descriptor.rawValue, &credentials)
        }
        return PeerCredentials(
            pid: credentials.pid, uid: credentials.uid, gid: credentials.gid)
    }

    /// Connects to a unix socket. Does not wait: one that cannot take a connection at once, since
    /// nobody accepts, fails with EAGAIN. Fails as connect(2) does: ENOENT, ECONNREFUSED, EACCES.
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
    /// Those of the descriptors that can be read, or are at their end; none when the time is up.
    public static func wait(
        _ numbers: [Int32], timeoutMilliseconds: Int32
    ) throws(SystemCallError) -> Set<Int32> {
        var entries = numbers.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        try systemCall("poll") { poll(&entries, nfds_t(entries.count), timeoutMilliseconds) }
        return Set(entries.filter { $0.revents != 0 }.map(\.fd))
    }
}

extension ListenSocket {
    /// What came of taking a connection.
    public enum Accepted {
        /// A connection.
        case connection(StreamSocket)
        /// None waits any more, or the one that did is gone.
        case none
        /// The system is short of descriptors or memory; the connection still waits.
        case exhausted(SystemCallError)
    }

    /// Takes a connection without waiting (accept(2)).
    public func accept() -> Accepted {
        let number = csupervise_accept(rawValue)
        if number >= 0 { return .connection(StreamSocket(FileDescriptor(owning: number))) }
        switch errno {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            return .exhausted(SystemCallError(call: "accept", code: errno))
        // Besides EAGAIN, errors of the connection that waited (accept(2)).
        default: return .none
        }
    }
}
