import SuperviseCore

/// Invariants of due workers: when the replacement begins, and what may postpone it.
extension Invariant {
    /// The number of boot times that the machine waits for an expected limit.
    private static let longestWaitInBoots: Int64 = 2

    @Sendable static func thresholdIsRewritten(_ ledger: Ledger, _ action: Service.Action)
        -> String?
    {
        guard case .perform(.setNotifyThreshold(let id, let requests)) = action else { return nil }
        guard let worker = ledger.worker(id), worker.serves,
            let notifyThreshold = worker.notifyThreshold,
            worker.requests >= notifyThreshold
        else { return "\(id) has not notified the master" }
        return requests == worker.requestLimit
            ? nil : "\(id) is to notify the master at \(requests)"
    }

    /// A worker that notified the master ahead of its limit is due, and notifies it again at the
    /// limit.
    @Sendable static func notificationLeadsToRecycle(_ ledger: Ledger, _ service: Service)
        -> String?
    {
        ledger.firstIncumbent { _, worker, _ in
            if worker.notifiedAt != nil, worker.due == nil {
                return "\(worker.id) notified the master and is not due"
            }
            guard let notifyThreshold = worker.notifyThreshold, let limit = worker.requestLimit,
                notifyThreshold < limit,
                worker.requests >= notifyThreshold, worker.requests < limit
            else { return nil }
            return "\(worker.id) notified the master, and would not at its limit"
        }
    }

    @Sendable static func earlyThresholdNeedsSurge(
        _ ledger: Ledger, _ id: WorkerID, _ order: StartOrder
    ) -> String? {
        let isEarly = order.notifyThreshold != order.requestLimit
        guard isEarly, ledger.pools[id.pool].budget.surge == 0 else { return nil }
        return "\(id) is to notify the master before its limit, but nobody could start beside it"
    }

    /// An expected limit may be abandoned if it was not reached within two boot times.
    @Sendable static func limitIsServedOut(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, .recycle(.requests), _) = notice,
            let worker = ledger.worker(id), !worker.hasReachedLimit
        else { return nil }
        guard let notifiedAt = worker.notifiedAt,
            let boot = ledger.pools[id.pool].bootTimes?.lowerBound
        else { return "\(id) stops before its limit, and did not notify the master" }
        // Except for rounding, the mean of boot times is never below the shortest.
        let least = TimeSpan(nanoseconds: boot.nanoseconds * longestWaitInBoots - 1_000)
        return ledger.now - notifiedAt >= least ? nil : "\(id) goes before its limit"
    }

    /// Does the same for an expected cap.
    @Sendable static func capIsServedOut(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, .recycle(.memory), _) = notice,
            let worker = ledger.worker(id), let ahead = worker.aheadOfCap,
            !ledger.hasReachedCap(worker)
        else { return nil }
        guard let boot = ledger.pools[id.pool].bootTimes?.lowerBound else {
            return "\(id) goes before its cap, and nobody has booted"
        }
        let least = TimeSpan(nanoseconds: boot.nanoseconds * longestWaitInBoots)
        return ledger.now - ahead.lowerBound >= least ? nil : "\(id) goes before its cap"
    }

    /// A ready successor takes over, unless the worker may stay for a while.
    @Sendable static func successorTakesOver(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.firstIncumbent { pool, worker, replacement in
            guard let replacement, replacement.serves, replacement.id != pool.canary,
                !ledger.mayStay(worker)
            else { return nil }
            return "\(replacement.id) is ready and \(worker.id) stays"
        }
    }

    /// A due worker gets a successor as soon as there is room, or stops if its slot may be missing.
    @Sendable static func dueIsReplaced(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.firstIncumbent { pool, worker, replacement in
            let slot = pool.slots[worker.id.slot]
            guard worker.due != nil, replacement == nil, worker.id != pool.canary,
                !ledger.mayAwaitMold(worker.id.pool),
                !ledger.holds(worker), !worker.mayBeInspected(at: ledger.now),
                !pool.isShortOfMemory,
                slot.notBefore.map({ $0 <= ledger.now }) ?? true
            else { return nil }
            if pool.live + pool.vacant < pool.expected + pool.budget.surge {
                return "\(worker.id) is due and there is room for another"
            }
            // Memory comes first, and the evidence of a worker before the others in the queue.
            let isWhole =
                pool.covered == pool.wanted && !pool.isDueForMemory
                && !pool.isInspected(at: ledger.now)
            if isWhole, pool.budget.unavailable > 0, !ledger.isAhead(worker), pool.trial == nil {
                return "\(worker.id) is due and may be missing"
            }
            return nil
        }
    }

    /// All pools wait for a canary, so it takes the first available slot.
    @Sendable static func canaryDoesNotWait(_ ledger: Ledger, _ service: Service) -> String? {
        guard ledger.trial != nil else { return nil }
        for (number, pool) in ledger.pools.enumerated() where pool.stage == .running {
            guard pool.trial != nil, pool.canary == nil, !pool.hadNoWorker, !pool.isShortOfMemory,
                !ledger.mayAwaitMold(number)
            else { continue }
            let most = pool.expected + pool.budget.surge
            let mayBeAlone = pool.budget.surge == 0 && pool.vacant > 0 && pool.live < most
            let mayBeBeside =
                pool.live + pool.vacant < most
                && pool.slots.contains { slot in
                    let pair = slot.pair(canary: nil)
                    return pair.incumbent?.serves == true && pair.replacement == nil
                }
            if mayBeAlone || mayBeBeside { return "the canary of pool \(number) has a place" }
        }
        return nil
    }
}

