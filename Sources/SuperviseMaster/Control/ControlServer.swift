import SuperviseControl
import SuperviseCore
import SuperviseLinux

/// The sockets of the control protocol, served on the master's loop. Nobody is waited for, and all of
/// it is bounded: the connections, what each may send and leave unread, and for how long. When there
/// are too many clients, the one that has been quiet longest makes room, so that those who only hold
/// connections lock nobody out. Without clients there is no deadline and so no wakeup.
final class ControlServer: Expiring {
    /// The most clients of one socket.
    static let mostClients = 64
    /// The most of them that may follow events, so that there is room for others.
    static let mostFollowers = 16
    /// The most bytes that all clients of one socket may leave unread.
    static let mostUnread = 8 << 20
    private static let acceptsPerTurn = 16
    static let readsPerTurn = 4
    /// How many requests are answered per turn of the loop, of one client and of all. Clients may send many
    /// at once and read the answers as they come.
    static let answersPerClient = 4
    static let answersPerTurn = 32
    static let readBytes = 4096
    /// How long nobody is accepted when the system is short of descriptors.
    private static let pause = TimeSpan.seconds(1)

    /// Answers a request, at once or by a stream.
    typealias Responder = (HTTPRequest, ControlConnection) -> Void

    let poll: EventPoll
    let endpoints: [ControlEndpoint]
    var connections: [UInt64: ControlConnection] = [:]
    var lastSerial: UInt64
    /// Clients that have something to do without a socket that is ready, and those of them that had
    /// their turn.
    var dirty: [UInt64] = []
    var served: [UInt64] = []
    private var pausedUntil: Instant?
    var answersLeft = ControlServer.answersPerTurn
    /// How many parts of streams were not told to clients that are gone.
    var droppedByGone: UInt64 = 0

    init(_ endpoints: [ControlEndpoint], in poll: EventPoll) {
        self.poll = poll
        self.endpoints = endpoints
        lastSerial = endpoints.map(\.serial).max() ?? 0
    }

    /// Goes on with the clients of another program of this process, which used serials up to `last`.
    init(
        _ endpoints: [ControlEndpoint], in poll: EventPoll,
        resuming connections: [ControlConnection], last: UInt64
    ) {
        self.poll = poll
        self.endpoints = endpoints
        // A serial stands for one socket, whatever a former program assigned.
        lastSerial = (endpoints.map(\.serial) + connections.map(\.serial) + [last]).max() ?? last
        for connection in connections {
            self.connections[connection.serial] = connection
            connection.isDirty = true
            dirty.append(connection.serial)
        }
    }

    /// A turn of the loop begins.
    func beginTurn() { answersLeft = ControlServer.answersPerTurn }

    /// Whether there is something to do for which no socket becomes ready.
    var isPending: Bool { !dirty.isEmpty || !served.isEmpty }

    /// How many clients there are.
    var clients: Int { connections.count }

    /// How many parts of streams were dropped.
    var dropped: UInt64 {
        connections.values.reduce(droppedByGone) { $0 + UInt64($1.conversation.dropped) }
    }

    var deadline: Instant? {
        guard !connections.isEmpty || pausedUntil != nil else { return nil }
        let ends = connections.values.map(\.conversation.deadline).min()
        let next = [ends, pausedUntil].compactMap { $0 }.min()
        return next == Instant(nanoseconds: .max) ? nil : next
    }

    func watch() throws(SystemCallError) {
        for endpoint in endpoints {
            try poll.add(
                endpoint.listener.rawValue, .readable,
                token: Master.Token.control | endpoint.serial)
        }
        for connection in connections.values {
            try poll.add(
                connection.socket.rawValue, connection.interest,
                token: Master.Token.control | connection.serial)
        }
    }

    /// Something is ready.
    func serve(
        serial: UInt64, at now: Instant, _ respond: Responder
    ) {
        if let endpoint = endpoints.first(where: { $0.serial == serial }) {
            accept(endpoint, at: now)
        } else if let connection = connections[serial] {
            move(connection, at: now, respond)
        }
    }

