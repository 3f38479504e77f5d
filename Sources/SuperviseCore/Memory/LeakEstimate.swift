/// How a worker's memory grows, from the looks that were taken at it since it became ready.
///
/// Memory goes up and down: garbage collectors let it climb and fall in teeth, a fresh worker fills its
/// caches, single requests borrow a lot and give it back. A leak is what the *floor* does. So the time
/// since ready is cut into at most sixteen equal spans, of which each keeps its lowest look; when all
/// are taken, neighbours are joined, each pair keeping the lower look, and spans are twice as long from
/// then on. The estimate is the median of the slopes between every two floors (Theil, 1950; Sen, 1968),
/// which up to 29 % of wrong points cannot mislead: the floors of a warm-up are fewer than that soon
/// enough. Sixteen floors are half a kilobyte for each worker, however long it lives.
public struct LeakEstimate: Equatable, Sendable, Codable {
    /// The lowest look of a span.
    private struct Floor: Equatable, Sendable, Codable {
        /// The span's number since the first look.
        var span: Int64
        var at: Instant
        var bytes: UInt64
        var requests: UInt64
    }

    /// The most spans.
    static let capacity = 16
    /// With fewer closed spans there is no estimate.
    static let leastFloors = 5
    /// Growth by less than this part is no growth.
    private static let noticeable: UInt64 = 20

    private var floors: [Floor] = []
    private var beganAt = Instant(nanoseconds: 0)
    private var spanNanoseconds: Int64 = 0
    /// The growth by all spans that are over; nil while they are too few.
    public private(set) var growth: MemoryGrowth?

    /// Whether nothing was seen yet.
    var isEmpty: Bool { floors.isEmpty }
    /// The size at the first looks.
    var firstBytes: UInt64? { floors.first?.bytes }

    /// Takes a look into account; whether the estimate was made anew. `interval` is the usual gap
    /// between looks.
    mutating func add(
        _ bytes: UInt64, requests: UInt64, at now: Instant, interval: TimeSpan
    ) -> Bool {
        if floors.isEmpty {
            beganAt = now
            spanNanoseconds = max(1, interval.nanoseconds)
        }
        let look = Floor(span: span(at: now), at: now, bytes: bytes, requests: requests)
        guard let last = floors.last, last.span < look.span else {
            keepLower(look)
            return false
        }
        growth = estimate()
        floors.append(look)
        while floors.count > LeakEstimate.capacity { joinNeighbours() }
        return growth != nil
    }

    /// Whether the floor rose over the second half of the time since the first look.
    func isStillGrowing(at now: Instant) -> Bool {
        let half = TimeSpan(nanoseconds: (now - beganAt).nanoseconds / 2)
        guard let last = floors.last,
            let before = floors.last(where: { $0.at - beganAt <= half }) ?? floors.first
        else { return false }
        return last.bytes > before.bytes + before.bytes / LeakEstimate.noticeable
    }

    private func span(at now: Instant) -> Int64 { (now - beganAt).nanoseconds / spanNanoseconds }

    private mutating func keepLower(_ look: Floor) {
        guard let last = floors.last else {
            floors.append(look)
            return
        }
        if look.bytes < last.bytes { floors[floors.count - 1] = look }
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
            // A few requests between many looks say nothing.
            bytesPerRequest: perRequest.count * 2 >= perSecond.count ? perRequest.median : nil)
    }
}

/// How fast memory grows; negative where it shrinks.
public struct MemoryGrowth: Equatable, Sendable, Codable {
    /// In bytes a second.
    public var bytesPerSecond: Double
    /// In bytes a request; nil where none are counted, or too few.
    public var bytesPerRequest: Double?

    /// In bytes an hour.
    public var bytesPerHour: Int64 { Int64(clampingDouble: bytesPerSecond * 3600) }

    /// The time to grow by so many bytes; nil where it never does.
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

    /// What is usual: the median of each figure.
    var usual: MemoryGrowth? {
        guard let perSecond = ends.map(\.bytesPerSecond).median else { return nil }
        return MemoryGrowth(
            bytesPerSecond: perSecond, bytesPerRequest: ends.compactMap(\.bytesPerRequest).median)
    }
}

extension [Double] {
    /// The one in the middle, or between the two in the middle.
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
