import CSupervise
import Glibc

extension ListenSocket {
    /// Whether it accepts connections. A listener on demand does not at first.
    public var isListening: Bool {
        !listensOnDemand || SocketOption.int(rawValue, SOL_SOCKET, SO_ACCEPTCONN) == 1
    }

    /// Whether a holder of the socket has shut it down, so that it accepts no connections.
    public var isShutDown: Bool {
        guard !listensOnDemand else { return false }
        guard isUnix else { return SocketOption.int(rawValue, SOL_SOCKET, SO_ACCEPTCONN) == 0 }
        // POLLRDHUP, which has the same value (poll(2)).
        let ended = Int16(EPOLLRDHUP.rawValue)
        var entry = pollfd(fd: rawValue, events: ended, revents: 0)
        return poll(&entry, 1, 0) == 1 && entry.revents & (ended | Int16(POLLHUP)) != 0
    }

    /// Listens again after a shutdown, on the address that it kept (listen(2)). This includes an
    /// adopted socket, which is unusable otherwise. Fails with EADDRINUSE if the address is in use
    /// by now. A unix socket stays shut down.
    public func listenAgain(_ backlog: Int32) throws(SystemCallError) {
        // A port that the kernel chose is released by the shutdown, and listen(2) would choose
        // another. (getsockname(2) still returns the old one.) A port that was requested is still
        // bound.
        do throws(SystemCallError) {
            try ListenSocket.bind(rawValue, to: SocketAddress(bytes: bound))
        } catch  where error.code == EINVAL {
        }
        try systemCall("listen") { listen(rawValue, backlog) }
    }
}

extension Interest {
    /// Reports a connection that arrives at a listener, once (EPOLLONESHOT).
    public static let arrival = Interest(rawValue: EPOLLIN.rawValue | EPOLLONESHOT.rawValue)
    /// Reports the shutdown of a listener, once (EPOLLONESHOT), and nothing else.
    public static let ended = Interest(
        rawValue: EPOLLRDHUP.rawValue | EPOLLONESHOT.rawValue)
}
