/// Slots whose workers keep ending too soon start the next one later and later, each slot for itself.

extension Pool {
    /// A worker without failure that lived this long is followed at once.
    static let briefLife = TimeSpan.seconds(1)

    /// A start that failed twice waits at least this long, even without backoff: it may fail in no
    /// time, and the master would do nothing else.
    static let shortestWait = TimeSpan.milliseconds(10)

    /// A worker that served at least this long before it reached its request limit is followed at once.
    /// Shorter than `briefLife`: a fast program with a small limit does nothing wrong.
    static let briefService = TimeSpan.milliseconds(100)

    mutating func startFailed(_ id: WorkerID, _ failure: StartFailure, at now: Instant) {
        note(.startFailed(id, failure))
        if let index = leavingIndex(of: id) {
            slots[id.slot].leaving.remove(at: index)
            return
        }
        self[id] = nil
        if candidate?.isTrying(id) == true {
            candidateFailed(.notStarted(failure))
            return
        }
        if !hasRun, !failure.isTransient, startImpossible == nil { startImpossible = failure }
        if !failure.isTransient {
            slots[id.slot].setbacks.bootFailures += 1
            // What an operator has to mend is not mended at once.
            slots[id.slot].setbacks.failures = max(1, slots[id.slot].setbacks.failures)
        }
        countFailure(in: id.slot, atLeast: Pool.shortestWait, at: now)
        promoteReplacement(in: id.slot, at: now)
    }

    /// Counts the end of a worker that nobody told to go. The first one after a stable time costs no
    /// delay.
    mutating func countEarlyEnd(of worker: Worker, at now: Instant) {
        if worker.isStable(at: now, after: policy.stableAfter) {
            slots[worker.id.slot].setbacks.failures = 0
        }
        countFailure(in: worker.id.slot, at: now)
    }

    /// Counts a recycle that a worker brought about itself, by asking for it or by reporting requests. A
    /// program that does so as soon as it is ready would otherwise be started without end.
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
        case .lifetime, .memory, .poolMemory, .pressure, .operator, .reload: return
        }
        // A worker that held its own recycle off has served, however early it asked.
        let isStable = worker.isStable(at: now, after: policy.stableAfter)
        if isTooSoon, !isStable {
            countFailure(in: worker.id.slot, at: now)
        } else if isStable || life >= Pool.briefLife {
            // What failed since it became ready is its replacement, and that goes on backing off.
            if let failedAt = slots[worker.id.slot].setbacks.failedAt, failedAt > readyAt { return }
            slots[worker.id.slot].setbacks.failures = 0
            slots[worker.id.slot].setbacks.notBefore = nil
        }
    }

    mutating func countFailure(
        in slot: Int, atLeast shortest: TimeSpan = .zero, at now: Instant
    ) {
        // A worker that came after the earlier failures and stayed makes them forgotten, also when
        // it is not itself that fails but its replacement.
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

    /// `backoff` for the second failure (the first costs none), doubled for each one more up to
    /// `backoff-max`; and up to a quarter on top, so that slots that fail together part.
    private func backoffDelay(of slot: Int) -> TimeSpan {
        let failures = slots[slot].setbacks.failures
        var delay = min(policy.backoff, policy.backoffMax)
        for _ in 0..<min(failures - 2, 62) where delay < policy.backoffMax {
            delay = min(delay + delay, policy.backoffMax)
        }
        var jitter = Jitter(
            seed: ~seed, slot: slot, incarnation: slots[slot].lastIncarnation)
        let extra = jitter.draw(through: UInt64(max(0, delay.nanoseconds / 4)))
        return delay + TimeSpan(nanoseconds: Int64(extra))
    }
}
