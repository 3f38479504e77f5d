import SuperviseCore

/// Invariants of a start.
extension Invariant {
    /// Reports never delay a worker.
    @Sendable static func beforeReports(
        _ ledger: Ledger, _ id: WorkerID, _ order: StartOrder
    ) -> String? {
        ledger.hasJustReported ? "\(id) waits for a report" : nil
    }

    @Sendable static func withinSurge(
        _ ledger: Ledger, _ id: WorkerID, _ order: StartOrder
    ) -> String? {
        let pool = ledger.pools[id.pool]
        let most = pool.expected + pool.budget.surge
        return pool.live < most ? nil : "\(id) would be number \(pool.live + 1) of \(most)"
    }

    /// The first workers of slots boot in turns.
    @Sendable static func bootsInTurns(
        _ ledger: Ledger, _ id: WorkerID, _ order: StartOrder
    ) -> String? {
        let pool = ledger.pools[id.pool]
        let isTrial = order.generation != ledger.generation
        guard id.incarnation == 1, !isTrial, pool.firstBoots >= pool.policy.bootParallel else {
            return nil
        }
        return "\(id) is number \(pool.firstBoots + 1) of \(pool.policy.bootParallel) that boot"
    }

    @Sendable static func whileRunning(
        _ ledger: Ledger, _ id: WorkerID, _ order: StartOrder
    ) -> String? {
        guard ledger.pools.indices.contains(id.pool) else { return "\(id) belongs to no pool" }
        let stage = ledger.pools[id.pool].stage
        return stage == .running ? nil : "\(id) starts while the pool is \(stage)"
    }

    @Sendable static func oneToFollow(
        _ ledger: Ledger, _ id: WorkerID, _ order: StartOrder
    ) -> String? {
        let pool = ledger.pools[id.pool]
        guard pool.slots.indices.contains(id.slot) else { return nil }
        let slot = pool.slots[id.slot]
        if slot.isDone { return "\(id) starts in a slot that is done" }
        let pair = slot.pair(canary: pool.canary)
        if let incumbent = pair.incumbent {
            if pair.replacement != nil { return "\(id) is the third in its slot" }
            if incumbent.readyAt == nil { return "\(id) replaces a booting worker" }
        }
        return nil
    }

    @Sendable static func nextIncarnation(
        _ ledger: Ledger, _ id: WorkerID, _ order: StartOrder
    ) -> String? {
        let slots = ledger.pools[id.pool].slots
        let last = slots.indices.contains(id.slot) ? slots[id.slot].lastIncarnation : 0
        return id.incarnation == last + 1 ? nil : "\(id) follows incarnation \(last)"
    }

    @Sendable static func knownGeneration(
        _ ledger: Ledger, _ id: WorkerID, _ order: StartOrder
    ) -> String? {
        if order.generation == ledger.generation { return nil }
        let pool = ledger.pools[id.pool]
        // It keeps serving with its old settings until the pools that the same reload added can
        // serve.
        if pool.isRemoved, order.generation < ledger.generation { return nil }
        guard order.generation == ledger.trial?.generation, pool.trial != nil else {
            return "\(id) starts in generation \(order.generation), not \(ledger.generation)"
        }
        if pool.canary != id { return "\(id) is a second canary" }
        return nil
    }

    @Sendable static func limitWithinJitter(
        _ ledger: Ledger, _ id: WorkerID, _ order: StartOrder
    ) -> String? {
        let pool = ledger.pools[id.pool]
        let isCanary = order.generation != ledger.generation
        let policy = isCanary ? pool.trial ?? pool.policy : pool.policy
        guard policy.maxRequests > 0 else {
            return order.requestLimit == nil ? nil : "\(id) has a limit that no setting requests"
        }
        let range = policy.maxRequests...policy.maxRequests + policy.maxRequestsJitter
        guard let limit = order.requestLimit, range.contains(limit) else {
            return "\(id) has the limit \(String(describing: order.requestLimit)), not \(range)"
        }
        guard let notifyThreshold = order.notifyThreshold, limit - limit / 2 <= notifyThreshold,
            notifyThreshold <= limit
        else {
            return "\(id) notifies at \(String(describing: order.notifyThreshold)) of \(limit)"
        }
        return nil
    }

    @Sendable static func afterBackoff(
        _ ledger: Ledger, _ id: WorkerID, _ order: StartOrder
    ) -> String? {
        let pool = ledger.pools[id.pool]
        guard pool.canary != id, pool.slots.indices.contains(id.slot),
            let notBefore = pool.slots[id.slot].notBefore, ledger.now < notBefore,
            !pool.slots[id.slot].isFresh
        else { return nil }
        return "\(id) starts \((notBefore - ledger.now).seconds) s too early"
    }

    @Sendable static func memoryFirst(
        _ ledger: Ledger, _ id: WorkerID, _ order: StartOrder
    ) -> String? {
        let pool = ledger.pools[id.pool]
        guard pool.canary != id, pool.slots.indices.contains(id.slot),
            let due = pool.slots[id.slot].pair(canary: pool.canary).incumbent?.due,
            !due.cause.isOfMemory
        else { return nil }
        let waiting = pool.slots.first { slot in
            let pair = slot.pair(canary: pool.canary)
            guard let incumbent = pair.incumbent, pair.replacement == nil, incumbent.serves,
                incumbent.due?.cause.isOfMemory == true, incumbent.holdUntil == nil,
                !ledger.isAhead(incumbent), incumbent.id != pool.canary
            else { return false }
            return slot.notBefore.map { $0 <= ledger.deadlinesHandledAt } ?? true
        }
        guard let first = waiting?.workers.first(where: { $0.serves }) else { return nil }
        return "\(id) stops before \(first.id), which exceeds its memory cap"
    }
}

extension Ledger.Pool {
    /// Workers whose program does not run yet.
    var startsPending: Int {
        slots.reduce(0) { sum, slot in
            sum + slot.workers.count { $0.isKept && $0.runsSince == nil && $0.readyAt == nil }
        }
    }

    /// Slots whose first worker boots.
    var firstBoots: Int {
        slots.count { slot in
            slot.workers.contains { $0.isKept && $0.readyAt == nil && $0.id.incarnation == 1 }
        }
    }
}
