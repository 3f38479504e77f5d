/// Backoff: each slot whose workers repeatedly end too soon delays its own next start,
/// increasingly.

extension Pool {
    /// The replacement of a worker that ran without failure for this long starts immediately.
    static let briefLife = TimeSpan.seconds(1)

    /// The minimum delay of a start after two failures, even without backoff: a start may fail in
    /// almost no time, and the master would do nothing else.
    static let shortestWait = TimeSpan.milliseconds(10)

    /// The replacement of a worker that served for this long before its request limit starts
    /// immediately. Shorter than `briefLife`, because a fast program with a small limit behaves
    /// correctly.
    static let briefService = TimeSpan.milliseconds(100)

    mutating func startFailed(_ id: WorkerID, _ failure: StartFailure, at now: Instant) {
        reportHunt(of: id, .notStarted(failure))
        note(.startFailed(id, failure))
        if let worker = worker(id) { runEnded(worker, nil, nil, at: now) }
        if let index = leavingIndex(of: id) {
            slots[id.slot].leaving.remove(at: index)
            return
        }
        let worker = self[id]
        self[id] = nil
        if worker?.isHunted == true { return }
        if candidate?.isTrying(id) == true {
            candidateFailed(.notStarted(failure))
            return
        }
        if let worker { forkFailed(worker, at: now) }
        if isScheduled { return }
        if !hasRun, !failure.isTransient, startImpossible == nil { startImpossible = failure }
        if !failure.isTransient {
            slots[id.slot].setbacks.bootFailures += 1
            // An immediate retry does not help if an operator must fix the cause.
            slots[id.slot].setbacks.failures = max(1, slots[id.slot].setbacks.failures)
        }
        countFailure(in: id.slot, atLeast: Pool.shortestWait, at: now)
        promoteReplacement(in: id.slot, at: now)
    }

    /// Counts the unplanned end of a worker. The first one after a stable time causes no delay.
    mutating func countEarlyEnd(of worker: Worker, at now: Instant) {
        if worker.isStable(at: now, after: policy.stableAfter) {
            slots[worker.id.slot].setbacks.failures = 0
        }
        countFailure(in: worker.id.slot, at: now)
    }

    /// Counts a recycle that the worker caused itself, by requesting it or by reporting requests.
    /// Otherwise a program that does so as soon as it is ready would be restarted without pause.
    mutating func countOwnRecycle(of worker: Worker, _ due: Slot.Due?, at now: Instant) {
        guard let due, let readyAt = worker.readyAt else { return }
        let isTooSoon: Bool
        let life: TimeSpan
        switch due.cause {
        case .requested:
            life = due.since - worker.startedAt
            isTooSoon = life < Pool.briefLife
        case .requests:
            life = now - worker.startedAt
            isTooSoon = now - readyAt < Pool.briefService
        case .lifetime, .memory, .poolMemory, .pressure, .requestTimeout, .operator, .reload: return
        }
        // A worker that postponed its own recycling has served, however early it requested it.
        let isStable = worker.isStable(at: now, after: policy.stableAfter)
        if isTooSoon, !isStable {
            countFailure(in: worker.id.slot, at: now)
        } else if isStable || life >= Pool.briefLife {
            // The failure since it became ready is its replacement's, which keeps backing off.
            if let failedAt = slots[worker.id.slot].setbacks.failedAt, failedAt > readyAt { return }
            slots[worker.id.slot].setbacks.failures = 0
            slots[worker.id.slot].setbacks.notBefore = nil
        }
    }

    mutating func countFailure(
        in slot: Int, atLeast shortest: TimeSpan = .zero, at now: Instant
    ) {
        // A worker that started after the earlier failures and became stable resets them, also if
        // its replacement fails and not the worker itself.
        if let incumbent = slots[slot].incumbent, let readyAt = incumbent.readyAt,
            let failedAt = slots[slot].setbacks.failedAt, readyAt >= failedAt,
            incumbent.isStable(at: now, after: policy.stableAfter)
        {
            slots[slot].setbacks.failures = 0
        }
        slots[slot].setbacks.failedAt = now
        slots[slot].setbacks.failures += 1
        let failures = slots[slot].setbacks.failures
        let delay = failures > 1 ? max(shortest, backoffDelay(of: slot)) : .zero
        guard delay > .zero else {
            slots[slot].setbacks.notBefore = nil
            return
        }
        slots[slot].setbacks.notBefore = now + delay
        note(.backoff(pool: number, slot: slot, failures: failures, delay: delay))
    }

    /// Adds up to a quarter to the delay, so that slots that failed at the same time restart at
    /// different times.
    private func backoffDelay(of slot: Int) -> TimeSpan {
        let delay = policy.backoffDelay(failures: slots[slot].setbacks.failures)
        var jitter = Jitter(
            seed: ~seed, slot: slot, incarnation: slots[slot].lastIncarnation)
        let extra = jitter.draw(through: UInt64(max(0, delay.nanoseconds / 4)))
        return delay + TimeSpan(nanoseconds: Int64(extra))
    }
}

extension PoolPolicy {
    /// Returns `backoff` for the second failure (the first causes none), doubled for each further
    /// one up to `backoff-max`.
    func backoffDelay(failures: Int, atLeast shortest: TimeSpan = .zero) -> TimeSpan {
        var delay = max(min(backoff, backoffMax), shortest)
        for _ in 0..<min(failures - 2, 62) where delay < backoffMax {
            delay = min(delay + delay, backoffMax)
        }
        return delay
    }
}
