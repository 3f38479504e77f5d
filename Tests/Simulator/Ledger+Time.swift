import SuperviseCore

/// Time and the workers' obligations, as an observer counts them: what a worker must send, what it
/// may request, whether it makes progress, and the time during which nothing ran.
extension Ledger {
    mutating func watchdogHeard(of worker: Worker) {
        guard worker.isKept, let timeout = worker.watchdogTimeout else { return }
        let at = now + timeout
        change(worker.id) { $0.watchdogAt = at }
    }

    /// Extends the current deadline of the worker by this time. It has no effect on a worker that
    /// is being killed.
    mutating func extended(_ worker: Worker, by span: TimeSpan) {
        let now = now
        if worker.isKept {
            change(worker.id) {
                if $0.readyAt == nil {
                    $0.readyBy = max($0.readyBy, now + span)
                } else {
                    $0.watchdogAt = $0.watchdogAt.map { max($0, now + span) }
                }
            }
        } else if let retirement = worker.retirement, retirement.cause.isGraceful,
            !worker.hasExited,
            !worker.isKilled, !pools[worker.id.pool].isHurried,
            let killAt = worker.killAt, killAt > now
        {
            change(worker.id) { $0.killAt = max(killAt, now + span) }
        }
    }

    /// Postpones all deadlines by this time, during which nothing ran.
    mutating func lost(_ span: TimeSpan) {
        signalledAt = signalledAt.mapValues { $0 + span }
        lostByMolds(span)
        for pool in pools.indices {
            pools[pool].queueWaitsSince = pools[pool].queueWaitsSince.mapValues { $0 + span }
            pools[pool].closing?.shift(by: span)
            if pools[pool].policy.requestTimeout != nil { pools[pool].resumedAt = now }
            for slot in pools[pool].slots.indices {
                for place in pools[pool].slots[slot].workers.indices {
                    pools[pool].slots[slot].workers[place].shift(by: span)
                }
            }
        }
    }

    mutating func queueSeen(inPool number: Int, _ generations: [Int]) {
        guard pools.indices.contains(number) else { return }
        let known = pools[number].queueWaitsSince
        pools[number].queueWaitsSince = [:]
        guard !generations.isEmpty, pools[number].watchesQueue else { return }
        for generation in generations {
            pools[number].queueWaitsSince[generation] = known[generation] ?? now
        }
        owesJudgement = number
    }

    /// Updates the count of the worker.
    mutating func count(by worker: Worker, _ count: (inout Worker) -> Void) {
        let now = now
        var hasMoved = false
        change(worker.id) {
            count(&$0)
            hasMoved =
                $0.requests > worker.requests || $0.hasReported != worker.hasReported
                || $0.isObserved != worker.isObserved
            guard $0.isKept, hasMoved else { return }
            $0.progressAt = now
            if let limit = $0.requestLimit, $0.requests >= limit { $0.hasReachedLimit = true }
        }
        if hasMoved, worker.isKept { pools[worker.id.pool].hasCounted = true }
    }

    mutating func becameReady(_ id: WorkerID) {
        guard let worker = worker(id) else { return }
        let now = now
        change(id) {
            $0.readyAt = now
            $0.progressAt = now
        }
        let boot = now - worker.startedAt
        let known = pools[id.pool].bootTimes ?? boot...boot
        pools[id.pool].bootTimes = min(known.lowerBound, boot)...max(known.upperBound, boot)
    }

    /// Returns whether the worker made no progress while connections waited, for long enough to
    /// count as hung. A worker that sends `WATCHDOG=1` is exempt.
    func isStalled(_ worker: Worker) -> Bool {
        let pool = pools[worker.id.pool]
        guard let timeout = pool.policy.stallTimeout,
            let since = pool.queueWaitsSince[worker.generation],
            let progressAt = worker.progressAt
        else { return false }
        return worker.serves && worker.watchdogAt == nil && pool.hasCounted
            && now - since >= timeout && now - progressAt >= timeout
    }
}

extension Ledger.Pool {
    /// Whether the queue is polled.
    var watchesQueue: Bool {
        stage == .running && policy.hasListeners && policy.stallTimeout != nil
    }

    /// Whether it stops in a mode faster than graceful.
    fileprivate var isHurried: Bool {
        switch stage {
        case .stopping(.quick), .stopping(.immediate): true
        case .stopping(.graceful), .running, .parked, .ended: false
        }
    }
}

extension Ledger.Worker {
    fileprivate mutating func shift(by span: TimeSpan) {
        killAt = killAt.map { $0 + span }
        draining?.shift(by: span)
        guard isKept else { return }
        watchdogAt = watchdogAt.map { $0 + span }
        progressAt = progressAt.map { $0 + span }
        if readyAt == nil { readyBy = readyBy + span }
    }

    mutating func observe(_ total: UInt64) {
        guard !hasReported, total > 0 else { return }
        requests = isObserved ? max(requests, total) : total
        isObserved = true
    }

    mutating func report(_ total: UInt64) {
        guard hasReported || total > 0 else { return }
        hasReported = true
        requests = total
    }
}

extension RetireCause {
    /// Returns whether the worker has the graceful timeout, and may extend it.
    fileprivate var isGraceful: Bool {
        switch self {
        case .recycle, .announced, .scaledDown, .parked, .huntEnded, .stop: true
        case .bootTimeout, .killMemory, .watchdog, .stalled, .superseded: false
        }
    }
}
