/// The growth of a worker's memory, from its samples since it became ready.
///
/// Memory rises and falls: garbage collectors produce a sawtooth, a new worker fills its caches,
/// single requests allocate a lot and release it. A leak raises the *floor*. So the time since
/// ready is divided into at most sixteen equal spans, each of which keeps its lowest sample. When
/// all are used, each pair of neighbours is merged and keeps the lower sample, and spans are twice
/// as long from then on. The estimate is the median of the slopes between every two floors (Theil,
/// 1950; Sen, 1968), which tolerates up to 29 % of outliers: the floors of a warm-up soon are fewer
/// than that. Sixteen floors need half a kilobyte per worker, however long it runs.
public struct LeakEstimate: Equatable, Sendable, Codable {
    /// The lowest sample of a span.
    private struct Floor: Equatable, Sendable, Codable {
        /// The span's number since the first sample.
        var span: Int64
        var at: Instant
        var bytes: UInt64
        var requests: UInt64
    }

    /// The maximum number of spans.
    static let capacity = 16
    /// The minimum number of closed spans for an estimate.
    static let leastFloors = 5
    /// Growth by less than this part does not count.
    private static let noticeable: UInt64 = 20

    private var floors: [Floor] = []
    private var beganAt = Instant(nanoseconds: 0)
    private var spanNanoseconds: Int64 = 0
    /// The growth over all closed spans; nil while there are too few.
    public private(set) var growth: MemoryGrowth?

    /// Whether there is no sample yet.
    var isEmpty: Bool { floors.isEmpty }
    /// The size at the first samples.
    var firstBytes: UInt64? { floors.first?.bytes }

    /// Adds a sample. Returns whether there is a new estimate. `interval` is the usual interval
    /// between samples.
    mutating func add(
        _ bytes: UInt64, requests: UInt64, at now: Instant, interval: TimeSpan
    ) -> Bool {
        if floors.isEmpty {
            beganAt = now
            spanNanoseconds = max(1, interval.nanoseconds)
        }
        let floor = Floor(span: span(at: now), at: now, bytes: bytes, requests: requests)
        guard let last = floors.last, last.span < floor.span else {
            keepLower(floor)
            return false
        }
        growth = estimate()
        floors.append(floor)
        while floors.count > LeakEstimate.capacity { joinNeighbours() }
        return growth != nil
    }

    /// Returns whether the floor rose over the second half of the time since the first sample.
    func isStillGrowing(at now: Instant) -> Bool {
        let half = TimeSpan(nanoseconds: (now - beganAt).nanoseconds / 2)
        guard let last = floors.last,
            let before = floors.last(where: { $0.at - beganAt <= half }) ?? floors.first
        else { return false }
        return last.bytes > before.bytes + before.bytes / LeakEstimate.noticeable
    }

    private func span(at now: Instant) -> Int64 { (now - beganAt).nanoseconds / spanNanoseconds }

    private mutating func keepLower(_ floor: Floor) {
        guard let last = floors.last else {
            floors.append(floor)
            return
        }
        if floor.bytes < last.bytes { floors[floors.count - 1] = floor }
    }

    private mutating func joinNeighbours() {
        spanNanoseconds = spanNanoseconds.multipliedReportingOverflow(by: 2).partialValue
        var joined: [Floor] = []
        for floor in floors {
            var floor = floor
            floor.span /= 2
            if let last = joined.last, last.span == floor.span {
                if floor.bytes < last.bytes { joined[joined.count - 1] = floor }
            } else {
                joined.append(floor)
            }
        }
        floors = joined
    }

    private func estimate() -> MemoryGrowth? {
        guard floors.count >= LeakEstimate.leastFloors else { return nil }
        var perSecond: [Double] = []
        var perRequest: [Double] = []
        for (index, later) in floors.enumerated() {
            for earlier in floors[..<index] {
                let bytes = Double(later.bytes) - Double(earlier.bytes)
                perSecond.append(bytes / (later.at - earlier.at).seconds)
                guard later.requests > earlier.requests else { continue }
                perRequest.append(bytes / Double(later.requests - earlier.requests))
            }
        }
        return MemoryGrowth(
            bytesPerSecond: perSecond.median ?? 0,
            // A few requests per many samples are not significant.
            bytesPerRequest: perRequest.count * 2 >= perSecond.count ? perRequest.median : nil)
    }
}

/// The growth rate of memory; negative if it shrinks.
public struct MemoryGrowth: Equatable, Sendable, Codable {
    /// The growth in bytes per second.
    public var bytesPerSecond: Double
    /// The growth in bytes per request; nil if none or too few are counted.
    public var bytesPerRequest: Double?

    /// The growth in bytes per hour.
    public var bytesPerHour: Int64 { Int64(clampingDouble: bytesPerSecond * 3600) }

    /// Returns the time to grow by this many bytes; nil if it never does.
    public func time(toGrowBy bytes: UInt64) -> TimeSpan? {
        // Less than a byte in a thousand seconds is noise.
        guard bytesPerSecond > 0.001 else { return nil }
        return TimeSpan(nanoseconds: Int64(clampingDouble: Double(bytes) / bytesPerSecond * 1e9))
    }
}

/// The growth of the last workers of a pool, each with the estimate at its end.
struct GrowthHistory: Equatable, Sendable, Codable {
    private static let capacity = 9
    private var ends: [MemoryGrowth] = []

    mutating func learn(_ growth: MemoryGrowth) {
        if ends.count == GrowthHistory.capacity { ends.removeFirst() }
        ends.append(growth)
    }

    /// The median of each figure.
    var usual: MemoryGrowth? {
        guard let perSecond = ends.map(\.bytesPerSecond).median else { return nil }
        return MemoryGrowth(
            bytesPerSecond: perSecond, bytesPerRequest: ends.compactMap(\.bytesPerRequest).median)
    }
}

extension [Double] {
    /// The middle element, or the mean of the two middle elements.
    fileprivate var median: Double? {
        guard !isEmpty else { return nil }
        let ordered = sorted()
        let middle = count / 2
        return count % 2 == 1 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2
    }
}

extension Int64 {
    fileprivate init(clampingDouble value: Double) {
        self = value >= 9.2e18 ? .max : value <= -9.2e18 ? .min : Int64(value)
    }
}
