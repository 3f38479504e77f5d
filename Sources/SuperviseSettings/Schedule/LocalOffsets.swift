/// A time zone: the offset of its local time from Coordinated Universal Time.
public struct LocalOffsets: Sendable {
    /// Returns the offset in seconds, east of Greenwich positive, at a time in seconds since the Unix
    /// epoch.
    let offset: @Sendable (Int64) -> Int64

    /// Creates a time zone with these offsets.
    public init(_ offset: @escaping @Sendable (Int64) -> Int64) {
        self.offset = offset
    }

    /// Coordinated Universal Time.
    public static let utc = LocalOffsets { _ in 0 }

    /// No two changes of an offset are closer than this, and no offset is as large.
    static let day: Int64 = 86_400

    /// Returns the first time after `start`, up to `end`, at which the offset differs from that at
    /// `start`; nil if it does not change.
    func change(after start: Int64, through end: Int64) -> Int64? {
        let before = offset(start)
        var known = start
        while known < end {
            let next = min(end, known + LocalOffsets.day)
            if offset(next) != before { return change(from: before, between: known, and: next) }
            known = next
        }
        return nil
    }

    /// Returns the first time in a span at whose end the offset is no longer `before`.
    private func change(from before: Int64, between first: Int64, and last: Int64) -> Int64 {
        var (known, changed) = (first, last)
        while changed - known > 1 {
            let middle = known + (changed - known) / 2
            if offset(middle) == before { known = middle } else { changed = middle }
        }
        return changed
    }

    /// Returns the time of a local time. Of two, as when daylight saving ends, it is the first. For
    /// a local time that is skipped, it is the end of the skipped time.
    func time(ofLocal local: Int64) -> Int64 {
        let before = offset(local - 2 * LocalOffsets.day)
        let after = offset(local + 2 * LocalOffsets.day)
        for candidate in [local - before, local - after].sorted()
        where candidate + offset(candidate) == local {
            return candidate
        }
        // Neither offset is valid at this local time.
        let start = local - max(before, after) - 1
        return change(after: start, through: local - min(before, after) + 1) ?? local - before
    }
}
