import CSupervise
import Glibc

extension ListenSocket {
    /// Whether it takes connections, of which one that listens on demand begins as none.
    public var isListening: Bool {
        !listensOnDemand || SocketOption.int(rawValue, SOL_SOCKET, SO_ACCEPTCONN) == 1
    }

    /// Whether a holder of the socket has shut it down, and it takes no connections.
    public var isShutDown: Bool {
        guard !listensOnDemand else { return false }
        guard isUnix else { return SocketOption.int(rawValue, SOL_SOCKET, SO_ACCEPTCONN) == 0 }
        // POLLRDHUP, which has the same value (poll(2)).
        let ended = Int16(EPOLLRDHUP.rawValue)
        var entry = pollfd(fd: rawValue, events: ended, revents: 0)
        return poll(&entry, 1, 0) == 1 && entry.revents & (ended | Int16(POLLHUP)) != 0
    }

    /// Listens again after a shutdown, on the address that it kept (listen(2)). An adopted socket too:
    /// it serves nobody as it is. Fails with EADDRINUSE when the address was taken meanwhile. A unix
    /// socket stays shut down.
    public func listenAgain(_ backlog: Int32) throws(SystemCallError) {
        // A port that the kernel chose went with the shutdown, and listen(2) would choose another.
        // (getsockname(2) still tells the old one.) One that was asked for is bound still.
        do throws(SystemCallError) {
            try ListenSocket.bind(rawValue, to: SocketAddress(bytes: bound))
        } catch  where error.code == EINVAL {
        }
        try systemCall("listen") { listen(rawValue, backlog) }
    }
}

extension Interest {
    /// The end of a listener, reported once (EPOLLONESHOT), and nothing else.
    public static let ended = Interest(
        rawValue: EPOLLRDHUP.rawValue | EPOLLONESHOT.rawValue)
}
