extension PoolSample {
    /// The load of a pool.
    public struct Load: Equatable, Sendable {
        /// The load of one worker.
        public struct Figure: Equatable, Sendable {
            /// The worker.
            public var id: WorkerID
            /// The number of connections that it has accepted; nil if it is not visible.
            public var accepted: UInt64?
            /// The number of requests that it has served; nil if it is not visible.
            public var served: UInt64?
            /// Whether it has a request in flight; nil if that is not visible.
            public var isBusy: Bool?
            /// The CPU time of its processes so far; nil if it was not read.
            public var processorTime: TimeSpan?

            /// Creates a figure.
            public init(
                _ id: WorkerID, accepted: UInt64? = nil, served: UInt64? = nil,
                isBusy: Bool? = nil, processorTime: TimeSpan? = nil
            ) {
                self.id = id
                self.accepted = accepted
                self.served = served
                self.isBusy = isBusy
                self.processorTime = processorTime
            }
        }

        /// The number of connections that wait to be accepted.
        public var waiting: Int
        /// The workers.
        public var workers: [Figure]

        /// Creates a sample.
        public init(waiting: Int, workers: [Figure] = []) {
            self.waiting = waiting
            self.workers = workers
        }
    }
}

/// The load of a pool in the last second.
struct LoadWindow: Equatable, Sendable, Codable {
    struct Entry: Equatable, Sendable, Codable {
        var at: Instant
        /// The time for which the entry stands.
        var span: TimeSpan
        var waiting: Int
        var accepted: UInt64
        var busy: Double
        /// Whether there was any load.
        var isActive: Bool
    }

    /// The last figures of a worker, from which the next sample differs.
    private struct Known: Equatable, Sendable, Codable {
        var id: WorkerID
        var accepted: UInt64?
        var served: UInt64?
        var processorTime: TimeSpan?
    }

    /// The part of one CPU that an idle program may use.
    private static let idleProcessor = 0.02
    static let length = TimeSpan.seconds(1)
    /// The longest time for which a sample stands. Between samples that are further apart, no
    /// connection was announced, so none has waited for long.
    private static let longestSpan = TimeSpan.milliseconds(200)

    private(set) var entries: [Entry] = []
    private var known: [Known] = []
    /// Whether accepted connections are visible in any worker.
    private(set) var countsAccepted = false
    private(set) var sampledAt: Instant?

    /// Records a sample, of which only the ready workers may be busy.
    mutating func take(
        _ load: PoolSample.Load, by measure: ScaleMeasure, ready: [WorkerID], at now: Instant
    ) {
        let gap = sampledAt.map { now - $0 }
        var entry = Entry(
            at: now, span: min(gap ?? .zero, LoadWindow.longestSpan), waiting: load.waiting,
            accepted: 0, busy: 0, isActive: load.waiting > 0)
        countsAccepted = load.workers.contains { $0.accepted != nil }
        for worker in load.workers {
            let last = known.first { $0.id == worker.id }
            if let accepted = worker.accepted {
                let before = last.map { $0.accepted ?? 0 } ?? (gap == nil ? accepted : 0)
                entry.accepted += accepted > before ? accepted - before : 0
            }
            if let served = worker.served, let last, served != last.served ?? 0 {
                entry.isActive = true
            }
            guard ready.contains(worker.id) else { continue }
            if measure == .requests, let isBusy = worker.isBusy {
                entry.busy += isBusy ? 1 : 0
            } else if let gap, gap > .zero, let time = worker.processorTime,
                let before = last?.processorTime
            {
                entry.busy += max(0, (time.seconds - before.seconds) / gap.seconds)
            }
        }
        known = load.workers.map {
            Known(
                id: $0.id, accepted: $0.accepted, served: $0.served,
                processorTime: $0.processorTime)
        }
        if entry.accepted > 0 || entry.busy > LoadWindow.idleProcessor { entry.isActive = true }
        sampledAt = now
        entries.removeAll { now - $0.at >= LoadWindow.length }
        entries.append(entry)
    }

    /// The connections that wait now.
    var waiting: Int { entries.last?.waiting ?? 0 }

    /// The connections accepted in the last second.
    var accepted: UInt64 { entries.reduce(0) { $0 + $1.accepted } }

    /// The growth of the queue in the last second.
    var growth: Int { (entries.last?.waiting ?? 0) - (entries.first?.waiting ?? 0) }

    /// The mean number of busy workers while samples were taken.
    var busy: Double { mean { $0.busy } }

    /// The mean length of the queue while samples were taken.
    var meanWaiting: Double { mean { Double($0.waiting) } }

    /// The estimated waiting time of a connection: the sum of all waiting times, divided by the
    /// number of accepted connections. Nil if none was accepted.
    var waitingTime: TimeSpan? {
        let accepted = accepted
        guard accepted > 0 else { return nil }
        let waited = entries.reduce(0) { $0 + Double($1.waiting) * $1.span.seconds }
        return TimeSpan(nanoseconds: Int64(min(waited / Double(accepted), 1e6) * 1e9))
    }

    /// The time for which samples stand.
    var coverage: TimeSpan { entries.reduce(.zero) { $0 + $1.span } }

    private func mean(_ value: (Entry) -> Double) -> Double {
        let seconds = coverage.seconds
        guard seconds > 0 else { return entries.last.map(value) ?? 0 }
        return entries.reduce(0) { $0 + value($1) * $1.span.seconds } / seconds
    }
}

/// The largest number of workers that the load needed, for `scale-down-after`. The time is divided
/// into parts, and the mean of each part counts, so that one busy moment does not.
struct DemandHistory: Equatable, Sendable, Codable {
    private struct Part: Equatable, Sendable, Codable {
        var since: Instant
        var sum = 0.0
        var samples = 0
        /// Whether any connection waited or was accepted, or a worker was busy.
        var isActive = false

        var mean: Double { samples > 0 ? sum / Double(samples) : 0 }
    }

    static let parts: Int64 = 8

    private var parts: [Part] = []

    /// Records the workers that were busy, with the connections that waited.
    mutating func take(_ demand: Double, isActive: Bool, over span: TimeSpan, at now: Instant) {
        let length = TimeSpan(nanoseconds: max(1, span.nanoseconds / DemandHistory.parts))
        parts.removeAll { now - $0.since > span + length }
        if parts.last.map({ now - $0.since >= length }) ?? true { parts.append(Part(since: now)) }
        parts[parts.count - 1].sum += demand
        parts[parts.count - 1].samples += 1
        if isActive { parts[parts.count - 1].isActive = true }
    }

    /// The largest mean of a part.
    var peak: Double { parts.reduce(0) { max($0, $1.mean) } }

    /// Whether there was no load at all.
    var isIdle: Bool { !parts.contains { $0.isActive } }
}
