/// When the workers' memory is looked at. The gap between two looks is `memory-interval` while a
/// worker may reach a cap within two of them, and longer while all are far from theirs: it is half
/// the time in which the one nearest to its cap would get there, growing twice as fast as any worker
/// of the pool did of late, and never less than a hundredth of the cap in an interval. So growth that
/// at most doubles from one look to the next is noticed within what it adds in one interval. What
/// nothing foretold, such as one huge request, waits for the longest gap.

/// What the looks at the memory of a pool have shown, as far as the next look depends on it.
struct SamplingPace: Equatable, Sendable, Codable {
    private struct Distance: Equatable, Sendable, Codable {
        let distance: UInt64
        let cap: UInt64
    }

    /// The longest gap, in intervals.
    static let longestStretch: Int64 = 5
    /// What the fastest growth counts for after another round of looks.
    private static let fading = 0.9
    /// So much of the cap in an interval is always thought possible.
    private static let leastGrowth = 0.01

    /// The fastest growth of late, in bytes a second.
    private(set) var fastestBytesPerSecond = 0.0
    /// How far the nearest worker of this round was from its cap, and that cap.
    private var nearest: Distance?
    /// Whether a cap may be reached within the next two intervals.
    private(set) var isNear = false
    /// Whether everybody was measured twice, so that growth would have shown.
    private var isSure = true

    /// A worker was measured; `since` is its last figure and how old that is.
    mutating func learn(
        _ bytes: UInt64, since last: (bytes: UInt64, span: TimeSpan)?, cap: UInt64?
    ) {
        if let last, last.span > .zero {
            let growth = Double(bytes) - Double(last.bytes)
            fastestBytesPerSecond = max(fastestBytesPerSecond, growth / last.span.seconds)
        } else {
            isSure = false
        }
        guard let cap else { return }
        let distance = cap > bytes ? cap - bytes : 0
        if let known = nearest, known.distance <= distance { return }
        nearest = Distance(distance: distance, cap: cap)
    }

    /// The same for what several workers need together, all of which may grow.
    mutating func learn(sum bytes: UInt64, workers: Int, cap: UInt64) {
        let distance = cap > bytes ? (cap - bytes) / UInt64(max(1, workers)) : 0
        if let known = nearest, known.distance <= distance { return }
        nearest = Distance(distance: distance, cap: cap / UInt64(max(1, workers)))
    }

    /// The gap until the next round, which begins to be learnt about.
    mutating func gap(atLeast interval: TimeSpan) -> TimeSpan {
        let gap = decidedGap(atLeast: interval)
        isNear = gap == interval
        nearest = nil
        isSure = true
        fastestBytesPerSecond *= SamplingPace.fading
        return gap
    }

    private func decidedGap(atLeast interval: TimeSpan) -> TimeSpan {
        let longest = interval.times(SamplingPace.longestStretch)
        guard isSure else { return interval }
        guard let nearest else { return longest }
        let least = Double(nearest.cap) * SamplingPace.leastGrowth / max(interval.seconds, 1e-9)
        let seconds = Double(nearest.distance) / (2 * max(2 * fastestBytesPerSecond, least, 1))
        guard seconds < longest.seconds else { return longest }
        return max(interval, TimeSpan(nanoseconds: Int64(seconds * 1e9)))
    }
}

extension Pool {
    /// Schedules the samples of the memory.
    mutating func scheduleSampling(at now: Instant) {
        guard stage == .running || stage == .parked else { return sampler.endMemory() }
        sampler.scheduleMemory(by: policy, at: now)
    }

    /// Schedules the next sample of the progress.
    mutating func scheduleProgress(at now: Instant) {
        if stage == .running {
            sampler.scheduleProgress(by: policy, at: now)
        } else {
            sampler.endProgress()
        }
        if sampler.progressAt == nil { queueWaits = [] }
    }

    /// Orders the sample that is due, if any.
    mutating func expireSampling(at now: Instant) {
        var contents = sampler.takeDue(at: now)
        if contents.contains(.memory) {
            room = nil
            if wantsRoom { contents.insert(.room) }
            scheduleSampling(at: now)
        }
        if contents.contains(.progress) { scheduleProgress(at: now) }
        if !contents.isEmpty { outbox.append(.sample(pool: number, contents)) }
    }

    /// Whether what is left of the memory may decide something in this round.
    private var wantsRoom: Bool {
        let mayRecycle = policy.maxRSSBytes != nil || policy.maxPoolRSSBytes != nil
        return policy.relievesPressure || mayRecycle && (sampler.pace.isNear || isTight)
    }

    /// Takes in a sample. The room comes first, since it decides how a worker that exceeds its cap is
    /// replaced. Each worker has its replacement before the next one is judged.
    mutating func take(_ sample: PoolSample, mayRelieve: Bool, at now: Instant) {
        if let room = sample.room {
            takeRoom(room, mayRelieve: mayRelieve)
            settle(at: now)
        }
        if let memory = sample.memory {
            for figure in memory {
                handle(.memory(bytes: figure.bytes), of: figure.id, at: now)
                settle(at: now)
            }
            endSampling(at: now)
            settle(at: now)
        }
        if let waiting = sample.waiting { judgeProgress(waiting: waiting, at: now) }
    }

    private mutating func endSampling(at now: Instant) {
        guard isSampled else { return }
        if let cap = policy.maxPoolRSSBytes {
            sampler.pace.learn(sum: UInt64(max(0, tally.memory)), workers: tally.live, cap: cap)
        }
        if policy.relievesPressure, let room {
            sampler.pace.learn(
                sum: room.usedBytes, workers: tally.live, cap: room.limitBytes / 10 * 9)
        }
        sampler.memoryWasSampled(by: policy, at: now)
        relieve(at: now)
    }
}

extension PoolPolicy {
    /// Whether anything is decided by the workers' memory.
    var needsSampling: Bool {
        lowestCapBytes != nil || maxPoolRSSBytes != nil || relievesPressure
    }

    /// The lowest cap of a worker.
    public var lowestCapBytes: UInt64? { workerCaps.min() }

    /// The lowest cap above a worker of this size, or the highest where all are below it.
    func cap(above bytes: UInt64) -> UInt64? {
        workerCaps.filter { $0 >= bytes }.min() ?? workerCaps.max()
    }

    private var workerCaps: [UInt64] {
        [warnRSSBytes, maxRSSBytes, killRSSBytes].compactMap { $0 }
    }
}
