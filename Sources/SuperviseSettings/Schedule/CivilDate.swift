/// A date of the proleptic Gregorian calendar, and its number of days since 1970-01-01. The
/// algorithms are those of Howard Hinnant, "chrono-compatible low-level date algorithms".
struct CivilDate: Equatable, Sendable {
    var year: Int64
    /// 1 to 12.
    var month: Int
    /// 1 to 31.
    var day: Int

    /// The days of 400 years, after which the calendar repeats.
    private static let daysPerEra: Int64 = 146_097

    init(year: Int64, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// Creates the date this many days after 1970-01-01.
    init(daysSince1970 days: Int64) {
        // Eras begin on March 1 of year 0, so that a leap day is the last day of a year.
        let shifted = days + 719_468
        let era = shifted.flooredQuotient(by: CivilDate.daysPerEra)
        let dayOfEra = shifted - era * CivilDate.daysPerEra
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// The days since 1970-01-01.
    var daysSince1970: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear.flooredQuotient(by: 400)
        let yearOfEra = shiftedYear - era * 400
        let shiftedMonth = Int64(month > 2 ? month - 3 : month + 9)
        let dayOfYear = (153 * shiftedMonth + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * CivilDate.daysPerEra + dayOfEra - 719_468
    }

    /// The first day of the next month.
    var startOfNextMonth: CivilDate {
        month == 12
            ? CivilDate(year: year + 1, month: 1, day: 1)
            : CivilDate(year: year, month: month + 1, day: 1)
    }

    /// Returns the day of the week of a number of days since 1970-01-01; 0 is Sunday.
    static func weekday(ofDaysSince1970 days: Int64) -> Int {
        // 1970-01-01 was a Thursday.
        Int((days + 4) - (days + 4).flooredQuotient(by: 7) * 7)
    }

    /// Returns the largest number of days that a month can have.
    static func mostDays(inMonth month: Int) -> Int {
        switch month {
        case 2: 29
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Int64 {
    /// Returns the quotient, rounded toward negative infinity.
    func flooredQuotient(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
