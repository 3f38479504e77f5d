import SuperviseCore
import Testing

@testable import SuperviseSettings

/// Schedules: their syntax, and the times of their runs. Tests/Schedules compares many more with
/// croniter.
struct ScheduleTests {
    private func fault(_ text: String) -> String? {
        do throws(ScheduleFault) {
            _ = try Schedule(text)
            return nil
        } catch {
            return error.description
        }
    }

    @Test(arguments: [
        "* * * * *", "*/5 * * * *", "0 3 * * *", "1,2,3 0-5/2 1-31 jan-DEC sun-Sat", "5 4 * * 7",
        "0 0 * * fri-sun", "0 0 29 2 *", "0 0 30 2 mon", " 0\t0  1 1 * ", "@hourly", "@MIDNIGHT",
        "every 10m", "every 1h30m", "Every 1s", "every 1h 30m", "59 23 31 12 6", "00 07 * * *",
    ]) func isValid(text: String) {
        #expect(fault(text) == nil)
    }

    @Test(arguments: [
        ("", "has 0 fields; a schedule has five"), ("* * * *", "has 4 fields"),
        ("0 * * * * *", "has six fields"), ("60 * * * *", "invalid minute \"60\""),
        ("* 24 * * *", "invalid hour"), ("* * 0 * *", "invalid day-of-month"),
        ("* * * 13 *", "allowed: 1 to 12, jan to dec"), ("* * * * 8", "0 and 7 are Sunday"),
        ("* * * * mo", "invalid day-of-week \"mo\""), ("*/0 * * * *", "not a number above 0"),
        ("*/90 * * * *", "every 90m"), ("5/15 * * * *", "write 5-59/15"),
        ("22-2 * * * *", "ends before it begins"), ("* * * * 6-0", "ends before it begins"),
        ("1,,2 * * * *", "invalid minute \"\""), ("- * * * *", "invalid minute"),
        ("-5 * * * *", "invalid minute"), ("1-2-3 * * * *", "invalid minute \"2-3\""),
        ("*-5 * * * *", "invalid minute"), ("*/5/2 * * * *", "not a number above 0"),
        ("* * L * *", "invalid day-of-month"), ("* * ? * *", "invalid day-of-month"),
        ("* * * * 5#2", "invalid day-of-week"), ("0 0 30 2 *", "never occurs"),
        ("0 0 31 4,6,9,11 *", "never occurs"), ("@fortnightly", "unknown name"),
        ("@hourly x", "unknown name"), ("@reboot", "before-start"), ("every", "invalid interval"),
        ("every 500ms", "at least 1s"), ("every x", "invalid interval"),
        ("99999999999999999999 * * * *", "invalid minute"), ("* * * * é", "invalid day-of-week"),
    ]) func isInvalid(text: String, part: String) {
        #expect(fault(text)?.contains(part) == true, "\(fault(text) ?? "valid")")
    }

    @Test func datesAreThoseOfTheCalendar() {
        for days in stride(from: Int64(-800_000), to: 3_000_000, by: 97) {
            #expect(CivilDate(daysSince1970: days).daysSince1970 == days)
        }
        #expect(CivilDate(daysSince1970: 0) == CivilDate(year: 1970, month: 1, day: 1))
        #expect(CivilDate(year: 2026, month: 11, day: 29).daysSince1970 == 20_786)
        #expect(CivilDate.weekday(ofDaysSince1970: 20_786) == 0)
    }

    /// Returns the next runs after a time, as local times of the zone with their offsets in hours.
    private func runs(
        _ text: String, after start: String, in zone: Zone, count: Int = 4
    ) throws -> [String] {
        let schedule = try Schedule(text)
        var time = zone.utc(start)
        var found: [String] = []
        for _ in 0..<count {
            guard let next = schedule.next(after: time, in: zone.offsets) else { break }
            #expect(next > time)
            found.append(zone.text(next))
            time = next
        }
        return found
    }

