import SuperviseControl
import SuperviseCore
import SuperviseLinux

/// The sockets of the control protocol, served on the master's loop. Nobody is waited for, and all of
/// it is bounded: the connections, what each may send and leave unread, and for how long. When there
/// are too many clients, the one that has been quiet longest makes room, so that those who only hold
/// connections lock nobody out. Without clients there is no deadline and so no wakeup.
final class ControlServer {
    /// The most clients of one socket.
    static let mostClients = 64
    /// The most of them that may follow events, so that there is room for others.
    static let mostFollowers = 16
    /// The most bytes that all clients of one socket may leave unread.
    private static let mostUnread = 8 << 20
    private static let acceptsPerTurn = 16
    private static let readsPerTurn = 4
    private static let readBytes = 4096
    /// How long nobody is accepted when the system is short of descriptors.
    private static let pause = TimeSpan.seconds(1)

    /// Answers a request, at once or by a stream.
    typealias Responder = (HTTPRequest, ControlConnection) -> Void

    let endpoints: [ControlEndpoint]
    var connections: [UInt64: ControlConnection] = [:]
    var lastSerial: UInt64
    var dirty: [UInt64] = []
    private var pausedUntil: Instant?
    /// How many parts of streams were not told to clients that are gone.
    var droppedByGone: UInt64 = 0

    init(_ endpoints: [ControlEndpoint]) {
        self.endpoints = endpoints
        lastSerial = endpoints.map(\.serial).max() ?? 0
    }

    /// Goes on with the clients of another program of this process, which used serials up to `last`.
    init(_ endpoints: [ControlEndpoint], resuming connections: [ControlConnection], last: UInt64) {
        self.endpoints = endpoints
        // A serial stands for one socket, whatever a former program assigned.
        lastSerial = (endpoints.map(\.serial) + connections.map(\.serial) + [last]).max() ?? last
        for connection in connections {
            self.connections[connection.serial] = connection
            connection.isDirty = true
            dirty.append(connection.serial)
        }
    }

    /// How many clients there are.
    var clients: Int { connections.count }

    /// How many parts of streams were dropped.
    var dropped: UInt64 {
        connections.values.reduce(droppedByGone) { $0 + UInt64($1.conversation.dropped) }
    }

    /// When `expire` is to be called next.
    var deadline: Instant? {
        guard !connections.isEmpty || pausedUntil != nil else { return nil }
        let ends = connections.values.map(\.conversation.deadline).min()
        let next = [ends, pausedUntil].compactMap { $0 }.min()
        return next == Instant(nanoseconds: .max) ? nil : next
    }

    func watch(in poll: borrowing EventPoll) throws(SystemCallError) {
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
        serial: UInt64, in poll: borrowing EventPoll, at now: Instant, _ respond: Responder
    ) {
        if let endpoint = endpoints.first(where: { $0.serial == serial }) {
            accept(endpoint, in: poll, at: now)
        } else if let connection = connections[serial] {
            move(connection, in: poll, at: now, respond)
        }
    }

