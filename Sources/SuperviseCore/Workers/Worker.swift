/// One incarnation of a slot: a process from its start until the last of its tree is gone.
public struct Worker: Equatable, Sendable, Codable {
    /// Where a worker stands in its life.
    public enum State: Equatable, Sendable, Codable {
        /// Its start was ordered. Exits: `booting` (exec succeeded), `retiring`, or its end.
        case starting
        /// Its program runs. Exits: `ready`, `retiring`, `outlived`, or its end.
        case booting
        /// It serves. Exits: `retiring`, `outlived`, or its end.
        case ready
        /// It was told to go, and gets SIGKILL at `killAt`. Exits: `outlived` or its end.
        case retiring(RetireCause, killAt: Instant)
        /// Its own process ended and what it left behind was told to go. Exit: its end.
        case outlived(killAt: Instant)
    }

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
    /// Until when it has to be ready.
    var bootUntil: Instant

    /// Where it stands.
    public internal(set) var state = State.starting
    /// Since when it is ready.
    public internal(set) var readyAt: Instant?
    /// The requests that it has reported, or those that were observed, or else the connections that were
    /// counted for it.
    public internal(set) var requests: UInt64 = 0
    /// What `requests` counts; nil while nothing was counted.
    public internal(set) var countSource: CountSource?

    /// What its memory was, where that is looked at.
    @Rare var memory: WorkerMemory
    /// Until when it asked not to be recycled.
    var holdUntil: Instant?
    /// Whether it asked to be replaced.
    var asksForReplacement = false
    /// When it gets SIGABRT, unless it says `WATCHDOG=1` before.
    var watchdogAt: Instant?
    /// Whether it got SIGKILL.
    var wasKilled = false
    /// When its count last moved.
    var progressAt: Instant?
    /// The number of requests at which its replacement is started; nil where it has no limit.
    var bell: UInt64?
    /// When the kernel's evidence of readiness is looked for next.
    var observeAt: Instant?
    /// How often it was looked for.
    var observations = 0
    /// What can be learnt of its readiness, apart from its word.
    var evidence = EvidenceSource.kernel
    /// Whether it said `READY=1`.
    var saidReady = false
    /// Whether it ever reported requests or sent another message of this program's own (`X_…`): such a
    /// worker finishes its requests itself. `READY=1` shows only that it runs under systemd too.
    var knowsContract = false
    /// How it is emptied, while that lasts: it was told to go, and has not got the stop-signal.
    @Rare var draining: Draining?
    /// What it does with its requests, while any of those are in flight that were at its stop-signal.
    @Rare var stopWatch: StopWatch?
    /// Whether it is ready without any evidence of it.
    public internal(set) var isUnproven = false

    init(
        id: WorkerID, generation: Int, at now: Instant, policy: PoolPolicy, jitter: inout Jitter
    ) {
        self.id = id
        self.generation = generation
        startedAt = now
        killRSSBytes = policy.killRSSBytes
        watchdogTimeout = policy.watchdogTimeout
        bootUntil = now + policy.readyTimeout
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

    /// Whether it was told to go and gets no stop-signal before its requests are served.
    public var isDraining: Bool { draining != nil }

    /// Whether a sample of its connections is awaited.
    public var awaitsSample: Bool { (draining != nil || stopWatch != nil) && sampleAt == nil }

    /// Whether it serves and was not told to go.
    public var isReady: Bool { state == .ready }

    /// Whether it has sent `WATCHDOG=1`.
    public var announcesWatchdog: Bool { watchdogAt != nil }

    /// Whether it runs or is about to, and was not told to go.
    var isBooting: Bool { state == .starting || state == .booting }

    /// Whether its own process may still live.
    var hasProcess: Bool {
        if case .outlived = state { return false }
        return true
    }

    /// Whether it has been ready for long enough to forget earlier crashes of its slot.
    func isStable(at now: Instant, after span: TimeSpan) -> Bool {
        readyAt.map { now - $0 >= span } ?? false
    }

    /// Its last figure, and how old that is.
    func lastSample(at now: Instant) -> (bytes: UInt64, span: TimeSpan)? {
        guard let bytes = memory.bytes, let measuredAt = memory.measuredAt else { return nil }
        return (bytes, now - measuredAt)
    }

    /// Its figures for a notice.
    func facts(at now: Instant) -> WorkerFacts {
        WorkerFacts(
            generation: generation, age: now - startedAt, requests: requests,
            requestLimit: requestLimit, memoryBytes: memory.largestLeavingBytes ?? memory.bytes,
            growth: growth, unit: countSource?.unit)
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

/// What can show that a worker waits on a listener: where anything can, that nothing does yet means that
/// the worker still boots.
enum EvidenceSource: Equatable, Sendable, Codable {
    /// The kernel, and a worker that waits is seen.
    case kernel
    /// The preload library alone.
    case report
    /// Nothing.
    case none
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

    /// When it gets SIGKILL, if it was told to go.
    var killAt: Instant? {
        switch state {
        case .starting, .booting, .ready: nil
        case .retiring(_, let killAt), .outlived(let killAt): killAt
        }
    }

    /// When it is old enough to be recycled; nil while it boots, since it serves nobody then.
    var lifetimeEnd: Instant? {
        guard isReady, let lifetimeLimit else { return nil }
        return startedAt + lifetimeLimit
    }
}
