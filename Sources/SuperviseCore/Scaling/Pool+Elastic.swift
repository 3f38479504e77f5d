/// Decides the number of workers of an elastic pool.
///
/// *Up*: the kernel reports the length of the queue, not the age of the connections there, and a
/// healthy pool often has a queue for a moment. So the waiting time is estimated for the last
/// second. The load of that second determines the number of workers. Booting workers count, because
/// the queue that grows while they boot is no reason for even more.
///
/// *Down*: the number falls by one worker at a time. After workers were added, none is removed for
/// `scale-down-after`, so the number does not oscillate.

extension Pool {
    /// The part of the time for which a worker may be busy in a pool that is large enough.
    private static let utilization = 0.75
    /// The part of one CPU above which workers are added with `scale-by = cpu`.
    private static let busyProcessor = 0.8

    /// A number of workers that the load needs.
    private struct Need {
        var workers: Int
        var cause: ScaleCause
    }

    mutating func adjustSize(at now: Instant) {
        guard let bounds = elastic.bounds else { return }
        if let need = need(at: now) {
            guard size < bounds.maximum else {
                // The largest pool may need a while for the connections that waited before.
                if elastic.window.growth < 0 { return }
                return block(by: .maximum, need, workerBytes: elastic.typicalBytes)
            }
            scaleUp(to: need, within: bounds, at: now)
        } else {
            if elastic.window.waiting == 0 { elastic.blocked = nil }
            if maySpareWorker(at: now) { scaleDown(at: now) }
        }
    }

    /// Returns the number of workers that the load needs; nil if it does not need more.
    private func need(at now: Instant) -> Need? {
        let window = elastic.window
        guard size > 0 else {
            return window.waiting > 0 ? Need(workers: 1, cause: .connection) : nil
        }
        // A pool that cannot boot its workers gets no more of them.
        guard tally.failing == 0 else { return nil }
        if let since = elastic.unservedSince, !isBooting {
            // One at a time: what was accepted in the last second no longer matters.
            if now - since >= policy.scaleUpAfter, window.accepted == 0 || !window.countsAccepted {
                return Need(workers: size + 1, cause: .unserved(window.waiting))
            }
        }
        if let raisedAt = elastic.raisedAt, now - raisedAt < ScaleTimes.pause,
            history.scaling.ups > 0
        {
            return nil
        }
        if window.waiting > 0, let waited = window.waitingTime, waited > policy.scaleUpAfter {
            let workers = workersForQueue(window)
            if workers > size { return Need(workers: workers, cause: .waitingTime(waited)) }
        }
        return needForProcessors(window)
    }

    /// Whether a worker of the pool is not ready yet.
    private var isBooting: Bool { tally.covered < expected }

    /// Returns the number of workers that would have accepted the connections of the last second.
    private func workersForQueue(_ window: LoadWindow) -> Int {
        let ready = Double(max(1, tally.covered))
        let arrived = isBooting ? max(0, window.growth) : window.waiting
        let needed = ready * (1 + Double(arrived) / Double(max(1, window.accepted)))
        return Int(min(needed.rounded(.up), 1e6))
    }

    private func needForProcessors(_ window: LoadWindow) -> Need? {
        guard policy.scaleBy == .cpu, !isBooting, tally.covered > 0,
            window.coverage >= ScaleTimes.gap
        else { return nil }
        let part = window.busy / Double(tally.covered)
        guard part > Pool.busyProcessor else { return nil }
        let needed = (window.busy / Pool.busyProcessor).rounded(.up)
        return Need(
            workers: max(size + 1, Int(min(needed, 1e6))),
            cause: .processorTime(percent: Int(min(part * 100, 1e6))))
    }

    private mutating func scaleUp(to need: Need, within bounds: WorkerBounds, at now: Instant) {
        let wanted = min(need.workers, max(1, 2 * size), bounds.maximum)
        guard hasFreshMemory(at: now) else { return }
        // The first worker starts in any case: without it nothing is served.
        let (room, block) = size == 0 ? (1, nil) : workersThatFit(at: now)
        let added = min(wanted - size, room)
        if let block, room < wanted - size {
            self.block(by: block, need, workerBytes: elastic.typicalBytes)
        } else {
            elastic.blocked = nil
        }
        guard added > 0 else { return }
        elastic.raisedAt = now
        elastic.unservedSince = nil
        history.scaling.ups += 1
        note(.scale(.up(pool: number, from: size, to: size + added, need.cause)))
        setSize(size + added, at: now)
    }

