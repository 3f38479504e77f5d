import SuperviseCore

/// Invariants after every step and every turn.
extension Invariant {
    @Sendable static func sumsAreTrue(_ ledger: Ledger, _ service: Service) -> String? {
        for member in service.members {
            let pool = member.pool
            guard ledger.pools.indices.contains(pool.number) else {
                return "there is a pool \(pool.number)"
            }
            let known = ledger.pools[pool.number]
            let live = known.live
            if pool.liveCount != live {
                return "\(pool.liveCount) live in pool \(pool.number), not \(live)"
            }
            let serving = known.serving
            if pool.servingCount != serving {
                return "\(pool.servingCount) serve in pool \(pool.number), not \(serving)"
            }
            if pool.stage == .running, pool.size != known.target {
                return "pool \(pool.number) has \(pool.size) slots, not \(known.target)"
            }
        }
        return nil
    }

    @Sendable static func hardCapKills(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.owesKill.first.map { "\($0) is over kill-rss and lives" }
    }

    @Sendable static func failureBacksOff(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.owesBackoff.map { "slot \($0.slot) of pool \($0.pool) failed again at once" }
    }

    @Sendable static func policyEndsWork(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.owesDone.map { "slot \($0.slot) of pool \($0.pool) should be done" }
    }

    @Sendable static func stopReachesAll(_ ledger: Ledger, _ service: Service) -> String? {
        for pool in ledger.pools where pool.stage != .running {
            for slot in pool.slots {
                if let kept = slot.workers.first(where: \.isKept) {
                    return "\(kept.id) was not told, the pool is \(pool.stage)"
                }
            }
        }
        return nil
    }

    @Sendable static func nobodyOutstays(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.first { worker in
            guard let killAt = worker.killAt, killAt <= ledger.now else { return nil }
            return "\(worker.id) should have been killed"
        }
    }

    @Sendable static func nobodyBootsForEver(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.first { worker in
            guard worker.isKept, worker.readyAt == nil, worker.readyBy <= ledger.now else {
                return nil
            }
            return "\(worker.id) boots for too long"
        }
    }

    @Sendable static func overLimitIsDue(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.firstIncumbent { _, worker, _ in
            guard worker.due == nil else { return nil }
            if let limit = worker.requestLimit, worker.requests >= limit {
                return "\(worker.id) has served its requests and is not due"
            }
            if let lifetime = worker.lifetime,
                ledger.now - worker.startedAt >= lifetime.upperBound
            {
                return "\(worker.id) has reached its age and is not due"
            }
            return nil
        }
    }

    /// A slot that waits for a worker gets one as soon as backoff and budget allow.
    @Sendable static func roomIsUsed(_ ledger: Ledger, _ service: Service) -> String? {
        for (number, pool) in ledger.pools.enumerated()
        where pool.stage == .running && !ledger.mayAwaitMold(number) {
            let most = pool.expected + pool.budget.surge
            // The ledger does not know slots before their first worker, which boot in turns.
            guard pool.live < most, pool.firstBoots < pool.policy.bootParallel else { continue }
            if pool.policy.usesMold, pool.startsPending >= 8 { continue }
            let waiting = pool.slots.count { slot in
                let isVacant = !slot.workers.contains {
                    $0.isKept && !($0.id == pool.canary && $0.isBeside)
                }
                let waits = slot.notBefore.map { $0 > ledger.now } ?? false
                let lacksRoom = slot.awaitsRoom && slot.workers.contains { !$0.isKept }
                return isVacant
                    && (slot.isDone || slot.awaited != nil || waits || lacksRoom)
            }
            // A slot is recorded with its first start.
            let isFull = pool.firstBoots >= pool.policy.bootParallel
            let unseen = isFull ? max(0, pool.wanted - pool.slots.count) : 0
            if pool.filled + waiting + unseen < pool.wanted {
                return "pool \(number) has \(pool.filled) of \(pool.wanted) and \(waiting) waiting"
            }
        }
        return nil
    }

    @Sendable static func deadlinesAreAhead(_ ledger: Ledger, _ service: Service) -> String? {
        guard let next = service.nextDeadline, next <= ledger.now, ledger.exitCode == nil else {
            return nil
        }
        return "the deadline of \(next.nanoseconds) stands at \(ledger.now.nanoseconds)"
    }

    @Sendable static func timerIsArmed(_ ledger: Ledger, _ service: Service) -> String? {
        let armed = service.nextDeadline ?? Instant(nanoseconds: .max)
        for pool in ledger.pools where pool.stage != .ended {
            for slot in pool.slots {
                if pool.stage == .running, !slot.isFresh, slot.awaited == nil, !slot.isDone,
                    let notBefore = slot.notBefore,
                    notBefore > ledger.now, notBefore < armed,
                    !slot.workers.contains(where: \.isKept)
                {
                    return "nothing wakes a slot that backs off"
                }
                for worker in slot.workers {
                    if let killAt = worker.killAt, killAt < armed {
                        return "nothing wakes to kill \(worker.id)"
                    }
                    guard worker.isKept, worker.readyAt == nil else { continue }
                    if worker.readyBy < armed {
                        return "nothing wakes for the ready-timeout of \(worker.id)"
                    }
                }
            }
        }
        return nil
    }
}

extension Ledger {
    /// Returns the first violation by a worker.
    func first(_ complaint: (Worker) -> String?) -> String? {
        // By index, because an iteration copies its elements.
        for pool in pools.indices {
            for slot in pools[pool].slots.indices {
                for place in pools[pool].slots[slot].workers.indices {
                    if let text = complaint(pools[pool].slots[slot].workers[place]) { return text }
                }
            }
        }
        return nil
    }
}
