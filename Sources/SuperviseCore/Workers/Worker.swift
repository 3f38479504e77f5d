/// One incarnation of a slot: a process from its start until the last process of its tree has
/// ended.
public struct Worker: Equatable, Sendable, Codable {
    /// The identity of the worker.
    public let id: WorkerID
    /// The generation of its settings.
    public let generation: Int
    /// The time of its start order.
    public let startedAt: Instant
    /// The number of requests after which it is recycled; nil if there is none.
    public let requestLimit: UInt64?
    /// The age at which it is recycled; nil if there is none.
    let lifetimeLimit: TimeSpan?
    /// `kill-rss` when it was started; nil if there was none.
    var killRSSBytes: UInt64?
    /// The interval of `WATCHDOG=1`, once it has sent the first one. The worker gets the interval
    /// at its start, so a newer setting does not apply.
    let watchdogTimeout: TimeSpan?

    /// The state, with the data that only this state has.
    var state: State
    /// The time at which it became ready, also when it is retiring; nil if it never was.
    public internal(set) var readyAt: Instant?
    /// The requests that it has reported, else those that were observed, else its counted
    /// connections.
    public internal(set) var requests: UInt64 = 0
    /// The unit of `requests`; nil while nothing was counted.
    public internal(set) var countSource: CountSource?
    /// Its memory samples, if it is sampled.
    @Rare var memory: WorkerMemory
    /// The requests that were in flight when its process ended; nil if none was seen.
    var during: RequestsInFlight?
    /// Its requests that got no response within `request-timeout`.
    var stuck: [StuckRequest] = []
    /// The evidence that is gathered about it. It is not recycled meanwhile.
    @Rare var evidence: Evidence?

    /// The incarnation of the mold that it was forked from; nil if it was exec'd.
    public internal(set) var forkedFrom: Int?

    /// Whether it was started for a hunt. It is no part of the pool's strength.
    public internal(set) var isHunted = false

    init(
        id: WorkerID, generation: Int, at now: Instant, policy: PoolPolicy, jitter: inout Jitter
    ) {
        self.id = id
        self.generation = generation
        startedAt = now
        killRSSBytes = policy.killRSSBytes
        watchdogTimeout = policy.watchdogTimeout
        state = .starting(Boot(until: now + policy.readyTimeout))
        // Both draws are always made, so that enabling one limit does not change the other.
        let requestJitter = jitter.draw(through: policy.maxRequestsJitter)
        let lifetimeJitter = jitter.draw(
            through: UInt64(max(0, policy.maxLifetimeJitter.nanoseconds)))
        requestLimit =
            policy.maxRequests == 0
            ? nil : policy.maxRequests + min(requestJitter, .max - policy.maxRequests)
        lifetimeLimit = policy.maxLifetime.map {
            $0 + TimeSpan(nanoseconds: Int64(clamping: lifetimeJitter))
        }
    }

    /// Its last measured memory in bytes.
    public var memoryBytes: UInt64? { memory.bytes }

    /// The growth of its memory; nil while there are too few samples.
    public var growth: MemoryGrowth? { memory.leak.growth }

    /// Returns whether it has been ready for long enough to reset the earlier crashes of its slot.
    func isStable(at now: Instant, after span: TimeSpan) -> Bool {
        readyAt.map { now - $0 >= span } ?? false
    }

    /// Returns its last sample and the age of that.
    func lastSample(at now: Instant) -> (bytes: UInt64, span: TimeSpan)? {
        guard let bytes = memory.bytes, let measuredAt = memory.measuredAt else { return nil }
        return (bytes, now - measuredAt)
    }

    /// The time at which its lifetime ends; nil while it boots, because it does not serve then.
    var lifetimeEnd: Instant? {
        isReady ? runEnd : nil
    }

    /// The time at which it ends if it is a run.
    var runEnd: Instant? { lifetimeLimit.map { startedAt + $0 } }

    /// Returns its figures for a notice.
    func facts(at now: Instant) -> WorkerFacts {
        WorkerFacts(
            generation: generation, age: now - startedAt, requests: requests,
            requestLimit: requestLimit, memoryBytes: memory.largestLeavingBytes ?? memory.bytes,
            growth: growth, unit: countSource?.unit, during: during)
    }
}

/// The results of a worker's memory samples.
struct WorkerMemory: Initial, Sendable {
    /// The last sample.
    var bytes: UInt64?
    /// The time of the last sample.
    var measuredAt: Instant?
    /// The largest sample since it retired, including the one at that time: it may release memory
    /// while it ends.
    var largestLeavingBytes: UInt64?
    /// Its size when it had been ready for `min-lifetime`, without later growth.
    var settledBytes: UInt64?
    /// Its memory before it served any request: the last sample before that, or else the first one.
    var ownBytes: UInt64?
    /// The first sample since it was ready.
    var readyBytes: UInt64?
    /// The number of consecutive samples above `max-rss`.
    var samplesOver = 0
    /// Whether the storm guard spares it although it is above `max-rss`.
    var isAlarmed = false
    /// Whether the storm guard spares it although it is above `kill-rss`.
    var isHardAlarmed = false
    /// Whether it exceeded `warn-rss` and has not fallen below it again.
    var isWarned = false
    /// The estimate from the samples since it was ready.
    var leak = LeakEstimate()
}

/// The source of a worker's request count.
public enum CountSource: Hashable, Sendable, Codable {
    /// The worker itself, in requests.
    case report
    /// The preload library, in requests with an observed response.
    case observed
    /// The preload library, in accepted connections.
    case preload
}

extension CountSource {
    /// The unit of the count.
    public var unit: CountUnit {
        switch self {
        case .report, .observed: .requests
        case .preload: .connections
        }
    }

    /// The order of the sources by precision.
    fileprivate var rank: Int {
        switch self {
        case .report: 2
        case .observed: 1
        case .preload: 0
        }
    }
}

/// The unit of a count.
public enum CountUnit: String, Hashable, Sendable, Codable {
    /// Requests.
    case requests
    /// Accepted connections, each of which may carry many requests.
    case connections
}

extension Worker {
    /// Records a total. Returns whether the count changed. A more precise source replaces another
    /// one even if its total is lower, because the unit may differ.
    mutating func count(_ total: UInt64, by source: CountSource) -> Bool {
        let known = countSource?.rank ?? source.rank
        guard source.rank >= known else { return false }
        let isBetter = source.rank > known && total > 0
        guard isBetter || total > requests else { return false }
        requests = total
        countSource = source
        return true
    }
}
