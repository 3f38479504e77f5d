import CSupervise
import Glibc

/// A TCP connection of a process.
public struct HeldConnection: Hashable, Sendable {
    /// What its client waits for, as far as the kernel shows that.
    public enum Use: Hashable, Sendable {
        /// Nothing: one side has said all that it has to say, or no request was sent so far.
        case idle
        /// Nothing was received since something was sent, and nothing at all happened for a second.
        /// The response may be complete, or one that pauses, or the session tickets of TLS or a frame
        /// of HTTP/2 that came before it.
        case quiet
        /// The same, a moment ago.
        case answered
        /// Nothing happened for a second, and the last data sent and received were so close together
        /// that either may have been the last.
        case unclear
        /// A response: the last data were received, or are on their way.
        case inFlight
    }

    /// Its socket.
    public let inode: UInt64
    /// What its client waits for.
    public let use: Use
    /// Segments with data that the process has sent so far.
    public let segmentsSent: UInt32
    /// Segments with data that it has received so far.
    public let segmentsReceived: UInt32

    init(_ found: csupervise_connection, inode: UInt64) {
        self.inode = inode
        use = found.use
        segmentsSent = found.segments_sent
        segmentsReceived = found.segments_received
    }
}

/// The sockets of a TCP port, as the kernel's tables have them (sock_diag(7)): its listeners and its
/// connections. To read them takes longer the more connections there are on the machine, and some
/// milliseconds where there are none.
///
/// A connection belongs to a process that has a descriptor of it, which is known by the socket's
/// inode, as a listener's is.
public struct PortConnections: Sendable {
    private static let listening: UInt8 = 10
    /// The inodes of the listeners.
    public private(set) var listeners: Set<UInt64> = []
    private var connections: [HeldConnection] = []

    /// Asks for the sockets of these ports, of both families: a dual-stack listener's connections may
    /// be of either. Fails as sendto(2) and recv(2) on the descriptor do.
    public init(
        ports: some Sequence<UInt16>, _ diagnosis: SocketDiagnosis
    ) throws(SystemCallError) {
        for port in ports {
            for family in [AF_INET, AF_INET6] {
                for found in try diagnosis.sockets(port, family) {
                    let inode = UInt64(found.inode)
                    if found.state == Self.listening {
                        listeners.insert(inode)
                    } else if inode != 0 {
                        connections.append(HeldConnection(found, inode: inode))
                    }
                }
            }
        }
    }

    /// Those of the connections that are among these sockets.
    public func connections(among sockets: Set<UInt64>) -> [HeldConnection] {
        connections.filter { sockets.contains($0.inode) }
    }
}

extension SocketDiagnosis {
    fileprivate func sockets(
        _ port: UInt16, _ family: Int32
    ) throws(SystemCallError) -> [csupervise_connection] {
        var found = [csupervise_connection](repeating: csupervise_connection(), count: 256)
        while true {
            let room = Int32(found.count)
            let count = try systemCall("sock_diag") {
                csupervise_connections(rawValue, family, port, &found, room)
            }
            if count <= room { return Array(found.prefix(Int(count))) }
            found = Array(repeating: csupervise_connection(), count: Int(count) * 2)
        }
    }
}

extension csupervise_connection {
    /// A client that is about to send something does so sooner, in milliseconds.
    private static let quietMilliseconds: UInt32 = 1000
    // TCP_ESTABLISHED and TCP_CLOSE_WAIT of tcp(7): in the others the worker has said all that it had
    // to say.
    private static let responding: [UInt8] = [1, 8]

    /// Silence alone shows nothing: a slow response is silent too, but the last thing then was
    /// received, not sent.
    var use: HeldConnection.Use {
        guard unread == 0, unsent == 0 else { return .inFlight }
        guard Self.responding.contains(state) else { return .idle }
        let isQuiet = min(since_sent, since_received) >= Self.quietMilliseconds
        if segments_received == 0 { return isQuiet ? .idle : .inFlight }
        if segments_sent == 0 { return .inFlight }
        // The kernel keeps these times in its ticks, of 1 to 10 ms, within which a request may come
        // and be answered, or an answer go and the next request come. An acknowledgement that came
        // later is that of an answer: that of a client's next request came with the request.
        let isAnswered =
            since_sent < since_received
            || since_sent == since_received && since_acknowledged < since_received
        if isAnswered { return isQuiet ? .quiet : .answered }
        return isQuiet && since_sent == since_received ? .unclear : .inFlight
    }
}
