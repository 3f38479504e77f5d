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
}