extension Ledger.Pool {
    fileprivate var isDueForMemory: Bool {
        slots.contains { $0.workers.contains { $0.isKept && $0.due?.cause.isOfMemory == true } }
    }

    /// Whether evidence of a due worker is being gathered.
    fileprivate func isInspected(at now: Instant) -> Bool {
        slots.contains {
            $0.workers.contains { $0.isKept && $0.due != nil && $0.mayBeInspected(at: now) }
        }
    }

    /// Slots that wait for a worker.
    fileprivate var vacant: Int {
        wanted - filled - slots.count { $0.isDone || $0.awaited != nil }
    }

    /// Whether a worker that is due for memory must be gone before any worker starts.
    fileprivate var isShortOfMemory: Bool { isTight && isDueForMemory }
}

extension Ledger {
    /// Returns whether the worker postpones its recycling: it requested that, within the allowed
    /// time, or it alone has a listener on which a connection waits.
    func holds(_ worker: Worker) -> Bool {
        if let closing = pools[worker.id.pool].closing, worker.generation < closing.generation,
            !closing.isEmpty, closing.killAt != nil || now < closing.until
        {
            return true
        }
        guard let hold = worker.holdUntil, let since = worker.due?.since else { return false }
        return now < min(hold, since + pools[worker.id.pool].policy.maxHold)
    }

    /// Returns whether the worker is due only because of an expected limit or cap.
    func isAhead(_ worker: Worker) -> Bool { isAheadOfLimit(worker) || isAheadOfCap(worker) }

    private func isAheadOfCap(_ worker: Worker) -> Bool {
        guard let ahead = worker.aheadOfCap, worker.due?.cause == .memory else { return false }
        return !hasReachedCap(worker) && now <= ahead.upperBound
    }

    /// Returns two boots and sample intervals, a fifth more for variation, and as many intervals as
    /// required samples.
    func longestWaitForCap(of worker: Worker) -> TimeSpan {
        let policy = policy(of: worker)
        let boot = pools[worker.id.pool].bootTimes?.upperBound ?? .zero
        let looks = Int64(policy.memorySamples + 2)
        return TimeSpan(
            nanoseconds: boot.nanoseconds * 12 / 5 + policy.memoryInterval.nanoseconds * looks)
    }

    /// Returns whether a serving worker exceeded `max-rss` in enough samples, and was old enough.
    func hasReachedCap(_ worker: Worker) -> Bool {
        let policy = policy(of: worker)
        guard let cap = softCap(of: worker) else { return false }
        return worker.samplesOver >= policy.memorySamples && worker.alarmedAt == nil
            && (!isYoung(worker) || !worker.isOwnSize(near: cap))
    }

    /// Returns whether a worker may get a replacement before it exceeds this cap: there is room, it
    /// has reached half of the way, and at the fastest growth of any worker it reaches the cap
    /// within a boot.
    func mayReachCap(_ worker: Worker, _ cap: UInt64) -> Bool {
        let pool = pools[worker.id.pool]
        guard let bytes = worker.memory, let first = worker.leastMemory, bytes > first,
            cap - bytes <= (cap - first) / 2, let boot = pool.bootTimes?.upperBound
        else { return false }
        let lead = boot.seconds * 1.21 + policy(of: worker).memoryInterval.seconds
        return pool.budget.surge > 0 && !pool.isTight && !pool.wasMisledByGrowth
            && pool.live < pool.expected + pool.budget.surge
            && Double(cap - bytes) <= pool.steepestGrowth * lead
    }

    private func isAheadOfLimit(_ worker: Worker) -> Bool {
        guard let notifiedAt = worker.notifiedAt, worker.due?.cause == .requests,
            !worker.hasReachedLimit,
            let boot = pools[worker.id.pool].bootTimes?.upperBound
        else { return false }
        return now - notifiedAt <= boot + boot
    }

    /// Returns whether the worker may stay although its successor is ready.
    func mayStay(_ worker: Worker) -> Bool {
        holds(worker) || isAhead(worker) || worker.mayBeInspected(at: now)
    }

    /// Returns the first violation by a worker that serves in a running pool, given its successor.
    func firstIncumbent(_ complaint: (Pool, Worker, Worker?) -> String?) -> String? {
        for pool in pools where pool.stage == .running {
            for slot in pool.slots.indices {
                let places = pool.slots[slot].places(canary: pool.canary)
                guard let place = places.incumbent, pool.slots[slot].workers[place].serves
                else { continue }
                let replacement = places.replacement.map { pool.slots[slot].workers[$0] }
                if let text = complaint(pool, pool.slots[slot].workers[place], replacement) {
                    return text
                }
            }
        }
        return nil
    }
}

extension Ledger.Worker {
    /// Returns whether evidence of the worker may still be gathered: by the command, or by the
    /// signal after a command that has ended.
    func mayBeInspected(at now: Instant) -> Bool {
        guard let evidenceSince else { return false }
        return now - evidenceSince < (isGathering ? evidenceTime : .seconds(2))
    }
}
