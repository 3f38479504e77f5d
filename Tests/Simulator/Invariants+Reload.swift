import SuperviseCore

/// Invariants of a reload.
extension Invariant {
    /// Until the commit, the reload stops no worker except the one that makes room for a canary.
    @Sendable static func transaction(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, .recycle(.reload), _) = notice,
            let worker = ledger.worker(id), worker.generation >= ledger.generation
        else { return nil }
        let pool = ledger.pools[id.pool]
        guard ledger.trial != nil, pool.trial != nil else { return "\(id) is up to date" }
        if pool.budget.unavailable == 0 { return "\(id) need not make room" }
        // A resize may have removed the slot. The canary then takes another.
        let hasRoom = pool.canary != nil || pool.filled < pool.wanted
        if pool.tookSlots > 0, hasRoom { return "\(id) is a second one" }
        return nil
    }

    @Sendable static func canariesAreGood(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .reloadCommitted(let generation) = notice else { return nil }
        guard generation == ledger.trial?.generation else { return "\(generation) is not on trial" }
        for (number, pool) in ledger.pools.enumerated() where pool.trial != nil {
            if pool.hadNoWorker || pool.covered == 0 || !pool.isKept { continue }
            guard pool.passedAt != nil, let canary = pool.canary,
                ledger.worker(canary)?.serves == true
            else { return "the canary of pool \(number) has not passed" }
        }
        return nil
    }

    @Sendable static func canaryStays(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .canaryPassed(let number, _, _) = notice else { return nil }
        let pool = ledger.pools[number]
        guard let canary = pool.canary.flatMap(ledger.worker), let readyAt = canary.readyAt else {
            return "pool \(number) has no ready canary"
        }
        let stay = min(pool.policy.stableAfter, .seconds(2))
        return ledger.now - readyAt >= stay
            ? nil : "\(canary.id) was not ready for \(stay.seconds) s"
    }
}
