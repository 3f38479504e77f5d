import CSupervise
import Glibc

/// A TCP connection of a process.
public struct HeldConnection: Hashable, Sendable {
    /// The state of the connection, as far as the kernel shows it.
    public enum Use: Hashable, Sendable {
        /// Idle: one side has closed, or no request was sent so far.
        case idle
        /// Nothing was received since the last data were sent, and nothing has happened for a
        /// second. The response may be complete. It may also be paused, or only TLS session tickets
        /// or an HTTP/2 frame were sent.
        case quiet
        /// The same, but less than a second ago.
        case answered
        /// Nothing has happened for a second, and the last data sent and received were so close
        /// together that either may have been the last.
        case unclear
        /// A response is pending: the last data were received, or are on their way.
        case inFlight
    }

    /// The inode of the socket.
    public let inode: UInt64
    /// The state of the connection.
    public let use: Use
    /// The number of data segments sent.
    public let segmentsSent: UInt32
    /// The number of data segments received.
    public let segmentsReceived: UInt32

    init(_ found: csupervise_connection, inode: UInt64) {
        self.inode = inode
        use = found.use
        segmentsSent = found.segments_sent
        segmentsReceived = found.segments_received
    }
}

/// The sockets of a TCP port in the kernel's tables (sock_diag(7)): its listeners and its
/// connections. The cost of reading them grows with the connections on the machine, and is some
/// milliseconds without any.
///
/// A connection belongs to a process that has a descriptor of it. Like a listener, it is
/// identified by the inode of the socket.
public struct PortConnections: Sendable {
    private static let listening: UInt8 = 10
    /// The inodes of the listeners.
    public private(set) var listeners: Set<UInt64> = []
    private var connections: [HeldConnection] = []

    /// Queries the sockets of these ports in both families: a connection of a dual-stack listener
    /// can have either. Fails as sendto(2) and recv(2).
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

    /// The connections among these sockets.
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
    /// The time within which an active client sends its next data, in milliseconds.
    private static let quietMilliseconds: UInt32 = 1000
    // TCP_ESTABLISHED and TCP_CLOSE_WAIT of tcp(7): in the other states the worker has already
    // closed.
    private static let responding: [UInt8] = [1, 8]

    /// Silence alone is not sufficient: during a slow response nothing is sent either, but then
    /// data were received last.
    var use: HeldConnection.Use {
        guard unread == 0, unsent == 0 else { return .inFlight }
        guard Self.responding.contains(state) else { return .idle }
        let isQuiet = min(since_sent, since_received) >= Self.quietMilliseconds
        if segments_received == 0 { return isQuiet ? .idle : .inFlight }
        if segments_sent == 0 { return .inFlight }
        // The kernel stores these times in ticks of 1 to 10 ms. Within a tick, a request may arrive
        // and be answered, or a response be sent and the next request arrive. An acknowledgement
        // that came later belongs to a response: that of a client's next request came with the
        // request.
        let isAnswered =
            since_sent < since_received
            || since_sent == since_received && since_acknowledged < since_received
        if isAnswered { return isQuiet ? .quiet : .answered }
        return isQuiet && since_sent == since_received ? .unclear : .inFlight
    }
}
