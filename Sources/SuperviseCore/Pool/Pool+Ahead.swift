/// Starts a replacement ahead of a request limit or a memory cap, so that a worker that boots
/// slowly and serves fast does not exceed it by much.
///
/// *Requests*: the worker notifies the master early, by the number of requests that it serves, at
/// the rate of its predecessors, while a successor boots. No clock or counter is polled for it.
///
/// *Memory*: a sample shows a worker that grows, at the rate of its own floor or of its
/// predecessors, above its cap within a boot. Not all growth continues: caches fill up and stop. A
/// replacement that was started in vain takes over nevertheless, as for a limit that is not
/// reached. But growth is not trusted again until a worker of the pool has actually reached its
/// cap. So a pool below its cap is not recycled for long.

/// The usual boot time and rates of a pool's workers.
struct Pace: Equatable, Sendable, Codable {
    /// The usual time until ready.
    var bootTime: TimeSpan?
    /// The usual rate of one worker.
    var requestsPerSecond: Double?
    /// Whether the last worker that was expected to reach its memory cap did, or any worker since.
    var believesGrowth = true

    /// The weight of a new figure against the earlier ones.
    private static let weight = 0.3

    mutating func learn(bootTime new: TimeSpan) {
        let known = bootTime ?? new
        let blend =
            Double(known.nanoseconds) * (1 - Pace.weight)
            + Double(new.nanoseconds) * Pace.weight
        bootTime = TimeSpan(nanoseconds: Int64(blend))
    }

    mutating func learn(requestsPerSecond new: Double) {
        let known = requestsPerSecond ?? new
        requestsPerSecond = known * (1 - Pace.weight) + new * Pace.weight
    }
}

extension Pool {
    /// A factor on the usual boot time, because boots vary.
    private static let bootAllowance = 1.2
    /// The longest wait of a replacement that was started early, as a multiple of the expected
    /// time.
    private static let longestWait: Int64 = 2

    mutating func learnBootTime(of worker: Worker) {
        guard !worker.isUnproven, let readyAt = worker.readyAt else { return }
        pace.learn(bootTime: readyAt - worker.startedAt)
    }

    /// A worker may report later totals after it has reported its limit.
    mutating func reachedLimit(_ worker: Worker, at now: Instant) {
        let slot = worker.id.slot
        guard slots[slot].incumbent?.id == worker.id, worker.isReady else { return }
        guard slots[slot].due?.isForeseen ?? true else { return }
        if let readyAt = worker.readyAt, now > readyAt {
            pace.learn(requestsPerSecond: Double(worker.requests) / (now - readyAt).seconds)
        }
        setDue(worker.id, .requests, at: now)
    }

    /// Returns the count at which a worker with this limit notifies the master: early enough for a
    /// boot, but not before half of its limit. Without room for a replacement beside it, an early
    /// notification would be too early.
    func notificationThreshold(before limit: UInt64?) -> UInt64? {
        guard let limit, budget.surge > 0, let bootTime = pace.bootTime,
            let rate = pace.requestsPerSecond
        else { return limit }
        let served = rate * bootTime.seconds * Pool.bootAllowance
        let ahead = served < Double(limit / 2) ? UInt64(served) : limit / 2
        return limit - ahead
    }

    mutating func startAhead(of id: WorkerID, at now: Instant) {
        guard stage == .running, let worker = self[id], let limit = worker.requestLimit,
            slots[id.slot].incumbent?.id == id, worker.isReady
        else { return }
        self[id]?.claims?.notifyThreshold = nil
        outbox.append(.setNotifyThreshold(id, requests: limit))
        guard slots[id.slot].due.map({ $0.lacksOther }) ?? true, slots[id.slot].isWanted,
            let bootTime = pace.bootTime
        else { return }
        foresee(.requests, of: worker, waiting: bootTime.times(Pool.longestWait), at: now)
    }

    /// Starts the replacement of a worker that will reach its cap within a boot, if there is room
    /// for one. The worker must have reached half of its cap, as for a request limit.
    mutating func startAhead(of worker: Worker, cap: UInt64, by policy: PoolPolicy, at now: Instant)
    {
        let slot = worker.id.slot
        guard pace.believesGrowth, let bootTime = pace.bootTime, let bytes = worker.memoryBytes,
            let first = worker.memory.leak.firstBytes, bytes > first,
            cap - bytes <= (cap - first) / 2,
            let time = (worker.growth ?? growth)?.time(toGrowBy: cap - bytes)
        else { return }
        // The next sample may be this late.
        let boot = TimeSpan(nanoseconds: Int64(bootTime.seconds * Pool.bootAllowance * 1e9))
        let lead = boot + policy.memoryInterval
        guard time <= lead, candidate?.isTrying(worker.id) != true, mayStartAhead(slot) else {
            return
        }
        let samples = policy.memoryInterval.times(Int64(policy.memorySamples))
        foresee(.memory, of: worker, waiting: lead.times(Pool.longestWait) + samples, at: now)
    }

    private mutating func foresee(
        _ cause: RecycleCause, of worker: Worker, waiting longest: TimeSpan, at now: Instant
    ) {
        let slot = worker.id.slot
        if slots[slot].due == nil {
            slots[slot].due = Slot.Due(cause: cause, since: now, aheadUntil: now + longest)
        } else {
            slots[slot].due?.other = Slot.Due.Other(cause: cause, aheadUntil: now + longest)
        }
        note(.due(worker.id, cause, worker.facts(at: now)))
    }

    private func mayStartAhead(_ slot: Int) -> Bool {
        stage == .running && slots[slot].isWanted && slots[slot].due == nil
            && slots[slot].replacement == nil && !isTight && recycles.first == nil
            && tally.live + tally.vacant < ceiling
    }
}
