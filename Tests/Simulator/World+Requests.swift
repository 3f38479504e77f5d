import SuperviseCore

/// The requests that programs respond to, as the ledgers of their workers show them.
extension World {
    /// Returns the responses of the workers of a pool so far. A program responds from the time at
    /// which it waits for connections.
    func responses(ofPool pool: Int, at now: Instant) -> [PoolSample.Responses] {
        present.filter { $0.pool == pool }.compactMap { id in
            guard let process = processes[id], process.isAlive, process.hasExecuted else {
                return nil
            }
            let program = process.program
            guard program.answering > 0 else { return nil }
            let tenths = (now - (process.waitsSince ?? now)).nanoseconds / 100_000_000
            // Not every worker gets its share of connections.
            let share = Int64([1, 0, 2, 1][(id.slot + id.incarnation) % 4])
            let count = tenths * Int64(program.answering) * share / 10
            let errors = count * Int64(program.erring) / 1000
            return PoolSample.Responses(
                id, ResponseCount(responses: UInt64(count), errors: UInt64(errors)))
        }
    }

    /// Gives a worker a request that gets no response for this time, or for all requests of one kind:
    /// their clients give up.
    mutating func stick(_ id: WorkerID, for milliseconds: Int, at now: Instant) {
        let number = processes[id]?.stuck.count ?? 0
        add(number, to: id, from: now, for: milliseconds, responds: number % 3 != 2)
    }

    /// Gives a worker requests one after the other, each of which gets a response after this time.
    mutating func serveSlowly(
        _ id: WorkerID, for milliseconds: Int, count: Int, at now: Instant
    ) {
        // Not all workers begin at the same time.
        var time = now + .milliseconds(Int64(milliseconds * (id.slot % 3) / 3))
        for _ in 0..<count {
            let number = processes[id]?.stuck.count ?? 0
            add(number, to: id, from: time, for: milliseconds, responds: true)
            time = time + .milliseconds(Int64(milliseconds))
        }
    }

    private mutating func add(
        _ number: Int, to id: WorkerID, from time: Instant, for milliseconds: Int, responds: Bool
    ) {
        processes[id]?.stuck.append(
            Stuck(
                connection: 1_000 + UInt64(number), since: time,
                until: time + .milliseconds(Int64(milliseconds)), responds: responds))
    }

    /// Returns the workers of a pool with such a request.
    func waitingRequests(ofPool pool: Int, at now: Instant) -> [WaitingRequests] {
        present.filter { $0.pool == pool }.compactMap { id in
            guard let process = processes[id], process.isAlive else { return nil }
            let waiting = process.stuck.filter { $0.isWaiting(at: now) }
            if waiting.isEmpty { return nil }
            return WaitingRequests(
                id, inFlight: waiting.count + process.stuck.count % 2,
                slow: waiting.map {
                    StuckRequest(connection: $0.connection, since: $0.since, route: nil)
                },
                respondedAt: process.stuck.filter { $0.responds && $0.until <= now }
                    .map(\.until).max())
        }
    }

    /// Returns the connections of such requests.
    func stuckRequests(of id: WorkerID, at now: Instant) -> [ConnectionSample.Connection] {
        (processes[id]?.stuck ?? []).filter { $0.isWaiting(at: now) }.map {
            ConnectionSample.Connection(id: $0.connection, use: .inFlight, sent: 0, received: 1)
        }
    }
}

/// A request that gets no response for some time.
struct Stuck {
    let connection: UInt64
    let since: Instant
    let until: Instant
    /// Whether it gets a response then. Otherwise the client gives up.
    let responds: Bool

    func isWaiting(at now: Instant) -> Bool { since <= now && now < until }
}
