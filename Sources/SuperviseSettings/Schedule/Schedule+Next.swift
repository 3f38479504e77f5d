/// The times of the runs. All of them are whole seconds since the Unix epoch.
///
/// *Daylight saving*: a schedule whose minute and hour are fixed (neither begins with `*`) runs once
/// per day that it names, also if that local time is skipped (then at the end of the skipped time)
/// or occurs twice (then at the first of them). All other schedules run whenever the local time
/// matches, so that `*/5` and `@hourly` follow elapsed time.
extension Schedule {
    /// A change of the clock below this is treated as daylight saving is, as cron(8) does. A larger
    /// one corrects a clock that was wrong, and the new time applies.
    private static let longestAdjustment: UInt64 = 3 * 3_600
    /// A run is not repeated if the clock is set back by less than this.
    private static let repetitionTime: Int64 = 60

    /// Returns the time of the first run after a time; nil for `every`, and if there is none until
    /// the year 9999.
    public func next(after time: Int64, in zone: LocalOffsets) -> Int64? {
        // Years beyond 9999 have no matches, and cannot overflow here.
        guard case .calendar(let expression) = kind, time.magnitude < 1 << 40 else { return nil }
        return expression.hasFixedTime
            ? expression.nextFixed(after: time, in: zone)
            : expression.nextMatching(after: time, in: zone)
    }

    /// Returns the time of the next run after the clock was set by `jump` seconds to `now`, if it
    /// was planned at `planned`. The result may be `now`: a run at a fixed time that was skipped.
    public func next(
        afterClockWasSetTo now: Int64, by jump: Int64, planned: Int64, in zone: LocalOffsets
    ) -> Int64? {
        let isFixed =
            if case .calendar(let expression) = kind { expression.hasFixedTime } else { false }
        guard jump.magnitude < Schedule.longestAdjustment else { return next(after: now, in: zone) }
        if jump > 0, planned <= now { return isFixed ? now : next(after: now, in: zone) }
        // All earlier runs have begun before the clock was set.
        if isFixed || jump > -Schedule.repetitionTime {
            return next(after: max(now, planned - 1), in: zone)
        }
        return next(after: now, in: zone)
    }
}

extension CronExpression {
    /// Returns the first time after this one at which the local time matches.
    fileprivate func nextMatching(after time: Int64, in zone: LocalOffsets) -> Int64? {
        var start = time + 1
        while true {
            let offset = zone.offset(start)
            let local = start + offset
            guard let match = firstMatch(from: (local + 59).flooredQuotient(by: 60)) else {
                return nil
            }
            let candidate = match * 60 - offset
            guard let change = zone.change(after: start, through: candidate) else {
                return candidate
            }
            start = change
        }
    }

    /// Returns the first time after this one of a matching local time, each of which counts once.
    fileprivate func nextFixed(after time: Int64, in zone: LocalOffsets) -> Int64? {
        // Local times that are skipped, up to a day, have their run after them.
        let earliest = time + zone.offset(time) - 2 * LocalOffsets.day
        var minute = earliest.flooredQuotient(by: 60)
        while let match = firstMatch(from: minute) {
            let candidate = zone.time(ofLocal: match * 60)
            if candidate > time { return candidate }
            minute = match + 1
        }
        return nil
    }
}
