import SuperviseCore

/// A client of a draining worker, with one connection.
struct Client {
    let id: UInt64
    /// The time of its first request.
    let since: Instant
    /// The time of the response; nil if there is none.
    var answeredAt: Instant?
    /// Whether the response has begun and pauses.
    var isPausing = false
    /// The time until its next request, and until the response to that; nil if it sends none.
    var reuse: (gap: TimeSpan, work: TimeSpan)?
    /// Whether a thread of the worker waits for its next request.
    var hasReader = false
    /// The time at which it closes the connection; nil if it does not.
    var closesAt: Instant?
}

/// The requests in flight at a worker.
struct InFlight: Equatable {
    /// Requests that the kernel shows.
    var isShown = false
    /// Requests that it does not show.
    var isHidden = false

    var isAny: Bool { isShown || isHidden }
}

extension Client {
    /// Returns whether a request is in flight, the number of requests, and the time of the last
    /// change.
    fileprivate func state(at now: Instant) -> (isBusy: Bool, requests: Int, since: Instant) {
        guard let answeredAt, answeredAt <= now else { return (true, 1, since) }
        guard let reuse else { return (false, 1, answeredAt) }
        let round = (reuse.gap + reuse.work).nanoseconds
        let passed = (now - answeredAt).nanoseconds
        let begin = answeredAt + TimeSpan(nanoseconds: passed / round * round)
        let isBusy = now - begin >= reuse.gap
        return (isBusy, 1 + Int(passed / round) + (isBusy ? 1 : 0), begin)
    }

    /// Returns the connection as the kernel shows it; nil once it is closed.
    fileprivate func sample(at now: Instant) -> (ConnectionSample.Connection, InFlight)? {
        if let closesAt, closesAt <= now { return nil }
        let (isBusy, requests, since) = state(at: now)
        let isQuiet = now - since >= .seconds(1)
        var connection = ConnectionSample.Connection(
            id: id, use: isQuiet ? .quiet : .answered,
            sent: UInt32(requests) - (isBusy && !isPausing ? 1 : 0), received: UInt32(requests))
        var truth = InFlight()
        if isBusy {
            truth = InFlight(isShown: !isPausing, isHidden: isPausing)
            // Within one tick of the kernel's clock, the order is unknown.
            if !isPausing { connection.use = isQuiet && id % 4 == 3 ? .unclear : .inFlight }
        } else {
            connection.hasReader = hasReader && isQuiet
        }
        return (connection, truth)
    }
}

/// Draining workers: their requests end sooner or later, or never; or they cannot be sampled.
extension World {
    mutating func drain(_ id: WorkerID, at now: Instant) {
        guard let process = processes[id] else { return }
        let program = process.program
        var draws = Draws(seed: seed, 11, id.pool, id.slot, id.incarnation)
        if draws.chance(program.unwatchable) { return agenda.enter(.undrainable(id), at: now) }
        processes[id]?.acceptors = draws.between(0, program.accepting)
        clients[id] = (0..<draws.pick([0, 1, 1, 2, 3])).map { place in
            var client = Client(id: UInt64(place) * 5 + 3, since: now)
            if !draws.chance(program.endless) {
                let wait = Int64(draws.between(0, program.busy))
                client.answeredAt = now + .milliseconds(wait)
            }
            client.isPausing = draws.chance(program.pausing)
            client.hasReader = draws.chance(600)
            if draws.chance(program.reusing) {
                client.reuse = (
                    .milliseconds(Int64(draws.between(1, 400))),
                    .milliseconds(Int64(draws.between(1, 300)))
                )
            }
            // An idle client leaves once it no longer matters.
            if !client.hasReader, let answeredAt = client.answeredAt {
                client.closesAt = answeredAt + .milliseconds(Int64(draws.between(0, 2_000)))
            }
            return client
        }
    }

    mutating func sampleConnections(of id: WorkerID, endsIdle: Bool, at now: Instant) {
        guard var process = processes[id], process.isPresent else { return }
        let program = process.program
        defer { processes[id] = process }
        let delay = TimeSpan.milliseconds(Int64(process.draws.between(0, program.sampling)))
        if process.draws.chance(program.lost) {
            // Some never arrive, and others are known to fail.
            guard process.draws.chance(500) else { return }
            agenda.enter(.sampledConnections(id, nil, InFlight()), at: now + .seconds(3))
            return
        }
        let seen = (clients[id] ?? []).compactMap { client in
            client.sample(at: now).map { (client.id, $0.0, $0.1) }
        }
        var truth = InFlight()
        for (_, _, client) in seen {
            truth.isShown = truth.isShown || client.isShown
            truth.isHidden = truth.isHidden || client.isHidden
        }
        if endsIdle {
            for (client, connection, _) in seen
            where connection.use == .answered || connection.use == .quiet {
                clients[id]?.removeAll { $0.id == client }
            }
        }
        let stuck = stuckRequests(of: id, at: now)
        let connections = (seen.map(\.1) + stuck).sorted { $0.use.rawValue < $1.use.rawValue }
        let isBusy = connections.contains { $0.use == .inFlight }
        var sample = ConnectionSample(
            connections, acceptors: isBusy ? 0 : process.acceptors,
            handlesStopSignal: id.slot % 4 != 3, endedIdle: endsIdle, cost: delay)
        if !stuck.isEmpty {
            sample.stuck = stuck.count
            // In some programs, an opaque connection hides the number.
            let isHidden = id.slot % 3 == 1
            sample.inFlight = isHidden ? nil : stuck.count + seen.count { $0.2.isAny }
        }
        agenda.enter(.sampledConnections(id, sample, truth), at: now + delay)
    }

