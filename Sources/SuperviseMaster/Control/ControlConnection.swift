import SuperviseControl
import SuperviseCore
import SuperviseLinux

/// A client of the control socket or of `status-bind`.
final class ControlConnection {
    /// The kind of a response that is not complete immediately.
    enum Stream: Equatable, Codable {
        /// Events as they occur.
        case events
        /// The same without routes, for `status-bind`.
        case publicEvents
        /// The reload of this number, until its result.
        case reload(Int)
        /// No content until the master ends.
        case stop
        /// An upgrade of the master until its result.
        case upgrade
        /// The hunt of the pool of this number until its result.
        case hunt(Int)
    }

    let serial: UInt64
    let endpoint: ControlEndpoint
    let socket: StreamSocket
    /// The peer, for clients of unix sockets.
    let peer: PeerCredentials?
    var conversation: HTTPConversation
    var stream: Stream?
    /// The time of its last transfer. The client with the oldest one is disconnected if another
    /// needs its place.
    var lastMoved: Instant
    /// The events for which it is watched.
    var interest: Interest = .readable
    /// Whether its writing side was shut down.
    var hasShutDown = false
    /// Whether data for it were added since the last turn.
    var isDirty = false

    /// The state for another program of this process.
    struct State: Codable {
        var serial: UInt64
        var endpoint: UInt64
        var socket: Int32
        var peer: PeerCredentials?
        var conversation: HTTPConversation
        var stream: Stream?
        var lastMoved: Instant
        var hasShutDown: Bool
    }

    var state: State {
        State(
            serial: serial, endpoint: endpoint.serial, socket: socket.rawValue, peer: peer,
            conversation: conversation, stream: stream, lastMoved: lastMoved,
            hasShutDown: hasShutDown)
    }

    init(resuming state: State, endpoint: ControlEndpoint) throws(SystemCallError) {
        serial = state.serial
        self.endpoint = endpoint
        socket = StreamSocket(try HandedDescriptors.take(state.socket))
        peer = state.peer
        conversation = state.conversation
        stream = state.stream
        lastMoved = state.lastMoved
        hasShutDown = state.hasShutDown
    }

    init(
        serial: UInt64, endpoint: ControlEndpoint, socket: StreamSocket, peer: PeerCredentials?,
        at now: Instant
    ) {
        self.serial = serial
        self.endpoint = endpoint
        self.socket = socket
        self.peer = peer
        conversation = HTTPConversation(at: now)
        lastMoved = now
    }
}

/// A listening socket for clients.
final class ControlEndpoint {
    let serial: UInt64
    let listener: ListenSocket
    let access: ControlAccess
    /// The users whose requests are answered; nil is everyone whom the file's mode allows to
    /// connect.
    let users: Set<UInt32>?
    /// The host in the settings; nil for a unix socket.
    let host: String?

    /// The state, except the socket itself, for another program of this process.
    struct State: Codable {
        var serial: UInt64
        var listener: Int32
        var access: ControlAccess
        var users: Set<UInt32>?
        var host: String?
    }

    var state: State {
        State(
            serial: serial, listener: listener.rawValue, access: access, users: users, host: host)
    }

    init(
        serial: UInt64, listener: ListenSocket, access: ControlAccess, users: Set<UInt32>? = nil,
        host: String? = nil
    ) {
        self.serial = serial
        self.listener = listener
        self.access = access
        self.users = users
        self.host = host
    }

    /// Returns whether requests for this host are answered. An address other than a loopback one is
    /// reachable under any name.
    func admits(host requested: String?) -> Bool {
        !listener.isLoopback || ControlHosts.admit(requested, configured: host)
    }

    /// Returns whether this peer's requests are answered.
    func admits(_ peer: PeerCredentials?) -> Bool {
        guard access == .full, let users else { return true }
        return peer.map { users.contains($0.uid) } ?? false
    }
}
