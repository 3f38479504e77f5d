/// One incarnation of a slot: a process from its start until the last of its tree is gone.
public struct Worker: Equatable, Sendable, Codable {
    /// Who it is.
    public let id: WorkerID
    /// The generation of settings that it runs with.
    public let generation: Int
    /// When its start was ordered.
    public let startedAt: Instant
    /// The number of requests after which it is recycled; nil where there is none.
    public let requestLimit: UInt64?
    /// The age at which it is recycled; nil where there is none.
    let lifetimeLimit: TimeSpan?
    /// `kill-rss` when it was started; nil where there was none.
    var killRSSBytes: UInt64?
    /// How often it has to say `WATCHDOG=1`, once it has begun to. It was told so when it started, so
    /// a newer setting does not bind it.
    let watchdogTimeout: TimeSpan?

    /// Where it stands, and what belongs to that alone.
    var state: State
    /// When it became ready, also after it was told to go; nil if it never was.
    public internal(set) var readyAt: Instant?
    /// The requests that it has reported, or those that were observed, or else the connections that were
    /// counted for it.
    public internal(set) var requests: UInt64 = 0
    /// What `requests` counts; nil while nothing was counted.
    public internal(set) var countSource: CountSource?
    /// What its memory was, where that is looked at.
    @Rare var memory: WorkerMemory
    /// The requests that were in flight when its process ended; nil if none was seen.
    var during: RequestsInFlight?

    init(
        id: WorkerID, generation: Int, at now: Instant, policy: PoolPolicy, jitter: inout Jitter
    ) {
        self.id = id
        self.generation = generation
        startedAt = now
        killRSSBytes = policy.killRSSBytes
        watchdogTimeout = policy.watchdogTimeout
        state = .starting(Boot(until: now + policy.readyTimeout))
        // Both draws are always made, so that switching one limit on does not change the other.
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

    /// How its memory grows; nil while too little was seen of it.
    public var growth: MemoryGrowth? { memory.leak.growth }

    /// Whether it has been ready for long enough to forget earlier crashes of its slot.
    func isStable(at now: Instant, after span: TimeSpan) -> Bool {
        readyAt.map { now - $0 >= span } ?? false
    }

    /// Its last figure, and how old that is.
    func lastSample(at now: Instant) -> (bytes: UInt64, span: TimeSpan)? {
        guard let bytes = memory.bytes, let measuredAt = memory.measuredAt else { return nil }
        return (bytes, now - measuredAt)
    }

    /// When it is old enough to be recycled; nil while it boots, since it serves nobody then.
    var lifetimeEnd: Instant? {
        guard isReady, let lifetimeLimit else { return nil }
        return startedAt + lifetimeLimit
    }

    /// Its figures for a notice.
    func facts(at now: Instant) -> WorkerFacts {
        WorkerFacts(
            generation: generation, age: now - startedAt, requests: requests,
            requestLimit: requestLimit, memoryBytes: memory.largestLeavingBytes ?? memory.bytes,
            growth: growth, unit: countSource?.unit, during: during)
    }
}

/// What the looks at a worker's memory have shown.
struct WorkerMemory: Initial, Sendable {
    /// At the last look.
    var bytes: UInt64?
    /// When that was.
    var measuredAt: Instant?
    /// The most that it used after it was told to go, or when it was: it gives memory back on its way.
    var largestLeavingBytes: UInt64?
    /// What it used when it had been ready for `min-lifetime`: its size without what grows.
    var settledBytes: UInt64?
    /// Its memory before it served anything: the last sample until then, or else the first one.
    var ownBytes: UInt64?
    /// The first sample since it was ready.
    var readyBytes: UInt64?
    /// How many looks in a row found it over `max-rss`.
    var samplesOver = 0
    /// Whether the storm guard spares it although it is above `max-rss`.
    var isAlarmed = false
    /// The same of `kill-rss`.
    var isHardAlarmed = false
    /// Whether it was past `warn-rss`, and not below again.
    var isWarned = false
    /// What the looks since it was ready add up to.
    var leak = LeakEstimate()
}

/// The source of a worker's request count.
public enum CountSource: Hashable, Sendable, Codable {
    /// The worker itself, in requests.
    case report
    /// The preload library, in requests that it has seen responses to.
    case observed
    /// The preload library, in accepted connections.
    case preload
}

extension CountSource {
    /// What it counts.
    public var unit: CountUnit {
        switch self {
        case .report, .observed: .requests
        case .preload: .connections
        }
    }

    /// Orders the sources by how much they know.
    fileprivate var rank: Int {
        switch self {
        case .report: 2
        case .observed: 1
        case .preload: 0
        }
    }
}

/// What a count is of.
public enum CountUnit: String, Hashable, Sendable, Codable {
    /// Requests.
    case requests
    /// Accepted connections, each of which may carry many requests.
    case connections
}

extension Worker {
    /// Sets the total; returns whether the count changed. A source that knows more replaces another one
    /// even if its total is lower, since the unit may differ.
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
