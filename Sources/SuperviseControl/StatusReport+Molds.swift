import SuperviseCore

/// Molds in the status and the metrics. Pools without one have no such fields.
extension StatusReport {
    func writeMolds(of pool: PoolSnapshot, to json: inout JSONWriter) {
        let own = molds.filter { $0.facts.id.pool == pool.number }
        guard !own.isEmpty else { return }
        json.array("molds") { json in
            for mold in own {
                json.object {
                    $0.field("generation", mold.facts.id.generation)
                    $0.field("incarnation", mold.facts.id.incarnation)
                    $0.field("state", mold.facts.state.rawValue)
                    $0.field("pid", mold.pid)
                    $0.field("memory_bytes", mold.memoryBytes)
                }
            }
        }
    }

    func writeMolds(to text: inout MetricsText) {
        guard !molds.isEmpty else { return }
        let names = Dictionary(
            snapshot.pools.map { ($0.number, $0.name) }, uniquingKeysWith: { first, _ in first })
        // A mold that ends beside its successor has the labels of that, which stands first.
        var labels: Set<[Int]> = []
        let shown = molds.compactMap { mold -> (mold: Mold, name: String)? in
            let id = mold.facts.id
            guard let name = names[id.pool], labels.insert([id.pool, id.generation]).inserted
            else { return nil }
            return (mold, name)
        }
        text.family(
            "supervise_mold_warm", .gauge, "Whether workers are forked from the mold.")
        for (mold, name) in shown {
            text.sample(
                ("pool", name), ("generation", "\(mold.facts.id.generation)"),
                number: mold.facts.state == .warm ? 1 : 0)
        }
        text.family(
            "supervise_mold_resident_memory_bytes", .gauge, "Resident memory of the mold.")
        for (mold, name) in shown {
            if let bytes = mold.memoryBytes {
                text.sample(
                    ("pool", name), ("generation", "\(mold.facts.id.generation)"), number: bytes)
            }
        }
        let forked = forkedWorkers
        text.family(
            "supervise_worker_own_memory_bytes", .gauge,
            "Memory of a forked worker that no other process has.")
        for worker in forked { text.sample(worker.pool, slot: worker.slot, worker.memory.ownBytes) }
        text.family(
            "supervise_worker_shared_memory_bytes", .gauge,
            "Resident memory of a forked worker that it shares.")
        for worker in forked {
            text.sample(worker.pool, slot: worker.slot, worker.memory.sharedBytes)
        }
    }

    private var forkedWorkers: [(pool: String, slot: Int, memory: ForkedMemory)] {
        snapshot.pools.flatMap { pool in
            pool.workers.compactMap { worker in
                guard !worker.isReplacement, worker.state == .ready,
                    let memory = process(worker.id)?.forked
                else { return nil }
                return (pool.name, worker.id.slot, memory)
            }
        }
    }
}
