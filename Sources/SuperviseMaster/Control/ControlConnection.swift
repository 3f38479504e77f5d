import SuperviseControl
import SuperviseCore
import SuperviseLinux

/// A client of the control socket or of `status-bind`.
final class ControlConnection {
    /// What its answer is, where that is not given at once.
    enum Stream {
        /// Events as they come.
        case events
        /// A reload until its verdict.
        case reload
        /// Nothing, until the master ends.
        case stop
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
    var isShut = false
    /// Whether it has something to send that was put there since it was last looked at.
    var isDirty = false

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

    init(serial: UInt64, listener: ListenSocket, access: ControlAccess, users: Set<UInt32>? = nil) {
        self.serial = serial
        self.listener = listener
        self.access = access
        self.users = users
    }

    /// Who it is, and whether they get an answer.
    func admits(_ peer: PeerCredentials?) -> Bool {
        guard access == .full, let users else { return true }
        return peer.map { users.contains($0.uid) } ?? false
    }
}
