import SuperviseCore

/// Memory caps, as an observer sees them.
extension Ledger {
    /// Returns the plans with the shares of memory that apply when all of them are current.
    static func sharingMemory(_ plans: [Service.Plan]) -> [Service.Plan] {
        let count = PoolPolicy.workersAtOnce(plans.map { ($0.policy, $0.policy.workers) })
        return plans.map { plan in
            var plan = plan
            plan.policy.shareMemory(amongWorkers: count)
            return plan
        }
    }

    /// Returns the hard cap. A worker keeps the one that it was started with if a newer one is
    /// lower.
    func hardCap(of worker: Worker) -> UInt64? {
        guard let current = policy(of: worker).killRSSBytes, let given = worker.killRSS else {
            return nil
        }
        return max(current, given)
    }

    /// Returns the soft cap. A newer hard cap that is lower recycles the worker instead of killing
    /// it.
    func softCap(of worker: Worker) -> UInt64? {
        let policy = policy(of: worker)
        guard let current = policy.killRSSBytes, current < worker.killRSS ?? .max else {
            return policy.maxRSSBytes
        }
        return min(current, policy.maxRSSBytes ?? .max)
    }

    /// Returns whether this worker has been ready for less than `min-lifetime`.
    func isYoung(_ worker: Worker) -> Bool {
        worker.readyAt.map { now - $0 < policy(of: worker).minLifetime } ?? true
    }

    mutating func judgeHardCap(_ cap: UInt64, of id: WorkerID) {
        guard let worker = worker(id), let bytes = worker.memory else { return }
        let isDoubled = bytes > 2 * max(cap, worker.firstMemory ?? 0)
        if !policy(of: worker).hasListeners || isOnTrial(id) || isDoubled
            || !worker.isHardAlarmed && !(isYoung(worker) && worker.isOwnSize(near: cap))
        {
            owesKill.insert(id)
        }
        // The machine decides whether the worker is still growing.
        if owesKill.contains(id) || worker.isHardAlarmed && !isYoung(worker) { mayKill.insert(id) }
    }

    mutating func judgeSoftCap(_ cap: UInt64, of id: WorkerID) {
        let pool = pools[id.pool]
        guard let worker = worker(id), worker.serves, pool.stage == .running, worker.due == nil,
            !owesKill.contains(id), !mayKill.contains(id), worker.alarmedAt == nil,
            pool.slots[id.slot].pair(canary: pool.canary).incumbent?.id == id,
            worker.samplesOver >= policy(of: worker).memorySamples,
            !isYoung(worker) || !worker.isOwnSize(near: cap)
        else { return }
        owesRecycle.insert(id)
    }
}

extension Ledger.Worker {
    /// Returns whether it was within a fifth of this cap, or above it, before it served any
    /// request.
    func isOwnSize(near cap: UInt64) -> Bool { (ownMemory ?? 0) >= cap - cap / 5 }

    /// Returns whether its memory exceeds twice its own size and twice the cap.
    func hasOutgrown(_ cap: UInt64) -> Bool { (memory ?? 0) > 2 * max(cap, ownMemory ?? 0) }
}

extension PoolPolicy {
    /// Records the size of the caps in bytes.
    mutating func take(_ caps: MemoryCapBytes) {
        warnRSSBytes = caps.warn
        maxRSSBytes = caps.soft
        killRSSBytes = caps.hard
        maxPoolRSSBytes = caps.pool
    }
}

extension Service.Action {
    /// Whether it only reports the content of an event.
    var reportsEvent: Bool {
        guard case .perform(.note(let notice)) = self else { return false }
        if case .exited = notice { return true }
        if case .started = notice { return true }
        if case .startFailed = notice { return true }
        return false
    }
}
