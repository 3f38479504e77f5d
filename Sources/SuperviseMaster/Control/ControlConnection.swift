import SuperviseControl
import SuperviseCore
import SuperviseLinux

/// A client of the control socket or of `status-bind`.
final class ControlConnection {
    /// What its answer is, where that is not given at once.
    enum Stream: Equatable, Codable {
        /// Events as they come.
        case events
        /// The same without routes, for `status-bind`.
        case publicEvents
        /// The reload of this number, until its verdict.
        case reload(Int)
        /// Nothing, until the master ends.
        case stop
        /// An upgrade of the master until its verdict.
        case upgrade
    }

    let serial: UInt64
    let endpoint: ControlEndpoint
    let socket: StreamSocket
    /// Who it is, of clients of unix sockets.
    let peer: PeerCredentials?
    var conversation: HTTPConversation
    var stream: Stream?
    /// When it last sent or took anything; who did so longest ago makes room for others.
    var lastMoved: Instant
    /// What it is watched for.
    var interest: Interest = .readable
    /// Whether its writing side was shut.
    var hasShutDown = false
    /// Whether it has something to send that was put there since it was last looked at.
    var isDirty = false

    /// All of it, for another program of this process to go on with.
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

/// A socket that clients come to.
final class ControlEndpoint {
    let serial: UInt64
    let listener: ListenSocket
    let access: ControlAccess
    /// The users that get an answer; nil is everybody whom the file's mode lets connect.
    let users: Set<UInt32>?
    /// The host that the settings name; nil for a unix socket.
    let host: String?

    /// All of it but the socket itself, for another program of this process to go on with.
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

    /// Whether requests for this host are answered here. Whoever binds another address than a
    /// loopback one lets others reach it, by whatever name.
    func admits(host requested: String?) -> Bool {
        !listener.isLoopback || ControlHosts.admit(requested, configured: host)
    }

    /// Who it is, and whether they get an answer.
    func admits(_ peer: PeerCredentials?) -> Bool {
        guard access == .full, let users else { return true }
        return peer.map { users.contains($0.uid) } ?? false
    }
}
