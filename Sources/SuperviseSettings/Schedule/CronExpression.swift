/// Five fields as in crontab(5): minute, hour, day of month, month, day of week. If a day field
/// begins with `*`, a day must match both of them, otherwise one is enough.
struct CronExpression: Equatable, Hashable, Sendable {
    let minute: CronField
    let hour: CronField
    let dayOfMonth: CronField
    let month: CronField
    let dayOfWeek: CronField

    /// Whether the hours and minutes are fixed: neither field begins with `*`.
    var hasFixedTime: Bool { !minute.beginsWithStar && !hour.beginsWithStar }

    /// The longest time between two matches, 40 years and a few days: a leap day on a given day of
    /// the week, across a year such as 2100.
    private static let longestGapInDays: Int64 = 15_000
    private static let minutesPerDay: Int64 = 1_440

    /// Parses five fields.
    init(fields: [Substring]) throws(ScheduleFault) {
        guard fields.count == 5 else { throw .fields(fields.count) }
        minute = try CronField(fields[0], .minute)
        hour = try CronField(fields[1], .hour)
        dayOfMonth = try CronField(fields[2], .dayOfMonth)
        month = try CronField(fields[3], .month)
        dayOfWeek = try CronField(fields[4], .dayOfWeek)
        guard everMatches else { throw .neverMatches }
    }

    /// Whether days must match both day fields.
    private var needsBothDays: Bool { dayOfMonth.beginsWithStar || dayOfWeek.beginsWithStar }

    private var everMatches: Bool {
        guard needsBothDays, let firstDay = dayOfMonth.first(from: 1) else { return true }
        return (1...12).contains {
            month.contains($0) && firstDay <= CivilDate.mostDays(inMonth: $0)
        }
    }

    private func matches(_ date: CivilDate, days: Int64) -> Bool {
        let isDay = dayOfMonth.contains(date.day)
        let isWeekday = dayOfWeek.contains(CivilDate.weekday(ofDaysSince1970: days))
        return needsBothDays ? isDay && isWeekday : isDay || isWeekday
    }

    /// Returns the first match from a minute on, both in minutes since 1970-01-01 00:00 of a local
    /// time without daylight saving; nil outside of the years 1 to 9999.
    func firstMatch(from start: Int64) -> Int64? {
        let first = CivilDate(year: 1, month: 1, day: 1).daysSince1970
        let last = CivilDate(year: 9_999, month: 12, day: 31).daysSince1970
        var days = start.flooredQuotient(by: CronExpression.minutesPerDay)
        guard (first...last).contains(days) else { return nil }
        var minuteOfDay = Int(start - days * CronExpression.minutesPerDay)
        let end = min(last, days + CronExpression.longestGapInDays)
        while days <= end {
            let date = CivilDate(daysSince1970: days)
            guard month.contains(date.month) else {
                days = date.startOfNextMonth.daysSince1970
                minuteOfDay = 0
                continue
            }
            if matches(date, days: days), let time = firstTime(from: minuteOfDay) {
                return days * CronExpression.minutesPerDay + Int64(time)
            }
            days += 1
            minuteOfDay = 0
        }
        return nil
    }

    /// Returns the first matching minute of a day, from this minute on.
    private func firstTime(from start: Int) -> Int? {
        guard let firstMinute = minute.first(from: 0) else { return nil }
        if hour.contains(start / 60), let minute = minute.first(from: start % 60) {
            return start / 60 * 60 + minute
        }
        return hour.first(from: start / 60 + 1).map { $0 * 60 + firstMinute }
    }
}