    @Test func aFixedTimeThatIsSkippedRunsOnceRightAfter() throws {
        #expect(
            try runs("30 2 * * *", after: "2026-03-28 12:00 +1", in: .berlin, count: 3)
                == ["2026-03-29 03:00 +2", "2026-03-30 02:30 +2", "2026-03-31 02:30 +2"])
        #expect(
            try runs("0,15,30,45 2 * * *", after: "2026-03-28 12:00 +1", in: .berlin, count: 2)
                == ["2026-03-29 03:00 +2", "2026-03-30 02:00 +2"])
        // 03:00 is also a time of its own.
        #expect(
            try runs("0 2,3 * * *", after: "2026-03-28 12:00 +1", in: .berlin, count: 3)
                == ["2026-03-29 03:00 +2", "2026-03-30 02:00 +2", "2026-03-30 03:00 +2"])
        // Half an hour, and a whole day.
        #expect(
            try runs("15 2 * * *", after: "2026-10-03 12:00 +10.5", in: .lordHowe, count: 2)
                == ["2026-10-04 02:30 +11.0", "2026-10-05 02:15 +11.0"])
        #expect(
            try runs("0 12 * * *", after: "2011-12-29 13:00 -10", in: .samoa, count: 2)
                == ["2011-12-31 00:00 +14", "2011-12-31 12:00 +14"])
    }

    @Test func aFixedTimeThatOccursTwiceRunsAtTheFirst() throws {
        #expect(
            try runs("30 2 * * *", after: "2026-10-24 12:00 +2", in: .berlin, count: 2)
                == ["2026-10-25 02:30 +2", "2026-10-26 02:30 +1"])
        // Also if the search begins between both.
        #expect(
            try runs("30 2 * * *", after: "2026-10-25 02:10 +1", in: .berlin, count: 1)
                == ["2026-10-26 02:30 +1"])
    }

    @Test func otherSchedulesFollowElapsedTime() throws {
        #expect(
            try runs("*/30 * * * *", after: "2026-10-25 02:05 +2", in: .berlin)
                == [
                    "2026-10-25 02:30 +2", "2026-10-25 02:00 +1", "2026-10-25 02:30 +1",
                    "2026-10-25 03:00 +1",
                ])
        #expect(
            try runs("@hourly", after: "2026-03-29 00:30 +1", in: .berlin, count: 3)
                == ["2026-03-29 01:00 +1", "2026-03-29 03:00 +2", "2026-03-29 04:00 +2"])
        // The second pass of a repeated hour is found although the next date is far away.
        #expect(
            try runs("*/30 2 25 10 *", after: "2026-10-25 02:31 +2", in: .berlin, count: 3)
                == ["2026-10-25 02:00 +1", "2026-10-25 02:30 +1", "2027-10-25 02:00 +2"])
    }

    @Test func leapDaysAreFound() throws {
        #expect(
            try runs("0 0 29 2 */7", after: "2072-03-01 00:00 +0", in: .utc, count: 2)
                == ["2088-02-29 00:00 +0", "2128-02-29 00:00 +0"])
        #expect(try Schedule("* * * * *").next(after: .max, in: .utc) == nil)
        #expect(try Schedule("* * * * *").next(after: .min, in: .utc) == nil)
        #expect(try Schedule("0 0 1 1 *").next(after: 253_402_300_799, in: .utc) == nil)
    }

    @Test func theClockMayBeSet() throws {
        let fixed = try Schedule("0 3 * * *")
        let often = try Schedule("*/5 * * * *")
        let three = Zone.utc.utc("2026-06-01 03:00 +0")
        func next(_ schedule: Schedule, _ jump: Int64, planned: Int64, before: Int64) -> Int64? {
            schedule.next(
                afterClockWasSetTo: before + jump, by: jump, planned: planned, in: .utc)
        }
        // Forward over the planned time: a fixed one runs at once, below 3 hours.
        #expect(next(fixed, 3_600, planned: three, before: three - 600) == three + 3_000)
        #expect(next(fixed, 14_400, planned: three, before: three - 600) == three + 86_400)
        #expect(next(often, 3_600, planned: three, before: three - 60) == three + 3_600)
        // Back: a fixed one that has run is not repeated, below 3 hours.
        #expect(next(fixed, -3_600, planned: three + 86_400, before: three + 5) == three + 86_400)
        #expect(next(fixed, -14_400, planned: three + 86_400, before: three + 5) == three)
        #expect(next(often, -3_600, planned: three + 300, before: three + 5) == three - 3_300)
        // A small correction repeats nothing.
        #expect(next(often, -10, planned: three + 300, before: three + 5) == three + 300)
    }

    @Test func combinationsAreChecked() {
        let file = """
            [pool jobs]
            schedule = */5 * * * *
            command = x
            """
        #expect(loadError(file: file + "\nworkers = 2").contains("conflicts with workers (2)"))
        #expect(loadError(file: file + "\nbind = :80").contains("conflicts with bind"))
        #expect(
            loadError(file: "[pool a]\ncommand = x\nschedule = 0 * * * * *").contains(
                "schedule: \"0 * * * * *\" has six fields"))
    }

    @Test func sharedWorkersDoNotApplyToASchedule() throws {
        let file = """
            workers = 4
            [pool jobs]
            schedule = every 10m
            command = x
            """
        let loaded = try load([], file: file, environment: [:], files: [:])
        #expect(loaded.configuration.pools.map(\.policy.workers) == [1])
        #expect(loaded.warnings.map(\.description).contains { $0.contains("max-lifetime is off") })
    }
}

/// A time zone with two offsets, in seconds.
private struct Zone {
    let offsets: LocalOffsets

    static let utc = Zone(offsets: .utc)
    static let berlin = Zone(
        offsets: LocalOffsets { time in
            let isSummer =
                (1_774_746_000..<1_792_890_000).contains(time)  // 2026
                || (1_806_195_600..<1_824_944_400).contains(time)  // 2027
            return isSummer ? 7_200 : 3_600
        })
    static let lordHowe = Zone(offsets: LocalOffsets { $0 < 1_791_041_400 ? 37_800 : 39_600 })
    static let samoa = Zone(offsets: LocalOffsets { $0 < 1_325_239_200 ? -36_000 : 50_400 })

    /// Parses `2026-03-29 02:30 +1`.
    func utc(_ text: String) -> Int64 {
        let numbers = text.split { "- :".contains($0) }.compactMap { Int64($0) }
        let offset = Double(text.split(separator: " ")[2]) ?? 0
        let days = CivilDate(
            year: numbers[0], month: Int(numbers[1]), day: Int(numbers[2])
        ).daysSince1970
        return days * 86_400 + numbers[3] * 3_600 + numbers[4] * 60 - Int64(offset * 3_600)
    }

    func text(_ time: Int64) -> String {
        let offset = offsets.offset(time)
        let local = time + offset
        let date = CivilDate(daysSince1970: local.flooredQuotient(by: 86_400))
        let minutes = local.flooredQuotient(by: 60) % 1_440
        func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + "\(number)" }
        let hours = Double(offset) / 3_600
        let shift =
            offset % 3_600 == 0 && self.offsets.offset(0) % 3_600 == 0
            ? "\(Int(hours))" : "\(hours)"
        return "\(date.year)-\(two(Int64(date.month)))-\(two(Int64(date.day))) "
            + "\(two(minutes / 60)):\(two(minutes % 60)) \(hours < 0 ? "" : "+")\(shift)"
    }
}
