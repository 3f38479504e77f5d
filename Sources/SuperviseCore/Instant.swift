/// A point on the monotonic clock, in nanoseconds. The core never reads a clock: every event has
/// the time at which it is handled.
public struct Instant: Hashable, Comparable, Sendable, Codable {
    /// Nanoseconds since the clock's epoch (for CLOCK_MONOTONIC, the boot of the machine).
    public let nanoseconds: Int64

    /// Creates the instant this many nanoseconds after the clock's epoch.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Orders instants by time.
    public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Returns the instant `span` later, saturating at the end of the range.
    public static func + (instant: Instant, span: TimeSpan) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(span.nanoseconds)
        return Instant(nanoseconds: overflow ? .max : sum)
    }

    /// Returns the time from `b` to `a`.
    public static func - (a: Instant, b: Instant) -> TimeSpan {
        TimeSpan(nanoseconds: a.nanoseconds - b.nanoseconds)
    }

    /// Returns the earliest of those that are not nil, without the array that `min()` would need:
    /// deadlines are compared at every event.
    static func earliest(_ a: Instant?, _ b: Instant?, _ c: Instant? = nil) -> Instant? {
        var earliest = a
        if let b { earliest = earliest.map { min($0, b) } ?? b }
        if let c { earliest = earliest.map { min($0, c) } ?? c }
        return earliest
    }
}

/// A length of time in nanoseconds. (`Duration` of the standard library counts attoseconds in 128
/// bits, which the deadlines of 10,000 workers do not need.)
public struct TimeSpan: Hashable, Comparable, Sendable, Codable {
    /// The length in nanoseconds.
    public let nanoseconds: Int64

    /// Creates a span of this many nanoseconds.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// A span of zero nanoseconds.
    public static let zero = TimeSpan(nanoseconds: 0)

    /// Creates a span of whole seconds, saturating at the longest span.
    public static func seconds(_ count: Int64) -> TimeSpan { scaled(count, by: 1_000_000_000) }

    /// Creates a span of whole milliseconds, saturating at the longest span.
    public static func milliseconds(_ count: Int64) -> TimeSpan { scaled(count, by: 1_000_000) }

    /// Creates a span of whole microseconds, saturating at the longest span.
    public static func microseconds(_ count: Int64) -> TimeSpan { scaled(count, by: 1000) }

    /// The span in seconds, for display and estimates.
    public var seconds: Double { Double(nanoseconds) / 1e9 }

    /// Orders spans by length.
    public static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Returns the sum of both spans, saturating at the longest span.
    public static func + (a: TimeSpan, b: TimeSpan) -> TimeSpan {
        let (sum, overflow) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
        return TimeSpan(nanoseconds: overflow ? .max : sum)
    }

    /// Returns this multiple of the span, saturating at the longest span.
    func times(_ count: Int64) -> TimeSpan { TimeSpan.scaled(count, by: nanoseconds) }

    private static func scaled(_ count: Int64, by unit: Int64) -> TimeSpan {
        let (product, overflow) = count.multipliedReportingOverflow(by: unit)
        return TimeSpan(nanoseconds: overflow ? (count < 0 ? .min : .max) : product)
    }
}
