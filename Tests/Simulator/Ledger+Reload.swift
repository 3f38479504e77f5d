import SuperviseCore

/// The reload, as an observer sees it.
extension Ledger {
    mutating func reloadBegun(_ generation: Int) {
        endTrial()
        lastGeneration = generation
        let plans = Ledger.sharingMemory(pendingPlans)
        trial = Trial(generation: generation, since: now, plans: plans)
        for plan in plans {
            guard let number = number(named: plan.name) else { continue }
            pools[number].trial = plan.policy
            pools[number].hadNoWorker = pools[number].serving == 0
        }
    }

    mutating func endTrial() {
        guard trial != nil else { return }
        trial = nil
        for number in pools.indices {
            pools[number].trial = nil
            pools[number].canary = nil
            pools[number].passedAt = nil
            pools[number].canaryTrial = nil
            pools[number].tookSlots = 0
            pools[number].hadNoWorker = false
        }
    }

    mutating func committed(_ generation: Int) {
        let plans = trial?.plans ?? []
        let now = now
        for canary in pools.compactMap(\.canary) {
            // Its incumbent is due without a notice: it stops immediately, unless it holds.
            let pair = pools[canary.pool].slots[canary.slot].pair(canary: canary)
            if let old = pair.incumbent, old.id != canary, old.due == nil {
                change(old.id) { $0.due = Due(cause: .reload, since: now) }
            }
        }
        endTrial()
        self.generation = generation
        for number in pools.indices where !plans.contains(where: { $0.name == pools[number].name })
        {
            pools[number].isRemoved = true
        }
        for plan in plans {
            guard let number = number(named: plan.name) else {
                pools.append(Pool(plan))
                pools[pools.count - 1].polledAt = now
                continue
            }
            pools[number].formerGrace = pools[number].policy.gracefulTimeout
            pools[number].closing = nil
            if plan.dropsListeners { owesShut = number }
            pools[number].policy = plan.policy
            pools[number].target = plan.policy.workers
            pools[number].stage = .running
            pools[number].polledAt = now
            if !pools[number].watchesQueue { pools[number].queueWaitsSince = [:] }
            for slot in pools[number].slots.indices {
                pools[number].slots[slot].notBefore = nil
                pools[number].slots[slot].failedAt = nil
                pools[number].slots[slot].bootFailures = 0
                pools[number].slots[slot].isFailing = false
                pools[number].slots[slot].isDone = false
                pools[number].slots[slot].awaited = nil
            }
        }
    }

    /// Returns the number of the pool of this name in the current configuration.
    func number(named name: String) -> Int? {
        pools.indices.last {
            pools[$0].name == name && pools[$0].isKept && !pools[$0].isRemoved
        }
    }
}