    /// Ends what took too long.
    func expire(at now: Instant) {
        if let until = pausedUntil, until <= now {
            pausedUntil = nil
            for endpoint in endpoints { listen(endpoint, .readable) }
        }
        for connection in connections.values where connection.conversation.deadline <= now {
            close(connection)
        }
    }

    /// Sends a part of a stream to all who follow such a one.
    func publish(_ stream: ControlConnection.Stream, _ part: [UInt8], last: Bool, at now: Instant) {
        for connection in connections.values where connection.stream == stream {
            connection.conversation.stream(part, at: now) { missed in
                Array("{\"event\":\"dropped\",\"events\":\(missed)}\n".utf8)
            }
            if last {
                connection.conversation.endStream(at: now)
                connection.stream = nil
            }
            postpone(connection)
        }
    }

    /// Whether anybody follows such a stream.
    func hasFollowers(_ stream: ControlConnection.Stream) -> Bool {
        connections.values.contains { $0.stream == stream }
    }

    /// Whether one more may follow a stream of this client's socket.
    func hasRoomForFollower(_ connection: ControlConnection) -> Bool {
        let followers = connections.values.count {
            $0.endpoint === connection.endpoint && $0.stream != nil
        }
        return followers < ControlServer.mostFollowers
    }

    private func accept(
        _ endpoint: ControlEndpoint, at now: Instant
    ) {
        for _ in 0..<ControlServer.acceptsPerTurn {
            switch endpoint.listener.accept() {
            case .none: return
            case .exhausted:
                // It would be ready again at once, and the loop do nothing else.
                pausedUntil = now + ControlServer.pause
                for endpoint in endpoints { listen(endpoint, []) }
                return
            case .connection(let socket): admit(socket, to: endpoint, at: now)
            }
        }
    }

    private func admit(
        _ socket: StreamSocket, to endpoint: ControlEndpoint,
        at now: Instant
    ) {
        makeRoom(for: endpoint)
        lastSerial += 1
        let connection = ControlConnection(
            serial: lastSerial, endpoint: endpoint, socket: socket,
            peer: peer(of: socket, endpoint),
            at: now)
        do throws(SystemCallError) {
            try poll.add(
                socket.rawValue, .readable, token: Master.Token.control | connection.serial)
        } catch {
            // Out of memory or watches; the client sees a connection that ends.
            return
        }
        connections[connection.serial] = connection
        if !endpoint.admits(connection.peer) {
            let refusal = ControlRefusal.forbidden(
                "only root, the master's user and the owner may use this socket; see control-mode and control-owner"
            )
            connection.conversation.refuse(refusal.response, at: now)
            move(connection, at: now) { _, _ in }
        }
    }

    private func peer(
        of socket: StreamSocket, _ endpoint: ControlEndpoint
    ) -> PeerCredentials? {
        guard endpoint.listener.file != nil else { return nil }
        do throws(SystemCallError) {
            return try socket.peer()
        } catch {
            return nil
        }
    }

    private func makeRoom(for endpoint: ControlEndpoint) {
        let own = connections.values.filter { $0.endpoint === endpoint }
        guard own.count >= ControlServer.mostClients else { return }
        let oldest = own.filter { $0.stream == nil }.min { $0.lastMoved < $1.lastMoved }
        if let oldest { close(oldest) }
    }

    private func listen(
        _ endpoint: ControlEndpoint, _ interest: Interest
    ) {
        change(endpoint.listener.rawValue, interest, endpoint.serial)
    }

    func change(
        _ descriptor: Int32, _ interest: Interest, _ serial: UInt64
    ) {
        do throws(SystemCallError) {
            try poll.modify(descriptor, interest, token: Master.Token.control | serial)
        } catch {
            preconditionFailure("a descriptor of ours is in the epoll set: \(error)")
        }
    }

    func close(_ connection: ControlConnection) {
        guard connections.removeValue(forKey: connection.serial) != nil else { return }
        droppedByGone += UInt64(connection.conversation.dropped)
        poll.unwatch(connection.socket.rawValue)
    }
}