    /// Ends what took too long.
    func expire(in poll: borrowing EventPoll, at now: Instant) {
        if let until = pausedUntil, until <= now {
            pausedUntil = nil
            for endpoint in endpoints { listen(endpoint, .readable, in: poll) }
        }
        for connection in connections.values where connection.conversation.deadline <= now {
            close(connection, in: poll)
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
            if !connection.isDirty {
                connection.isDirty = true
                dirty.append(connection.serial)
            }
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

    /// Sends what was published since the last time.
    func settle(in poll: borrowing EventPoll, at now: Instant, _ respond: Responder) {
        guard !dirty.isEmpty else { return }
        let serials = dirty
        dirty = []
        for serial in serials {
            guard let connection = connections[serial] else { continue }
            connection.isDirty = false
            move(connection, in: poll, at: now, respond)
        }
    }

    private func accept(
        _ endpoint: ControlEndpoint, in poll: borrowing EventPoll, at now: Instant
    ) {
        for _ in 0..<ControlServer.acceptsPerTurn {
            switch endpoint.listener.accept() {
            case .none: return
            case .exhausted:
                // It would be ready again at once, and the loop do nothing else.
                pausedUntil = now + ControlServer.pause
                for endpoint in endpoints { listen(endpoint, [], in: poll) }
                return
            case .connection(let socket): admit(socket, to: endpoint, in: poll, at: now)
            }
        }
    }

    private func admit(
        _ socket: StreamSocket, to endpoint: ControlEndpoint, in poll: borrowing EventPoll,
        at now: Instant
    ) {
        makeRoom(for: endpoint, in: poll)
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
                "this socket is for its owner and root; see control-mode and control-owner")
            connection.conversation.refuse(refusal.response, at: now)
            move(connection, in: poll, at: now) { _, _ in }
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

    private func makeRoom(for endpoint: ControlEndpoint, in poll: borrowing EventPoll) {
        let own = connections.values.filter { $0.endpoint === endpoint }
        guard own.count >= ControlServer.mostClients else { return }
        let oldest = own.filter { $0.stream == nil }.min { $0.lastMoved < $1.lastMoved }
        if let oldest { close(oldest, in: poll) }
    }

    /// Takes what came, answers, and sends what can be sent.
    private func move(
        _ connection: ControlConnection, in poll: borrowing EventPoll, at now: Instant,
        _ respond: Responder
    ) {
        do throws(SystemCallError) {
            var reads = 0
            while true {
                try send(connection, at: now)
                if let request = connection.conversation.nextRequest(at: now) {
                    respond(request, connection)
                    continue
                }
                guard connection.conversation.wantsInput, reads < ControlServer.readsPerTurn,
                    let bytes = try connection.socket.read(atMost: ControlServer.readBytes)
                else { break }
                reads += 1
                connection.lastMoved = now
                if bytes.isEmpty {
                    connection.conversation.endOfInput()
                } else {
                    connection.conversation.receive(bytes, at: now)
                }
            }
        } catch {
            connection.conversation.end()
        }
        finish(connection, in: poll)
    }

    private func send(_ connection: ControlConnection, at now: Instant) throws(SystemCallError) {
        while connection.conversation.outputBytes > 0 {
            let count = try connection.socket.write(connection.conversation.output)
            guard count > 0 else { return }
            connection.lastMoved = now
            connection.conversation.sent(count, at: now)
        }
    }

    private func finish(_ connection: ControlConnection, in poll: borrowing EventPoll) {
        if connection.conversation.isOver { return close(connection, in: poll) }
        if connection.conversation.isLeaving, !connection.isShut {
            connection.isShut = true
            connection.socket.shutDownWriting()
        }
        var interest: Interest = []
        if connection.conversation.wantsInput { interest.insert(.readable) }
        if connection.conversation.outputBytes > 0 { interest.insert(.writable) }
        if interest != connection.interest {
            connection.interest = interest
            change(connection.socket.rawValue, interest, connection.serial, in: poll)
        }
        limitUnread(of: connection, in: poll)
    }

    /// Slow readers of large answers may hold only so much of the master's memory.
    private func limitUnread(of connection: ControlConnection, in poll: borrowing EventPoll) {
        guard connection.conversation.outputBytes > ControlServer.mostUnread / 64 else { return }
        var own = connections.values.filter { $0.endpoint === connection.endpoint }
        own.sort { $0.lastMoved < $1.lastMoved }
        var unread = own.reduce(0) { $0 + $1.conversation.outputBytes }
        for slow in own where unread > ControlServer.mostUnread && slow !== connection {
            unread -= slow.conversation.outputBytes
            if slow.conversation.outputBytes > 0 { close(slow, in: poll) }
        }
    }

    private func listen(
        _ endpoint: ControlEndpoint, _ interest: Interest, in poll: borrowing EventPoll
    ) {
        change(endpoint.listener.rawValue, interest, endpoint.serial, in: poll)
    }

    private func change(
        _ descriptor: Int32, _ interest: Interest, _ serial: UInt64, in poll: borrowing EventPoll
    ) {
        do throws(SystemCallError) {
            try poll.modify(descriptor, interest, token: Master.Token.control | serial)
        } catch {
            preconditionFailure("a descriptor of ours is in the epoll set: \(error)")
        }
    }

    private func close(_ connection: ControlConnection, in poll: borrowing EventPoll) {
        guard connections.removeValue(forKey: connection.serial) != nil else { return }
        droppedByGone += UInt64(connection.conversation.dropped)
        do throws(SystemCallError) {
            try poll.remove(connection.socket.rawValue)
        } catch {
            preconditionFailure("a descriptor of ours is in the epoll set: \(error)")
        }
    }
}
