/// The time of memory samples. The interval is `memory-interval` while a worker may reach a cap
/// within two samples, and longer while all are far from their caps. It is half the time in which
/// the worker nearest to its cap would reach it, at twice the fastest recent growth of any worker
/// in the pool, and at least a hundredth of the cap per interval. So growth that at most doubles
/// between two samples is detected within one interval's excess. Unexpected growth, such as one
/// huge request, is detected after the longest interval.

/// The results of a pool's memory samples that determine the next one.
struct SamplingPace: Equatable, Sendable, Codable {
    private struct Distance: Equatable, Sendable, Codable {
        let distance: UInt64
        let cap: UInt64
    }

    /// The longest interval, as a multiple of `memory-interval`.
    static let longestStretch: Int64 = 5
    /// The factor on the fastest growth after each round of samples.
    private static let fading = 0.9
    /// The growth per interval that is always assumed, as a part of the cap.
    private static let leastGrowth = 0.01

    /// The fastest recent growth, in bytes per second.
    private(set) var fastestBytesPerSecond = 0.0
    /// The distance of the nearest worker in this round from its cap, and that cap.
    private var nearest: Distance?
    /// Whether a cap may be reached within the next two intervals.
    private(set) var isNear = false
    /// Whether all workers were sampled twice, so that growth would have been detected.
    private var isSure = true

    /// Records a sample of a worker; `since` is its last one and its age.
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

    /// Does the same for the sum of several workers, all of which may grow.
    mutating func learn(sum bytes: UInt64, workers: Int, cap: UInt64) {
        let distance = cap > bytes ? (cap - bytes) / UInt64(max(1, workers)) : 0
        if let known = nearest, known.distance <= distance { return }
        nearest = Distance(distance: distance, cap: cap / UInt64(max(1, workers)))
    }

    /// Returns the interval until the next round, and starts that round.
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
        guard isKept else { return sampler.endMemory() }
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

    /// Schedules the next sample of the requests.
    mutating func scheduleRequests(at now: Instant) {
        if stage == .running {
            sampler.scheduleRequests(by: policy, at: now)
        } else {
            sampler.endRequests()
        }
    }

    /// Orders the sample that is due, if any.
    mutating func expireSampling(at now: Instant) {
        var contents = sampler.takeDue(at: now)
        if contents.contains(.memory) {
            room = nil
            if wantsRoom || isElastic { contents.insert(.room) }
            scheduleSampling(at: now)
        }
        if contents.contains(.progress) { scheduleProgress(at: now) }
        if contents.contains(.requests) { scheduleRequests(at: now) }
        if !contents.isEmpty { outbox.append(.sample(pool: number, contents)) }
    }

    /// Whether the free memory may affect a decision in this round.
    private var wantsRoom: Bool {
        let mayRecycle = policy.maxRSSBytes != nil || policy.maxPoolRSSBytes != nil
        return policy.relievesPressure || mayRecycle && (sampler.pace.isNear || isTight)
    }

    /// Handles a sample. The room comes first, because it determines how a worker that exceeds its
    /// cap is replaced. Each worker has its replacement before the next one is judged.
    mutating func take(_ sample: PoolSample, mayRelieve: Bool, at now: Instant) {
        if let room = sample.room {
            takeRoom(room, mayRelieve: mayRelieve, at: now)
            settle(at: now)
        }
        if let memory = sample.memory {
            if molds.memoryBytes != sample.moldBytes { molds.memoryBytes = sample.moldBytes }
            for figure in memory {
                handle(
                    .memory(bytes: figure.bytes, isServing: figure.isServing), of: figure.id,
                    at: now)
                settle(at: now)
            }
            memoryWasSampledForScaling(at: now)
            endSampling(at: now)
            settle(at: now)
        }
        if let requests = sample.requests { judgeRequests(waiting: requests, at: now) }
        if let responses = sample.responses { judgeCanary(by: responses, at: now) }
        if let waiting = sample.waiting { judgeProgress(waiting: waiting, at: now) }
        if let load = sample.load { take(load, at: now) }
    }

    private mutating func endSampling(at now: Instant) {
        guard isSampled else { return }
        if let cap = policy.maxPoolRSSBytes {
            sampler.pace.learn(sum: memoryBytes, workers: tally.live, cap: cap)
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
    /// Whether memory affects any decision.
    var needsSampling: Bool {
        lowestCapBytes != nil || maxPoolRSSBytes != nil || relievesPressure
    }

    /// The lowest cap of a worker.
    public var lowestCapBytes: UInt64? { workerCaps.min() }

    /// Returns the lowest cap above a worker of this size, or the highest if all are below it.
    func cap(above bytes: UInt64) -> UInt64? {
        workerCaps.filter { $0 >= bytes }.min() ?? workerCaps.max()
    }

    private var workerCaps: [UInt64] {
        [warnRSSBytes, maxRSSBytes, killRSSBytes].compactMap { $0 }
    }
}
