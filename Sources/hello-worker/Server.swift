import Glibc
import SuperviseWorker

/// The server: one thread, one poll(2) loop and a table of connections.
struct Server {
    let worker: Worker
    let listeners: [Int32]
    let options: Options
    private var connections: [Int32: Connection] = [:]
    private var application: Application
    private var isDraining = false

    init(worker: Worker, listeners: [Int32], options: Options) {
        self.worker = worker
        self.listeners = listeners
        self.options = options
        application = Application(worker: worker)
        // After poll reports a connection, a sibling may accept it, and a blocking accept would block
        // this loop. All workers share the mode, and all of them need it.
        for listener in listeners {
            let flags = fcntl(listener, F_GETFL)
            if flags >= 0 { _ = fcntl(listener, F_SETFL, flags | O_NONBLOCK) }
        }
    }

    /// Serves until it is asked to stop and the last response is sent.
    mutating func run() {
        while !(isDraining && connections.isEmpty) {
            var entries = [pollfd(fd: worker.stopDescriptor, events: Int16(POLLIN), revents: 0)]
            if isDraining {
                entries.removeAll()
            } else {
                entries += listeners.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            }
            let firstClient = entries.count
            entries += connections.values.map {
                pollfd(fd: $0.descriptor, events: $0.events, revents: 0)
            }
            _ = poll(&entries, nfds_t(entries.count), timeout())

            let now = monotonicMilliseconds()
            for entry in entries[firstClient...] where entry.revents != 0 {
                handle(entry)
            }
            for connection in connections.values {
                if let deadline = connection.deadline, deadline <= now {
                    passDeadline(of: connection)
                }
            }
            if worker.stopRequested && !isDraining {
                startDraining()
            }
            if isDraining {
                closeIdleConnections(now: now)
            } else {
                for entry in entries[..<firstClient].dropFirst() where entry.revents != 0 {
                    acceptClients(on: entry.fd)
                }
            }
        }
    }

    private func timeout() -> Int32 {
        var deadlines = connections.values.compactMap(\.deadline)
        if isDraining {
            deadlines += connections.values.filter(\.isIdle).map {
                $0.acceptedAt + options.firstRequestMilliseconds
            }
        }
        guard let next = deadlines.min() else { return -1 }
        return Int32(clamping: max(0, next - monotonicMilliseconds()))
    }

    // MARK: Clients

    private mutating func acceptClients(on listener: Int32) {
        // Accept only a few at a time, to leave connections for the siblings.
        for _ in 0..<4 {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0 else { return }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            connections[descriptor] = Connection(
                descriptor: descriptor, acceptedAt: monotonicMilliseconds())
        }
    }

    private mutating func handle(_ entry: pollfd) {
        guard var connection = connections[entry.fd] else { return }
        let isAlive: Bool
        switch connection.state {
        case .reading, .lingering:
            isAlive = connection.receive()
        case .waiting:
            isAlive = false
        case .writing:
            isAlive = true
        }
        guard isAlive else {
            drop(connection)
            return
        }
        advance(&connection)
    }

    private mutating func passDeadline(of connection: Connection) {
        var connection = connection
        switch connection.state {
        case .reading, .writing:
            break
        case .waiting(_, let response):
            answer(&connection, with: response, hasBody: true)
            advance(&connection)
        case .lingering:
            drop(connection)
        }
    }

    /// Advances a connection until it has to wait.
    private mutating func advance(_ connection: inout Connection) {
        while true {
            switch connection.state {
            case .reading:
                guard takeRequest(from: &connection) else {
                    connections[connection.descriptor] = connection
                    return
                }
            case .waiting, .lingering:
                connections[connection.descriptor] = connection
                return
            case .writing:
                guard connection.transmit() else {
                    drop(connection)
                    return
                }
                guard connection.output.isEmpty else {
                    connections[connection.descriptor] = connection
                    return
                }
                if connection.isClosing {
                    shutdown(connection.descriptor, Int32(SHUT_WR))
                    connection.state = .lingering(until: monotonicMilliseconds() + 1000)
                } else {
                    connection.state = .reading
                }
            }
        }
    }

    /// Responds to the next request in the input; returns false if it is incomplete.
    private mutating func takeRequest(from connection: inout Connection) -> Bool {
        switch Request.parse(connection.input) {
        case .incomplete:
            return false
        case .refused(let status):
            connection.isClosing = true
            answer(&connection, with: Response(status: status, body: "no\n"), hasBody: true)
            return true
        case .request(let request):
            let length = request.headLength + request.bodyLength
            guard connection.input.count >= length else { return false }
            connection.input.removeFirst(length)
            connection.isClosing = !request.wantsKeepAlive
            let (response, delay) = application.respond(
                to: request, open: connections.count, isDraining: isDraining)
            if delay > 0 {
                connection.state = .waiting(until: monotonicMilliseconds() + delay, response)
            } else {
                answer(&connection, with: response, hasBody: request.method != "HEAD")
            }
            return true
        }
    }

    private mutating func answer(
        _ connection: inout Connection, with response: Response, hasBody: Bool
    ) {
        if isDraining || worker.stopRequested { connection.isClosing = true }
        connection.output = response.encoded(isClosing: connection.isClosing, hasBody: hasBody)
        connection.answered += 1
        connection.state = .writing
        if options.countsRequests { worker.countRequest() }
    }

    private mutating func drop(_ connection: Connection) {
        connections[connection.descriptor] = nil
        close(connection.descriptor)
    }

    // MARK: Draining

    private mutating func startDraining() {
        isDraining = true
        worker.stopping()
        // Only this process closes the listener; its siblings keep using it.
        for listener in listeners { close(listener) }
    }

    /// Closes idle keep-alive connections. A connection without any request yet is kept for a moment,
    /// because its first request may be on the way.
    private mutating func closeIdleConnections(now: Int64) {
        for connection in connections.values where connection.isIdle {
            let isAwaited =
                connection.answered == 0
                && now < connection.acceptedAt + options.firstRequestMilliseconds
            if !isAwaited, !hasInput(connection.descriptor) { drop(connection) }
        }
    }

    private func hasInput(_ descriptor: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0 && entry.revents & Int16(POLLIN | POLLHUP) != 0
    }
}

/// Milliseconds on CLOCK_MONOTONIC.
func monotonicMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
