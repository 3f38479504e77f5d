/// The state of an elastic pool.
///
/// The number of workers follows the load. A connection that arrives at a listener is announced
/// once, and leads to a sample. Samples follow each other while connections wait, or while the pool
/// has more than its smallest number of workers. Otherwise the next announcement is awaited, and
/// nothing wakes the master.
struct Elastic: Initial, Sendable {
    /// The bounds; nil if the number of workers is fixed.
    var bounds: WorkerBounds?
    /// The load of the last second.
    var window = LoadWindow()
    /// The load of the last `scale-down-after`.
    var demand = DemandHistory()
    /// Whether the next connection is announced.
    var isArmed = false
    /// The time of the last sample with the memory of the workers.
    var memoryAt: Instant?
    /// The memory of a typical worker when one was last measured, in bytes.
    var typicalBytes: UInt64 = 0
    /// The time at which workers were last added, or the bounds moved.
    var raisedAt: Instant?
    /// The time since which connections wait and none is accepted.
    var unservedSince: Instant?
    /// The reason for which workers were not added when they were last needed.
    var blocked: ScaleBlock?
    /// Whether the only slot was added for a canary.
    var isBorrowed = false
    /// Whether a connection was announced since then.
    var wasVisited = false
}

/// Times of elastic pools that no setting changes.
enum ScaleTimes {
    /// The time between two samples while connections wait.
    static let gap = TimeSpan.milliseconds(100)
    /// The longest time between two samples of a pool that may lose workers.
    static let longestGap = TimeSpan.seconds(1)
    /// The shortest time between two additions of workers.
    static let pause = TimeSpan.seconds(1)
    /// Memory figures younger than this are used for a decision.
    static let freshness = TimeSpan.seconds(1)
}

extension Pool {
    /// Whether the number of workers follows the load.
    public var isElastic: Bool { elastic.bounds != nil }

    /// The current bounds of the number of workers; nil if it is fixed.
    public var bounds: WorkerBounds? { elastic.bounds }

    /// The largest number of workers that the pool may have, or has.
    var mostWorkers: Int {
        elastic.bounds?.maximum ?? (stage == .idle ? policy.workers : size)
    }

    /// Whether the next connection at its listeners must be announced.
    public var awaitsConnection: Bool { elastic.isArmed }

    /// Takes the bounds from the settings.
    mutating func beginScaling(at now: Instant) {
        elastic = Elastic()
        elastic.bounds = policy.bounds
        elastic.raisedAt = now
        resumeScaling(at: now)
    }

    /// Begins to observe the load, unless the pool is parked.
    mutating func resumeScaling(at now: Instant) {
        guard isElastic, stage == .running else { return sampler.endLoad() }
        sampler.scheduleLoad(at: now)
    }

    /// Handles the announcement of a connection.
    mutating func connectionAnnounced(at now: Instant) {
        guard isElastic else { return }
        elastic.isArmed = false
        elastic.wasVisited = true
        guard stage == .running else { return }
        let earliest = elastic.window.sampledAt.map { $0 + ScaleTimes.gap } ?? now
        sampler.scheduleLoad(at: max(now, earliest), isEarlier: true)
    }

    /// Handles a sample of the load: adds or removes workers, and decides when the next sample is
    /// taken.
    mutating func take(_ load: PoolSample.Load, at now: Instant) {
        guard stage == .running, isElastic else { return }
        let ready = load.workers.map(\.id).filter { self[$0]?.isReady == true }
        elastic.window.take(load, by: policy.scaleBy, ready: ready, at: now)
        let window = elastic.window
        let last = window.entries.last
        elastic.demand.take(
            (last?.busy ?? 0) + Double(load.waiting), isActive: last?.isActive ?? false,
            over: policy.scaleDownAfter, at: now)
        if load.waiting == 0 || (last?.accepted ?? 0) > 0 {
            elastic.unservedSince = nil
        } else if elastic.unservedSince == nil {
            elastic.unservedSince = now
        }
        adjustSize(at: now)
        scheduleLoad(at: now)
    }

    /// Schedules the next sample. While no connection waits, the next one is announced.
    private mutating func scheduleLoad(at now: Instant) {
        guard let bounds = elastic.bounds else { return sampler.endLoad() }
        let part = TimeSpan(
            nanoseconds: policy.scaleDownAfter.nanoseconds / DemandHistory.parts)
        let longestGap = min(max(ScaleTimes.gap, part), ScaleTimes.longestGap)
        if elastic.window.waiting > 0 {
            return sampler.scheduleLoad(
                at: now + (tally.failing > 0 ? longestGap : ScaleTimes.gap))
        }
        if !elastic.isArmed {
            elastic.isArmed = true
            outbox.append(.awaitConnection(pool: number))
        }
        guard size > bounds.minimum || policy.scaleBy == .cpu && size > 0 else {
            return sampler.endLoad()
        }
        sampler.scheduleLoad(at: now + longestGap)
    }

    func elasticSnapshot(at now: Instant) -> ElasticSnapshot? {
        elastic.bounds.map { bounds in
            let window = elastic.window
            let isRecent = window.sampledAt.map { now - $0 < ScaleTimes.longestGap.times(2) }
            return ElasticSnapshot(
                bounds: bounds, demand: isRecent == true ? window.busy + window.meanWaiting : nil,
                blocked: elastic.blocked)
        }
    }
}

extension PoolPolicy {
    /// The bounds of the number of workers; nil if it is fixed.
    public var bounds: WorkerBounds? {
        guard hasListeners, runs == nil, let minimumWorkers else { return nil }
        return WorkerBounds(minimum: minimumWorkers, maximum: workers)
    }
}
