import SuperviseControl
import SuperviseCore
import SuperviseLinux

/// The sockets of the control protocol, served on the master's loop. No operation blocks, and
/// everything is limited: the number of connections, the data that each may send and leave unread,
/// and their duration. If there are too many clients, the one that has been idle longest is
/// disconnected, so that idle connections cannot block others. Without clients there is no deadline
/// and therefore no wakeup.
final class ControlServer: Expiring {
    /// The maximum number of clients per socket.
    static let mostClients = 64
    /// The maximum number of clients that follow events, so that there is room for others.
    static let mostFollowers = 16
    /// The maximum number of unread bytes of all clients of one socket.
    static let mostUnread = 8 << 20
    private static let acceptsPerTurn = 16
    static let readsPerTurn = 4
    /// The number of requests answered per turn of the loop, per client and in total. Clients may
    /// send many requests at once and read the responses as they arrive.
    static let answersPerClient = 4
    static let answersPerTurn = 32
    static let readBytes = 4096
    /// The pause of accepting clients when the system is short of descriptors.
    private static let pause = TimeSpan.seconds(1)

    /// Responds to a request, immediately or with a stream.
    typealias Responder = (HTTPRequest, ControlConnection) -> Void

    let poll: EventPoll
    let endpoints: [ControlEndpoint]
    var connections: [UInt64: ControlConnection] = [:]
    var lastSerial: UInt64
    /// Clients with pending work without a ready socket, and those of them that were served in this
    /// turn.
    var dirty: [UInt64] = []
    var served: [UInt64] = []
    private var pausedUntil: Instant?
    var answersLeft = ControlServer.answersPerTurn
    /// The number of stream parts that were not delivered to disconnected clients.
    var droppedByGone: UInt64 = 0

    init(_ endpoints: [ControlEndpoint], in poll: EventPoll) {
        self.poll = poll
        self.endpoints = endpoints
        lastSerial = endpoints.map(\.serial).max() ?? 0
    }

    /// Continues with the clients of another program of this process, which used serials up to
    /// `last`.
    init(
        _ endpoints: [ControlEndpoint], in poll: EventPoll,
        resuming connections: [ControlConnection], last: UInt64
    ) {
        self.poll = poll
        self.endpoints = endpoints
        // A serial identifies one socket, whatever a previous program assigned.
        lastSerial = (endpoints.map(\.serial) + connections.map(\.serial) + [last]).max() ?? last
        for connection in connections {
            self.connections[connection.serial] = connection
            connection.isDirty = true
            dirty.append(connection.serial)
        }
    }

    /// Begins a turn of the loop.
    func beginTurn() { answersLeft = ControlServer.answersPerTurn }

    /// Whether there is work for which no socket becomes ready.
    var isPending: Bool { !dirty.isEmpty || !served.isEmpty }

    /// The number of clients.
    var clients: Int { connections.count }

    /// The number of dropped stream parts.
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

    /// Serves a ready socket.
    func serve(
        serial: UInt64, at now: Instant, _ respond: Responder
    ) {
        if let endpoint = endpoints.first(where: { $0.serial == serial }) {
            accept(endpoint, at: now)
        } else if let connection = connections[serial] {
            move(connection, at: now, respond)
        }
    }

    /// Disconnects clients whose time has expired.
    func expire(at now: Instant) {
        if let until = pausedUntil, until <= now {
            pausedUntil = nil
            for endpoint in endpoints { listen(endpoint, .readable) }
        }
        for connection in connections.values where connection.conversation.deadline <= now {
            close(connection)
        }
    }

    /// Sends a part of a stream to all its followers.
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

    /// Returns whether the stream has a follower.
    func hasFollowers(_ stream: ControlConnection.Stream) -> Bool {
        connections.values.contains { $0.stream == stream }
    }

    /// Returns whether one more client of this socket may follow a stream.
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
                // The socket would be ready again immediately, and the loop would do nothing else.
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
            // Out of memory or watches; the client's connection is closed.
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
