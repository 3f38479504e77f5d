import Glibc

/// CLOCK_MONOTONIC (clock_gettime(2)): it stops while the machine is suspended, and never jumps.
public enum MonotonicClock {
    /// Nanoseconds since the boot of the machine.
    public static func nanoseconds() -> Int64 {
        let time = read(CLOCK_MONOTONIC)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// CLOCK_REALTIME (clock_gettime(2)), for timestamps.
public enum WallClock {
    /// The time of day.
    public static func now() -> WallTime {
        let time = read(CLOCK_REALTIME)
        return WallTime(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }
}

/// A time of day in Coordinated Universal Time.
public struct WallTime: Hashable, Sendable, CustomStringConvertible, Codable {
    /// Seconds since the Unix epoch, without leap seconds.
    public let seconds: Int64
    /// Nanoseconds of the second, 0 to 999,999,999.
    public let nanoseconds: Int32

    /// Creates a time from the seconds and nanoseconds since the Unix epoch.
    public init(seconds: Int64, nanoseconds: Int32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// RFC 3339 with milliseconds: `2026-11-21T02:03:04.567Z`.
    public var description: String {
        var time = time_t(seconds)
        var parts = tm()
        guard gmtime_r(&time, &parts) != nil else { return "@\(seconds)" }
        let date = [
            padded(parts.tm_year + 1900, 4), padded(parts.tm_mon + 1, 2), padded(parts.tm_mday, 2),
        ].joined(separator: "-")
        let clock = [
            padded(parts.tm_hour, 2), padded(parts.tm_min, 2), padded(parts.tm_sec, 2),
        ].joined(separator: ":")
        return "\(date)T\(clock).\(padded(nanoseconds / 1_000_000, 3))Z"
    }
}

private func read(_ clock: clockid_t) -> timespec {
    var time = timespec()
    let result = clock_gettime(clock, &time)
    precondition(result == 0, "every Linux has this clock")
    return time
}

private func padded(_ number: Int32, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
