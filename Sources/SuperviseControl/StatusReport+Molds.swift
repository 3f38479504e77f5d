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
        func each(_ write: (Mold, String) -> Void) {
            for mold in molds {
                if let name = names[mold.facts.id.pool] { write(mold, name) }
            }
        }
        text.family(
            "supervise_mold_warm", .gauge, "Whether workers are forked from the mold.")
        each { mold, name in
            text.sample(
                ("pool", name), ("generation", "\(mold.facts.id.generation)"),
                number: mold.facts.state == .warm ? 1 : 0)
        }
        text.family(
            "supervise_mold_resident_memory_bytes", .gauge, "Resident memory of the mold.")
        each { mold, name in
            if let bytes = mold.memoryBytes {
                text.sample(
                    ("pool", name), ("generation", "\(mold.facts.id.generation)"), number: bytes)
            }
        }
        text.family(
            "supervise_worker_own_memory_bytes", .gauge,
            "Memory of a forked worker that no other process has.")
        eachForked { text.sample(("pool", $0), ("slot", $1), number: $2.ownBytes) }
        text.family(
            "supervise_worker_shared_memory_bytes", .gauge,
            "Resident memory of a forked worker that it shares.")
        eachForked { text.sample(("pool", $0), ("slot", $1), number: $2.sharedBytes) }
    }

    private func eachForked(_ write: (String, String, ForkedMemory) -> Void) {
        for pool in snapshot.pools {
            for worker in pool.workers where !worker.isReplacement && worker.state == .ready {
                guard let memory = process(worker.id)?.forked else { continue }
                write(pool.name, "\(worker.id.slot)", memory)
            }
        }
    }
}
