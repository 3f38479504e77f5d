import SuperviseControl
import SuperviseCore
import SuperviseLinux

/// Transfers between a client and its conversation, limited per turn.
extension ControlServer {
    /// Sends what was published since the last turn.
    func settle(at now: Instant, _ respond: Responder) {
        guard isPending else { return }
        let serials = dirty + served
        dirty = []
        served = []
        for serial in serials {
            guard let connection = connections[serial] else { continue }
            connection.isDirty = false
            move(connection, at: now, respond)
        }
    }

    /// Receives, handles requests, and sends as much as possible.
    func move(
        _ connection: ControlConnection, at now: Instant,
        _ respond: Responder
    ) {
        do throws(SystemCallError) {
            var reads = 0
            var answers = 0
            while true {
                try send(connection, at: now)
                if answers == ControlServer.answersPerClient || answersLeft == 0 {
                    // Requests that were already received do not make a socket ready again.
                    if connection.conversation.hasReceivedMore {
                        postpone(connection, wasServed: answers > 0)
                    }
                    break
                }
                if let request = connection.conversation.nextRequest(at: now) {
                    answers += 1
                    answersLeft -= 1
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
        finish(connection)
    }

    /// Clients that were served come after those that were not.
    func postpone(_ connection: ControlConnection, wasServed: Bool = false) {
        guard !connection.isDirty else { return }
        connection.isDirty = true
        if wasServed { served.append(connection.serial) } else { dirty.append(connection.serial) }
    }

    private func send(_ connection: ControlConnection, at now: Instant) throws(SystemCallError) {
        while connection.conversation.outputBytes > 0 {
            let count = try connection.socket.write(connection.conversation.output)
            guard count > 0 else { return }
            connection.lastMoved = now
            connection.conversation.sent(count, at: now)
        }
    }

    private func finish(_ connection: ControlConnection) {
        if connection.conversation.isOver { return close(connection) }
        if connection.conversation.isLeaving, !connection.hasShutDown {
            connection.hasShutDown = true
            connection.socket.shutDownWriting()
        }
        var interest: Interest = []
        if connection.conversation.wantsInput { interest.insert(.readable) }
        if connection.conversation.outputBytes > 0 { interest.insert(.writable) }
        if interest != connection.interest {
            connection.interest = interest
            change(connection.socket.rawValue, interest, connection.serial)
        }
        limitUnread(of: connection)
    }

    /// Limits the memory that slow readers of large responses may use.
    private func limitUnread(of connection: ControlConnection) {
        guard connection.conversation.outputBytes > ControlServer.mostUnread / 64 else { return }
        var own = connections.values.filter { $0.endpoint === connection.endpoint }
        own.sort { $0.lastMoved < $1.lastMoved }
        var unread = own.reduce(0) { $0 + $1.conversation.outputBytes }
        for slow in own where unread > ControlServer.mostUnread && slow !== connection {
            unread -= slow.conversation.outputBytes
            if slow.conversation.outputBytes > 0 { close(slow) }
        }
    }
}
