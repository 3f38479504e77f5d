/// The storm guard of the memory caps.
///
/// A cap below a program's own size would recycle or kill its workers without end. A worker's *own
/// size* is its memory before it served any request. If that is near a cap or above it, a worker
/// that exceeds the cap while younger than `min-lifetime` raises an alarm once and is not recycled.
/// From that age on it is recycled if it *still grows*, as a leak does: its floor rose over the
/// second half of its time. A program that is merely larger than the cap has stopped growing by
/// then, and stays. A worker that became ready well below the cap and exceeded it by serving is
/// recycled immediately at any age.
///
/// Two kinds of program resemble a leak. One loads most of itself with its first requests. So after
/// eight early recycles of a pool, and then less and less often, one worker is guarded regardless
/// of its own size, to test whether it stops growing by itself. The other boots for longer than
/// `min-lifetime`. So every fourth worker of such a slot gets `backoff-max` as additional time.
///
/// The guard ends when a worker has doubled its size. Workers without listeners do not serve, so
/// only backoff limits the kills of `kill-rss`.

/// The number of consecutive workers of a pool that exceeded `max-rss` by serving while younger
/// than `min-lifetime`.
struct EarlyRecycles: Equatable, Sendable, Codable {
    /// The factor by which each further trial is less frequent.
    private static let rarity = 8

    var count = 0
    private var nextTrial = rarity

    /// Returns whether the next such worker is guarded, to test whether it stops growing.
    mutating func takeTrial() -> Bool {
        guard count >= nextTrial else { return false }
        nextTrial = nextTrial.multipliedReportingOverflow(by: EarlyRecycles.rarity).partialValue
        return true
    }
}

extension WorkerMemory {
    /// Handles a sample of this worker.
    mutating func take(_ bytes: UInt64, isServing: Bool, by worker: Worker, at now: Instant) {
        self.bytes = bytes
        measuredAt = now
        // A request in flight is counted only once it is answered, and may have allocated already.
        if ownBytes == nil || worker.requests == 0 && !isServing { ownBytes = bytes }
        if readyBytes == nil, worker.isReady { readyBytes = bytes }
    }

    /// Returns whether the worker was within a fifth of this cap, or above it, before it served any
    /// request.
    func isOwnSize(near cap: UInt64) -> Bool {
        (ownBytes ?? 0) >= cap - cap / 5
    }

    /// Returns whether the worker's memory exceeds twice its own size and twice the cap.
    fileprivate func hasOutgrown(_ cap: UInt64) -> Bool {
        isMoreThanTwice(max(cap, ownBytes ?? 0))
    }

    /// Returns whether the worker's memory exceeds twice the cap and twice its size when it became
    /// ready.
    func exceedsTwice(_ cap: UInt64) -> Bool { isMoreThanTwice(max(cap, readyBytes ?? 0)) }

    private func isMoreThanTwice(_ size: UInt64) -> Bool {
        let bytes = bytes ?? 0
        return bytes > size && bytes - size > size
    }
}

extension Pool {
    /// One of this many workers of a slot that exceed the cap immediately gets more time.
    private static let trialEvery = 4

    /// Returns whether a worker above its soft cap may be recycled for it. Otherwise raises an
    /// alarm.
    mutating func mayRecycle(
        _ worker: inout Worker, cap: UInt64, _ name: AlarmedCap, isYoung: Bool,
        by policy: PoolPolicy, at now: Instant
    ) -> Bool {
        if !worker.memory.isAlarmed {
            guard isYoung, worker.memory.isOwnSize(near: cap) || earlyRecycles.takeTrial()
            else { return true }
            worker.memory.isAlarmed = true
            note(.memoryAlarm(worker.id, worker.facts(at: now), name, limitBytes: cap))
            return false
        }
        if worker.memory.hasOutgrown(cap) { return true }
        guard let readyAt = worker.readyAt else { return false }
        let recycles = slots[worker.id.slot].setbacks.alarmedRecycles
        let isTrial = recycles % Pool.trialEvery == Pool.trialEvery - 1
        let least = isTrial ? max(policy.minLifetime, policy.backoffMax) : policy.minLifetime
        return now - readyAt >= least && worker.memory.leak.isStillGrowing(at: now)
    }

    /// Returns whether a worker is killed for its memory. One above its hard cap that is not killed
    /// raises an alarm. A canary is always killed, because its failure affects no requests.
    mutating func isToBeKilled(_ id: WorkerID, cap: UInt64, at now: Instant) -> Bool {
        guard var worker = self[id], let bytes = worker.memoryBytes else { return false }
        guard bytes > cap else {
            self[id]?.memory.isHardAlarmed = false
            return false
        }
        let policy = policy(of: worker)
        guard policy.hasListeners, candidate?.isTrying(id) != true,
            !worker.memory.exceedsTwice(cap)
        else { return true }
        let isYoung = worker.readyAt.map { now - $0 < policy.minLifetime } ?? true
        if worker.memory.isHardAlarmed {
            return !isYoung && worker.memory.leak.isStillGrowing(at: now)
        }
        guard isYoung, worker.memory.isOwnSize(near: cap) else { return true }
        worker.memory.isHardAlarmed = true
        note(.memoryAlarm(id, worker.facts(at: now), .hard, limitBytes: cap))
        self[id] = worker
        return false
    }
}
