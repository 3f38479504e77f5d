/// The smallest and the largest number of workers of an elastic pool.
public struct WorkerBounds: Hashable, Sendable, Codable {
    /// The smallest number, from 0.
    public var minimum: Int
    /// The largest number, at least 1.
    public var maximum: Int

    /// Creates bounds. A maximum below 1 or below the minimum is raised.
    public init(minimum: Int, maximum: Int) {
        self.minimum = max(0, minimum)
        self.maximum = max(1, self.minimum, maximum)
    }

    /// The bounds as written in a configuration: `2..8`.
    public var text: String { "\(minimum)..\(maximum)" }

    /// Returns the number of workers within the bounds that is nearest to this one.
    func clamp(_ workers: Int) -> Int { min(max(workers, minimum), maximum) }

    /// Returns the bounds with both numbers changed.
    func moved(by change: Int) -> WorkerBounds {
        WorkerBounds(minimum: minimum + change, maximum: maximum + change)
    }
}

/// The reason for which an elastic pool gets workers.
public enum ScaleCause: Hashable, Sendable, Codable {
    /// A connection waits, and the pool has no worker.
    case connection
    /// The estimated waiting time of connections exceeds `scale-up-after`.
    case waitingTime(TimeSpan)
    /// This many connections wait, and none is accepted.
    case unserved(Int)
    /// The workers use this percentage of one CPU each.
    case processorTime(percent: Int)
}

/// The reason for which an elastic pool does not get the workers that it needs.
public enum ScaleBlock: String, Hashable, Sendable, Codable, CaseIterable {
    /// Another worker would exceed `max-pool-rss`.
    case poolMemory = "max-pool-rss"
    /// Another worker would not leave enough memory below the limit of the control group, or on the
    /// machine.
    case memoryLimit = "memory-limit"
    /// The pool has the largest number of workers.
    case maximum = "workers"
}

/// An occurrence that concerns the number of workers of an elastic pool.
public enum ScaleNotice: Equatable, Sendable {
    /// The pool gets workers.
    case up(pool: Int, from: Int, to: Int, ScaleCause)
    /// The pool loses workers, because fewer would have sufficed.
    case down(pool: Int, from: Int, to: Int)
    /// The pool needs this number of workers and does not get them. `workerBytes` is the memory of
    /// a worker.
    case blocked(pool: Int, workers: Int, needed: Int, ScaleBlock, workerBytes: UInt64)
    /// An operator moved the bounds.
    case bounds(pool: Int, from: WorkerBounds, to: WorkerBounds)
}

/// Counters of an elastic pool.
public struct ScaleHistory: Equatable, Sendable, Codable {
    /// The number of times that workers were added.
    public internal(set) var ups: UInt64 = 0
    /// The number of times that workers were removed.
    public internal(set) var downs: UInt64 = 0
    /// The number of times that workers were needed and not added.
    public internal(set) var blocks: UInt64 = 0
}

/// The number of workers of an elastic pool at one moment.
public struct ElasticSnapshot: Equatable, Sendable {
    /// The current bounds.
    public var bounds: WorkerBounds
    /// The number of workers that would have sufficed for the load of the last second; nil without
    /// a recent sample.
    public var demand: Double?
    /// The reason for which it does not get the workers that it needs.
    public var blocked: ScaleBlock?
}
