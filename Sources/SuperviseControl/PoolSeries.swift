import SuperviseCore

/// The figures of a pool over the last hour, for the charts of the page. It has at most one point per
/// interval, and drops points older than an hour.
///
/// A point is recorded when the master runs anyway, so the intervals without a point are those in which it
/// had nothing to do. The points are stored as a flat ring of numbers: an hour needs 45 KiB.
public struct PoolSeries: Equatable, Sendable {
    /// The figures at one moment.
    public struct Point: Equatable, Sendable {
        /// The time.
        public var at: Instant
        /// The number of ready workers; the minimum within the interval.
        public var ready: Int
        /// The configured number of workers.
        public var workers: Int
        /// The number of workers that have exited so far.
        public var exits: UInt64
        /// The memory of all workers in bytes; nil if it was not sampled.
        public var memoryBytes: UInt64?
        /// The memory of the largest worker in bytes; nil if it was not sampled.
        public var largestBytes: UInt64?
        /// The number of requests so far; nil if they were not counted.
        public var requests: UInt64?
        /// The number of waiting connections; nil if it was not read. The maximum within the interval.
        public var waiting: UInt64?

        /// Creates a point without sampled figures.
        public init(at: Instant, ready: Int, workers: Int, exits: UInt64) {
            self.at = at
            self.ready = ready
            self.workers = workers
            self.exits = exits
        }
    }

    /// The length of an interval.
    public static let interval = TimeSpan.seconds(5)
    /// The maximum number of points: one hour.
    public static let capacity = 720

    /// The number of numbers per point.
    private static let width = 8
    /// Represents nil.
    private static let none = UInt64.max

    private var numbers: [UInt64] = []
    /// The index of the oldest point once the ring is full.
    private var oldest = 0

    /// Creates a series without points.
    public init() {}

    /// The number of points.
    public var count: Int { numbers.count / PoolSeries.width }
    /// The size of its storage in bytes.
    var bytes: Int { numbers.capacity * MemoryLayout<UInt64>.stride }
    /// The points, oldest first.
    public var points: [Point] { (0..<count).map { self[$0] } }
    /// The newest point.
    public var last: Point? { count > 0 ? self[count - 1] : nil }

    /// Returns the point at this position; 0 is the oldest.
    public subscript(position: Int) -> Point {
        let start = (oldest + position) % count * PoolSeries.width
        func number(_ index: Int) -> UInt64 { numbers[start + index] }
        func optional(_ index: Int) -> UInt64? {
            number(index) == PoolSeries.none ? nil : number(index)
        }
        var point = Point(
            at: Instant(nanoseconds: Int64(truncatingIfNeeded: number(0))),
            ready: Int(truncatingIfNeeded: number(1)), workers: Int(truncatingIfNeeded: number(2)),
            exits: number(3))
        point.memoryBytes = optional(4)
        point.largestBytes = optional(5)
        point.requests = optional(6)
        point.waiting = optional(7)
        return point
    }

    /// Returns whether a point at this time would add anything: it begins an interval, or
    /// `isSampled` and the point of the interval lacks a figure.
    public func needsPoint(at now: Instant, isSampled: Bool) -> Bool {
        guard let last, PoolSeries.isSameInterval(last.at, now) else { return true }
        return isSampled && (last.memoryBytes == nil || last.requests == nil)
    }

    /// Adds a point. Within an interval, a point with more figures replaces one with fewer, and the
    /// extremes of `ready` and `waiting` are kept.
    public mutating func add(_ point: Point) {
        guard let last, PoolSeries.isSameInterval(last.at, point.at) else { return append(point) }
        let isFuller =
            last.requests == nil && point.requests != nil
            || last.memoryBytes == nil && point.memoryBytes != nil
        var merged = isFuller ? point : last
        merged.memoryBytes = merged.memoryBytes ?? last.memoryBytes
        merged.largestBytes = merged.largestBytes ?? last.largestBytes
        merged.requests = merged.requests ?? last.requests
        merged.ready = min(last.ready, point.ready)
        merged.waiting = [last.waiting, point.waiting].compactMap { $0 }.max()
        write(merged, at: (oldest + count - 1) % count)
    }

    /// Returns whether both times are in the same interval.
    public static func isSameInterval(_ one: Instant, _ other: Instant) -> Bool {
        one.nanoseconds / interval.nanoseconds == other.nanoseconds / interval.nanoseconds
    }

    private mutating func append(_ point: Point) {
        guard count == PoolSeries.capacity else {
            // Growth by append would exceed an hour's size by up to half of it.
            if numbers.count + PoolSeries.width > numbers.capacity {
                let most = PoolSeries.capacity * PoolSeries.width
                numbers.reserveCapacity(min(most, max(64 * PoolSeries.width, 2 * numbers.count)))
            }
            numbers.append(contentsOf: repeatElement(0, count: PoolSeries.width))
            return write(point, at: count - 1)
        }
        write(point, at: oldest)
        oldest = (oldest + 1) % PoolSeries.capacity
    }

    private mutating func write(_ point: Point, at place: Int) {
        let fields = [
            UInt64(bitPattern: point.at.nanoseconds), UInt64(clamping: point.ready),
            UInt64(clamping: point.workers), point.exits, point.memoryBytes ?? PoolSeries.none,
            point.largestBytes ?? PoolSeries.none, point.requests ?? PoolSeries.none,
            point.waiting ?? PoolSeries.none,
        ]
        let start = place * PoolSeries.width
        for (index, field) in fields.enumerated() { numbers[start + index] = field }
    }
}

/// As one text: a state of 5,760 separate numbers per pool would delay an upgrade. A text that cannot be
/// read gives an empty series, because a chart is no reason to reject an upgrade.
extension PoolSeries: Codable {
    /// Reads the text; throws if the value is no text.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        let read = text.utf8.split(separator: UInt8(ascii: " ")).map {
            UInt64(String(Substring($0)), radix: 36)
        }
        let numbers = read.compactMap { $0 }
        guard numbers.count == read.count, numbers.count % PoolSeries.width == 0,
            numbers.count <= PoolSeries.capacity * PoolSeries.width
        else { return }
        self.numbers = numbers
    }

    /// Writes the points as one text, oldest first.
    public func encode(to encoder: any Encoder) throws {
        let start = oldest * PoolSeries.width
        let ordered = numbers[start...] + numbers[..<start]
        var container = encoder.singleValueContainer()
        try container.encode(
            ordered.map { String($0, radix: 36) }.joined(separator: " "))
    }
}
