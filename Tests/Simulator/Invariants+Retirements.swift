import SuperviseCore

/// Invariants of a worker that becomes ready, is due, or retires.
extension Invariant {
    @Sendable static func readyByRule(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .ready(let id, let rule, _) = notice else { return nil }
        guard let worker = ledger.worker(id), worker.isKept else { return "\(id) does not exist" }
        if worker.readyAt != nil { return "\(id) is already ready" }
        guard let runsSince = worker.runsSince else { return "\(id) does not run yet" }
        let policy = ledger.policy(of: worker)
        let age = ledger.now - worker.startedAt
        switch (rule, policy.readiness) {
        case (.notify, _): return worker.reportedReady ? nil : "\(id) did not report it"
        case (.exec, .exec): return runsSince == ledger.now ? nil : "\(id) ran before"
        case (.time, .after(let span)): return age >= span ? nil : "\(id) is too young"
        case (.time, .auto):
            return !policy.hasListeners && age >= .seconds(1) ? nil : "\(id) is too young"
        case (.listening, .auto): return worker.wasSeen ? nil : "\(id) was not seen"
        case (.assumed, .auto):
            return policy.hasListeners && age >= .seconds(5) ? nil : "\(id) is too young"
        case (.exec, _), (.time, _), (.listening, _), (.assumed, _):
            return "\(id) is ready by \(rule), configured is \(policy.readiness)"
        }
    }

    @Sendable static func dueForACause(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .due(let id, let cause, let facts) = notice else { return nil }
        guard let worker = ledger.worker(id), worker.serves else { return "\(id) does not serve" }
        let policy = ledger.policy(of: worker)
        switch cause {
        case .requests:
            // The notification threshold that was reached has been rewritten by now.
            guard let notifyThreshold = worker.notifyThreshold,
                worker.requests >= notifyThreshold || worker.notifiedAt == ledger.now
            else {
                return "\(id) has neither reached nor approached its limit"
            }
        case .lifetime:
            guard let lifetime = worker.lifetime,
                ledger.now - worker.startedAt >= lifetime.lowerBound
            else { return "\(id) is too young" }
        case .memory:
            guard let cap = ledger.softCap(of: worker), let bytes = facts.memoryBytes,
                !ledger.isYoung(worker) || !worker.isOwnSize(near: cap) || worker.hasOutgrown(cap)
            else { return "\(id) has no cap, or is too young" }
            guard bytes > cap || ledger.mayReachCap(worker, cap) else {
                return "\(id) neither exceeds its cap nor will soon"
            }
        case .poolMemory:
            guard let cap = policy.maxPoolRSSBytes, ledger.pools[id.pool].memory > cap else {
                return "pool \(id.pool) does not exceed its cap"
            }
        case .pressure:
            guard policy.memoryPressure == .auto else {
                return "\(id) need not stop for the others"
            }
        case .reload:
            guard worker.generation < ledger.generation else { return "\(id) is up to date" }
        case .requestTimeout:
            guard ledger.pools[id.pool].stuck.contains(id) else { return "\(id) is not stuck" }
        case .requested, .operator: break
        }
        return nil
    }

    @Sendable static func doneByPolicy(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .slotDone(let pool, let slot) = notice else { return nil }
        let isEndless = ledger.pools[pool].policy.restart == .always
        return isEndless ? "slot \(slot) is done, the policy is always" : nil
    }

    @Sendable static func retiresOnce(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, _, _) = notice else { return nil }
        guard let worker = ledger.worker(id) else { return "\(id) has exited" }
        return worker.isKept ? nil : "\(id) already retires, or has exited"
    }

    @Sendable static func retiredForACause(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, let cause, _) = notice, let worker = ledger.worker(id)
        else { return nil }
        let pool = ledger.pools[id.pool]
        switch cause {
        case .recycle(let cause):
            let makesRoom = cause == .reload && ledger.trial != nil && pool.trial != nil
            guard worker.due != nil || makesRoom || worker.generation < ledger.generation else {
                return "\(id) was not due"
            }
        case .bootTimeout:
            guard worker.readyAt == nil, ledger.now >= worker.readyBy else {
                return "\(id) had more time to boot"
            }
        case .killMemory:
            guard ledger.mayKill.contains(id) else { return "\(id) does not exceed kill-rss" }
        case .stop:
            guard case .stopping = pool.stage else { return "\(id): the pool does not stop" }
        case .parked:
            guard pool.stage == .parked else { return "\(id): the pool is not parked" }
        case .announced, .scaledDown, .huntEnded, .superseded, .watchdog, .stalled: break
        }
        return nil
    }

    /// A retiring worker has a ready successor in its slot, or the budget allows it to be missing.
    @Sendable static func floorIsKept(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, .recycle(let cause), _) = notice,
            let worker = ledger.worker(id), worker.serves
        else { return nil }
        let pool = ledger.pools[id.pool]
        let hasSuccessor = pool.slots[id.slot].workers.contains {
            $0.serves && $0.id != id && $0.id != pool.canary
        }
        if hasSuccessor { return nil }
        // If two workers do not fit into memory, one that is due for its memory stops first.
        let mayMissOne = pool.isTight && cause.isOfMemory
        let floor = pool.expected - max(pool.budget.unavailable, mayMissOne ? 1 : 0)
        guard pool.covered - 1 >= floor else {
            return "without \(id) there are \(pool.covered - 1) of at least \(floor)"
        }
        return nil
    }

    @Sendable static func notWhileFailing(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, .recycle, _) = notice else { return nil }
        let pool = ledger.pools[id.pool]
        let hasSuccessor = pool.slots[id.slot].workers.contains { $0.serves && $0.id != id }
        guard !hasSuccessor, let failing = pool.slots.firstIndex(where: \.isFailing) else {
            return nil
        }
        return "\(id) stops first while slot \(failing) does not boot"
    }

    @Sendable static func holdIsHonoured(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, .recycle, _) = notice, let worker = ledger.worker(id),
            let hold = worker.holdUntil,
            let since = worker.due?.since ?? ledger.trial?.since
        else { return nil }
        let end = min(hold, since + ledger.pools[id.pool].policy.maxHold)
        return ledger.now >= end ? nil : "\(id) holds for \((end - ledger.now).seconds) s more"
    }
}