    mutating func interruptAcceptors(of id: WorkerID) {
        guard var process = processes[id] else { return }
        // Some arrive immediately.
        if id.slot % 4 == 2 { return }
        process.acceptors -= process.draws.between(0, process.acceptors)
        processes[id] = process
    }

    /// Handles the stop-signal of a worker. Returns the time at which the requests that it finishes
    /// end, if it finishes any.
    mutating func finishRequests(of id: WorkerID, at now: Instant) -> Instant {
        var draws = Draws(seed: seed, 10, id.pool)
        guard draws.chance(500), let own = clients[id] else { return now }
        var end = now
        clients[id] = own.map { client in
            var client = client
            let (isBusy, _, since) = client.state(at: now)
            var finishedAt: Instant? = now
            if isBusy {
                finishedAt =
                    client.answeredAt.map { $0 > now } ?? true
                    ? client.answeredAt : client.reuse.map { since + $0.gap + $0.work }
            }
            client.reuse = nil
            client.closesAt = finishedAt ?? client.closesAt
            end = max(end, finishedAt ?? now)
            return client
        }
        return end
    }
}

/// Connections that wait at closed listeners.
struct ClosedQueue: Equatable {
    /// A connection that was being established when the listeners closed: its handshake ends, it is
    /// temporarily in no table, and it is finally accepted from the queue.
    struct Arrival: Equatable {
        let handshakeUntil: Instant
        let queuedAt: Instant
        var acceptedAt: Instant
    }

    /// The time from which no new connections arrive.
    let refusingAt: Instant
    var arrivals: [Arrival]
    /// Whether handshakes are visible.
    let showsHandshakes: Bool

    func isWaiting(at now: Instant) -> Bool {
        now < refusingAt || arrivals.contains { now < $0.acceptedAt }
    }

    func sample(at now: Instant) -> ListenerSample {
        if now < refusingAt { return .waiting }
        for arrival in arrivals where now < arrival.acceptedAt {
            if now >= arrival.queuedAt { return .waiting }
            if now < arrival.handshakeUntil, showsHandshakes { return .waiting }
        }
        return showsHandshakes ? .empty : .emptyAsFarAsSeen
    }

    mutating func heal(at now: Instant) {
        for place in arrivals.indices {
            arrivals[place].acceptedAt = min(arrivals[place].acceptedAt, now)
        }
    }
}

extension World {
    /// Closes listeners. Waiting connections are served sooner or later, or never if no worker
    /// serves them.
    mutating func closeListeners(ofPool pool: Int, at now: Instant) {
        var draws = Draws(seed: seed, 14, pool, Int(now.nanoseconds / 1_000_000))
        func soon(_ longest: Int) -> TimeSpan { .milliseconds(Int64(draws.between(0, longest))) }
        let showsHandshakes = draws.chance(700)
        let refusingAt = now + .milliseconds(Int64(draws.pick([0, 0, 0, 5, 300])))
        let arrivals = (0..<draws.pick([0, 1, 1, 2, 4])).map { _ in
            let handshakeUntil = now + soon(showsHandshakes ? 500 : 140)
            let queuedAt = handshakeUntil + soon(showsHandshakes ? 18 : 40)
            let isServed = isHealed || !draws.chance(80)
            let acceptedAt = isServed ? queuedAt + soon(2_000) : Instant(nanoseconds: .max)
            return ClosedQueue.Arrival(
                handshakeUntil: handshakeUntil, queuedAt: queuedAt, acceptedAt: acceptedAt)
        }
        queues[pool] = ClosedQueue(
            refusingAt: refusingAt, arrivals: arrivals, showsHandshakes: showsHandshakes)
    }

    mutating func sampleListeners(of pool: Int, at now: Instant) -> ListenerSample {
        guard let queue = queues[pool] else { return .none }
        return pool % 3 == 2 && !queue.isWaiting(at: now) && queue.arrivals.isEmpty
            ? .none : queue.sample(at: now)
    }

    /// Returns the pools at whose closed listeners a connection waits.
    func waitingPools(at now: Instant) -> Set<Int> {
        if queues.isEmpty { return [] }
        return Set(queues.filter { $0.value.isWaiting(at: now) }.keys)
    }
}
