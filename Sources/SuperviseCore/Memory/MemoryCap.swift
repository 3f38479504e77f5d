/// A memory cap as configured: an amount, or a share of the memory limit.
public enum MemoryCap: Hashable, Sendable, Codable {
    /// This many bytes.
    case bytes(UInt64)
    /// This percentage of the memory limit, shared by all workers that may exist at the same time.
    case percent(Int)
}

/// The caps that are configured as percentages.
struct MemoryPercentages: Equatable, Sendable, Codable {
    var warn: Int?
    var soft: Int?
    var hard: Int?
    var pool: Int?

    var isEmpty: Bool { warn == nil && soft == nil && hard == nil && pool == nil }
}

extension PoolPolicy {
    /// `warn-rss`.
    public var warnRSS: MemoryCap? {
        get { cap(warnRSSBytes, memoryPercentages.warn) }
        set { (warnRSSBytes, memoryPercentages.warn) = parts(of: newValue) }
    }

    /// `max-rss`.
    public var maxRSS: MemoryCap? {
        get { cap(maxRSSBytes, memoryPercentages.soft) }
        set { (maxRSSBytes, memoryPercentages.soft) = parts(of: newValue) }
    }

    /// `kill-rss`.
    public var killRSS: MemoryCap? {
        get { cap(killRSSBytes, memoryPercentages.hard) }
        set { (killRSSBytes, memoryPercentages.hard) = parts(of: newValue) }
    }

    /// `max-pool-rss`.
    public var maxPoolRSS: MemoryCap? {
        get { cap(maxPoolRSSBytes, memoryPercentages.pool) }
        set { (maxPoolRSSBytes, memoryPercentages.pool) = parts(of: newValue) }
    }

    /// Whether workers are recycled to stay below the memory limit.
    var relievesPressure: Bool {
        get { memoryPressure == .auto }
        set { memoryPressure = newValue ? .auto : .off }
    }

    /// Whether any cap is a percentage.
    public var hasMemoryPercentages: Bool { !memoryPercentages.isEmpty }

    /// Whether any setting depends on the memory limit.
    public var usesMemoryLimit: Bool { hasMemoryPercentages || relievesPressure }

    /// Converts the percentages to bytes. A worker's share is that of the limit divided by this
    /// many workers. A pool's share is of the whole limit.
    public mutating func shareMemory(amongWorkers count: Int) {
        guard let limit = memoryLimitBytes, !memoryPercentages.isEmpty else { return }
        func share(_ percent: Int, among count: Int) -> UInt64 {
            let (whole, rest) = limit.quotientAndRemainder(dividingBy: 100)
            let bytes = whole * UInt64(percent) + rest * UInt64(percent) / 100
            return max(1, bytes / UInt64(max(1, count)))
        }
        if let percent = memoryPercentages.warn { warnRSSBytes = share(percent, among: count) }
        if let percent = memoryPercentages.soft { maxRSSBytes = share(percent, among: count) }
        if let percent = memoryPercentages.hard { killRSSBytes = share(percent, among: count) }
        if let percent = memoryPercentages.pool { maxPoolRSSBytes = share(percent, among: 1) }
    }

    /// Returns the number of workers of these pools that may exist at the same time, which share a
    /// percentage. A mold counts as one of them.
    public static func workersAtOnce(_ pools: [(policy: PoolPolicy, workers: Int)]) -> Int {
        pools.reduce(0) { sum, pool in
            let surge = Budget(of: pool.policy, workers: pool.workers).surge
            return sum + pool.workers + surge + (pool.policy.usesMold ? 1 : 0)
        }
    }

    private func cap(_ bytes: UInt64?, _ percent: Int?) -> MemoryCap? {
        percent.map { .percent($0) } ?? bytes.map { .bytes($0) }
    }

    private func parts(of cap: MemoryCap?) -> (UInt64?, Int?) {
        switch cap {
        case nil: (nil, nil)
        case .bytes(let bytes): (bytes, nil)
        case .percent(let percent): (nil, percent)
        }
    }
}

/// The memory that the pools share with other processes in their control group, or on the machine.
public struct MemoryRoom: Equatable, Sendable, Codable {
    /// The limit in bytes.
    public var limitBytes: UInt64
    /// The memory in use that cannot be reclaimed, in bytes: the working set.
    public var usedBytes: UInt64

    /// Creates the figures.
    public init(limitBytes: UInt64, usedBytes: UInt64) {
        self.limitBytes = limitBytes
        self.usedBytes = usedBytes
    }

    /// The remaining memory, in bytes.
    public var freeBytes: UInt64 { limitBytes > usedBytes ? limitBytes - usedBytes : 0 }

    /// Whether `memory-pressure = auto` recycles a worker: nine tenths are used.
    public var isNearLimit: Bool { usedBytes >= limitBytes / 10 * 9 }
}
