import Glibc

/// The time zone of this process, from `TZ` or else /etc/localtime (tzset(3)).
public enum LocalTime {
    /// Reads the time zone again if it has changed.
    public static func refresh() {
        tzset()
    }

    /// Returns the offset of local time from UTC in seconds, east of Greenwich positive, at a time
    /// in seconds since the Unix epoch (localtime_r(3)). It is 0 for years that the C library does
    /// not support.
    public static func offset(at seconds: Int64) -> Int64 {
        var time = time_t(seconds)
        var parts = tm()
        return localtime_r(&time, &parts) == nil ? 0 : Int64(parts.tm_gmtoff)
    }
}
