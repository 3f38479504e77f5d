import CSupervise
import Glibc

/// What another holder of a listener can do to it that makes it receive no connections, although it
/// still listens. No event reports this.
///
/// This is no security boundary: a holder can also accept all connections and answer none. But it
/// would be invisible, because no connection arrives or waits anywhere.
extension ListenSocket {
    /// What a holder did.
    public enum Interference: Hashable, Sendable {
        /// It attached a filter to the socket (SO_ATTACH_FILTER, which needs CAP_NET_ADMIN). A
        /// locked one (SO_LOCK_FILTER) cannot be removed.
        case filter(isLocked: Bool)
        /// It set SO_REUSEPORT, so that another listener of the same user can share the address and
        /// take its connections.
        case sharing
    }

    /// Detects such an interference and reverts it if that is possible. Nil if there is none. Not
    /// for a socket that was passed in, whose owner may have a reason, nor while it refuses new
    /// connections.
    public func endInterference() -> Interference? {
        guard !isAdopted, overflow == nil, !isUnix else { return nil }
        // The number of instructions; EACCES for a program that cannot be read.
        var count: socklen_t = 0
        let result = getsockopt(rawValue, SOL_SOCKET, SO_GET_FILTER, nil, &count)
        if count > 0 || result != 0 && errno == EACCES {
            return .filter(isLocked: csupervise_admit_new_connections(rawValue) != 0)
        }
        guard SocketOption.int(rawValue, SOL_SOCKET, SO_REUSEPORT) == 1 else { return nil }
        csupervise_steer(rawValue, 0)
        var off: Int32 = 0
        setsockopt(rawValue, SOL_SOCKET, SO_REUSEPORT, &off, socklen_t(MemoryLayout<Int32>.size))
        return .sharing
    }
}
