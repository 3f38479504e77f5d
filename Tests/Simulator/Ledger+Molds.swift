import SuperviseCore

/// Molds.
extension Ledger {
    struct Mold: Equatable {
        let bootUntil: Instant
        var isWarm = false
        /// Whether it was seen to be of no use.
        var hasFailed = false
        var endedAt: Instant?
        var killedAt: Instant?

        /// Whether workers may be forked from it.
        var isUsable: Bool { isWarm && !hasFailed && endedAt == nil && killedAt == nil }
        var isBooting: Bool { !isWarm && !hasFailed && endedAt == nil && killedAt == nil }
    }

    /// A generation of a pool.
    struct Generation: Hashable {
        let pool: Int
        let number: Int
    }

    mutating func moldStarted(_ id: MoldID) {
        let policy = policy(ofMold: id.generation, pool: id.pool)
        molds[id] = Mold(bootUntil: now + policy.readyTimeout)
    }

    private func policy(ofMold generation: Int, pool: Int) -> PoolPolicy {
        guard trial?.generation == generation else { return pools[pool].policy }
        return pools[pool].trial ?? pools[pool].policy
    }

    mutating func record(_ news: MoldEvent, of id: MoldID) {
        switch news {
        case .warm: molds[id]?.isWarm = true
        case .unusable:
            molds[id]?.hasFailed = true
            moldFailures.insert(Generation(pool: id.pool, number: id.generation))
        case .notStarted, .exited:
            guard molds.removeValue(forKey: id) != nil else { return }
            moldFailures.insert(Generation(pool: id.pool, number: id.generation))
        }
    }

    mutating func lostByMolds(_ span: TimeSpan) {
        for (id, mold) in molds {
            var later = Mold(bootUntil: mold.bootUntil + span)
            later.isWarm = mold.isWarm
            later.hasFailed = mold.hasFailed
            later.endedAt = mold.endedAt.map { $0 + span }
            later.killedAt = mold.killedAt.map { $0 + span }
            molds[id] = later
        }
    }

    /// Whether starts of a pool may wait for a mold, in the generation in force or on trial.
    func mayAwaitMold(_ number: Int) -> Bool {
        let pool = pools[number]
        guard pool.policy.usesMold || pool.trial?.usesMold == true else { return false }
        return [generation, trial?.generation].compactMap { $0 }.contains { generation in
            let key = Generation(pool: number, number: generation)
            guard policy(ofMold: generation, pool: number).usesMold, !moldsGivenUp.contains(key)
            else { return false }
            return !molds.contains {
                $0.key.pool == number && $0.key.generation == generation && $0.value.isUsable
            }
        }
    }
}

/// What holds for molds.
extension Invariant {
    @Sendable static func forksFromTheWarm(
        _ ledger: Ledger, _ id: WorkerID, _ order: StartOrder
    ) -> String? {
        let key = Ledger.Generation(pool: id.pool, number: order.generation)
        guard let mold = order.mold else {
            let pool = ledger.pools[id.pool]
            let isCanary = ledger.trial?.generation == order.generation
            let policy = isCanary ? pool.trial ?? pool.policy : pool.policy
            guard policy.usesMold, !ledger.moldFailures.contains(key),
                !ledger.molds.contains(where: {
                    $0.key.generation == order.generation && $0.key.pool == id.pool
                        && !$0.value.isBooting && !$0.value.isUsable
                })
            else { return nil }
            return "\(id) is exec'd although no mold has failed"
        }
        guard mold.pool == id.pool, mold.generation == order.generation else {
            return "\(id) is forked from the mold of another generation"
        }
        return ledger.molds[mold]?.isUsable == true ? nil : "\(id) is forked from no warm mold"
    }

    @Sendable static func moldsInTurn(_ ledger: Ledger, _ action: Service.Action) -> String? {
        guard case .perform(let action) = action else { return nil }
        switch action {
        case .startMold(let id):
            guard ledger.pools.indices.contains(id.pool) else { return "\(id) is of no pool" }
            switch ledger.pools[id.pool].stage {
            case .running, .parked: break
            default: return "\(id) starts in a pool that stops"
            }
            let booting = ledger.molds.contains {
                $0.key.pool == id.pool && $0.key.generation == id.generation && $0.value.isBooting
            }
            if booting { return "\(id) boots beside another that boots" }
            if ledger.molds[id] != nil { return "\(id) starts twice" }
        case .endMold(let id):
            guard let mold = ledger.molds[id] else { return "\(id) is gone" }
            if mold.endedAt != nil { return "\(id) is asked to end twice" }
        case .killMold(let id):
            guard let mold = ledger.molds[id] else { return "\(id) is gone" }
            if let endedAt = mold.endedAt, ledger.now - endedAt < .seconds(2) {
                return "\(id) has no time to end"
            }
        default: break
        }
        return nil
    }

    @Sendable static func noMoldIsLeft(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .ended(let pool) = notice else { return nil }
        return ledger.molds.keys.contains { $0.pool == pool } ? "a mold of \(pool) is left" : nil
    }

    /// A pool whose work is done needs no mold.
    @Sendable static func doneNeedsNoMold(_ ledger: Ledger, _ service: Service) -> String? {
        for (number, pool) in ledger.pools.enumerated()
        where pool.stage == .running && pool.wanted > 0 && pool.expected == 0 && pool.live == 0 {
            let kept = ledger.molds.first { id, mold in
                id.pool == number && id.generation == ledger.generation && mold.endedAt == nil
                    && mold.killedAt == nil && !mold.hasFailed
            }
            if let kept { return "\(kept.key) stays although pool \(number) is done" }
        }
        return nil
    }

    @Sendable static func moldsNotForEver(_ ledger: Ledger, _ service: Service) -> String? {
        for (id, mold) in ledger.molds {
            if mold.isBooting, mold.bootUntil <= ledger.now { return "\(id) boots for too long" }
            if mold.killedAt == nil, let endedAt = mold.endedAt,
                ledger.now - endedAt >= .seconds(2)
            {
                return "\(id) should have been killed"
            }
        }
        return nil
    }
}