    private mutating func block(by block: ScaleBlock, _ need: Need, workerBytes: UInt64) {
        guard elastic.blocked != block else { return }
        elastic.blocked = block
        history.scaling.blocks += 1
        note(
            .scale(
                .blocked(
                    pool: number, workers: size, needed: need.workers, block,
                    workerBytes: workerBytes)))
    }

    /// Returns whether the memory was sampled recently. Otherwise requests a sample, which leads to
    /// the decision.
    private mutating func hasFreshMemory(at now: Instant) -> Bool {
        if let memoryAt = elastic.memoryAt, now - memoryAt < ScaleTimes.freshness { return true }
        outbox.append(.sample(pool: number, [.memory, .room, .load]))
        return false
    }

    /// Records that the memory of the workers was sampled, before the load.
    mutating func memoryWasSampledForScaling(at now: Instant) {
        guard isElastic else { return }
        elastic.memoryAt = now
        let typical = typicalMemory
        if typical > 0 {
            elastic.typicalBytes = typical
        } else {
            let largest = slots.compactMap { $0.incumbent?.memoryBytes }.max() ?? 0
            elastic.typicalBytes = max(elastic.typicalBytes, largest)
        }
    }

    /// Handles a worker that has become ready: it has its memory now, and accepts connections.
    mutating func readyWorkerChangesLoad() {
        guard isElastic else { return }
        elastic.memoryAt = nil
        elastic.unservedSince = nil
    }

    /// Returns the number of additional workers that fit into memory, and what limits it. Workers
    /// that boot will grow to the typical size.
    private func workersThatFit(at now: Instant) -> (count: Int, ScaleBlock?) {
        let typical = elastic.typicalBytes
        guard typical > 0 else { return (1, nil) }
        var pending: UInt64 = 0
        for slot in slots where slot.isWanted && slot.incumbent?.isReady != true {
            let known = slot.incumbent?.memoryBytes ?? 0
            pending += known < typical ? typical - known : 0
        }
        var fitting = Int.max
        var block: ScaleBlock?
        func consider(_ free: UInt64, less reserved: UInt64, _ name: ScaleBlock) {
            let count = Int(clamping: (free > reserved ? free - reserved : 0) / typical)
            if count < fitting { (fitting, block) = (count, name) }
        }
        if let cap = policy.maxPoolRSSBytes {
            consider(cap > memoryBytes ? cap - memoryBytes : 0, less: pending, .poolMemory)
        }
        if let room {
            // A replacement must still fit beside the worker that it replaces.
            let pressure = policy.relievesPressure ? room.limitBytes / 10 : 0
            consider(room.freeBytes, less: pending + max(typical, pressure), .memoryLimit)
        }
        return (fitting, block)
    }

    /// Returns whether fewer workers would have sufficed for `scale-down-after`. Nothing else may
    /// be in progress.
    private func maySpareWorker(at now: Instant) -> Bool {
        guard let bounds = elastic.bounds, size > bounds.minimum, candidate == nil,
            !isRollingOut, elastic.window.waiting == 0,
            now - (elastic.raisedAt ?? now) >= policy.scaleDownAfter,
            !slots.contains(where: { $0.isLosingWorker })
        else { return false }
        if size == 1 { return elastic.demand.isIdle }
        let window = elastic.window
        let demand = max(elastic.demand.peak, window.busy + window.meanWaiting)
        return demand <= Pool.utilization * Double(size - 1)
    }

    private mutating func scaleDown(at now: Instant) {
        guard hasFreshMemory(at: now) else { return }
        history.scaling.downs += 1
        note(.scale(.down(pool: number, from: size, to: size - 1)))
        setSize(size - 1, at: now)
    }
}

extension Slot {
    /// Whether its worker was removed and has not ended.
    fileprivate var isLosingWorker: Bool {
        leaving.contains { $0.retirement?.cause == .scaledDown || !isWanted && !$0.hasProcess }
    }
}
