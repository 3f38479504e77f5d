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

    /// Gives a worker a request that gets no response for this time.
    mutating func stick(_ id: WorkerID, for milliseconds: Int, at now: Instant) {
        let number = UInt64(processes[id]?.stuck.count ?? 0)
        let until = now + .milliseconds(Int64(milliseconds))
        processes[id]?.stuck.append(Stuck(connection: 1_000 + number, since: now, until: until))
    }

    /// Returns the workers of a pool with such a request.
    func waitingRequests(ofPool pool: Int, at now: Instant) -> [WaitingRequests] {
        present.filter { $0.pool == pool }.compactMap { id in
            guard let process = processes[id], process.isAlive else { return nil }
            let waiting = process.stuck.filter { now < $0.until }
            if waiting.isEmpty { return nil }
            return WaitingRequests(
                id, inFlight: waiting.count + process.stuck.count % 2,
                slow: waiting.map {
                    StuckRequest(connection: $0.connection, since: $0.since, route: nil)
                })
        }
    }

    /// Returns the connections of such requests.
    func stuckRequests(of id: WorkerID, at now: Instant) -> [ConnectionSample.Connection] {
        (processes[id]?.stuck ?? []).filter { now < $0.until }.map {
            ConnectionSample.Connection(id: $0.connection, use: .inFlight, sent: 0, received: 1)
        }
    }
}

/// A request that gets no response for some time.
struct Stuck {
    let connection: UInt64
    let since: Instant
    let until: Instant
}
