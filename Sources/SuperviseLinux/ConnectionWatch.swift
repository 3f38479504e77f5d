import CSupervise
import Glibc

/// How many connections there are, and how many of them are in use.
public struct ConnectionCount: Hashable, Sendable {
    /// All of them.
    public var open = 0
    /// Those on which somebody waits for an answer, or may.
    public var busy = 0
}

/// The sockets of a TCP port, as the kernel's tables have them (sock_diag(7)): its listeners and its
/// connections. To read them takes longer the more connections there are on the machine, and some
/// milliseconds where there are none.
///
/// A connection belongs to a process that has a descriptor of it, which is known by the socket's
/// inode, as a listener's is.
public struct PortConnections: Sendable {
    /// What is known of one connection.
    struct Connection: Sendable {
        let inode: UInt64
        let isIdle: Bool
    }

    private static let listening: UInt8 = 10
    /// The inodes of the listeners.
    public private(set) var listeners: Set<UInt64> = []
    private var connections: [Connection] = []

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
                        connections.append(Connection(inode: inode, isIdle: found.isIdle))
                    }
                }
            }
        }
    }

    /// How many of the connections are among these sockets, and how many of those are in use.
    public func count(among sockets: Set<UInt64>) -> ConnectionCount {
        let own = connections.filter { sockets.contains($0.inode) }
        return ConnectionCount(open: own.count, busy: own.count { !$0.isIdle })
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
    /// A pause within an answer may be as long as this, in milliseconds.
    private static let quietMilliseconds: UInt32 = 1000
    // TCP_ESTABLISHED and TCP_CLOSE_WAIT of tcp(7): the others have said all that they had to say.
    private static let answering: [UInt8] = [1, 8]

    /// Whether nobody waits for anything here. Silence alone does not tell: a slow answer is silent
    /// too, but the last thing then was received, not sent.
    var isIdle: Bool {
        guard unread == 0, unsent == 0 else { return false }
        guard Self.answering.contains(state) else { return true }
        guard min(since_sent, since_received) >= Self.quietMilliseconds else { return false }
        return segments_received == 0 || hasAnswered
    }

    // The kernel keeps these times in its ticks, of 1 to 10 ms, within which a request may come and be
    // answered. An acknowledgement that came after the request is that of an answer: those of a
    // client that has sent the next request came with it.
    private var hasAnswered: Bool {
        if since_sent != since_received { return since_sent < since_received }
        return since_acknowledged < since_received || segments_sent >= segments_received
    }
}
