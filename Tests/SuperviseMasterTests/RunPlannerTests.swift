import SuperviseCore
import SuperviseSettings
import Testing

@testable import SuperviseMaster

/// The times of runs on the monotonic clock (RunPlanner.swift).
struct RunPlannerTests {
    private let start: Int64 = 1_800_000_000
    private func second(_ count: Int64) -> Instant { Instant(nanoseconds: count * 1_000_000_000) }

    /// A planner at this time of the monotonic clock, with a clock that was set by `jump`.
    private func planner(_ text: String, at seconds: Int64, jump: Int64 = 0) throws -> RunPlanner {
        RunPlanner(
            schedule: try Schedule(text), zone: .utc,
            clocks: Clocks(
                now: second(seconds), wallNanoseconds: (start + seconds + jump) * 1_000_000_000))
    }

    @Test func aTimeOfDayBecomesADeadline() throws {
        let run = try planner("* * * * *", at: 5).next(after: nil)
        #expect(run == PlannedRun(at: second(60), wallSeconds: start + 60))
        // The timer may expire before the time of day, by the resolution of the clock.
        #expect(
            try planner("* * * * *", at: 59).next(after: run)
                == PlannedRun(at: second(120), wallSeconds: start + 120))
        // Missed runs are not made up for.
        #expect(
            try planner("* * * * *", at: 305).next(after: run)
                == PlannedRun(at: second(360), wallSeconds: start + 360))
    }

    @Test func anIntervalDoesNotDrift() throws {
        let run = try planner("every 10s", at: 3).next(after: nil)
        #expect(run == PlannedRun(at: second(13)))
        #expect(try planner("every 10s", at: 14).next(after: run) == PlannedRun(at: second(23)))
        #expect(try planner("every 10s", at: 33).next(after: run) == PlannedRun(at: second(43)))
        // It does not depend on the time of day.
        let other = PlannedRun(at: second(13))
        #expect(try planner("every 10s", at: 5, jump: 9_999).reviewed(other) == other)
    }

    @Test func aClockThatIsSetMovesTheDeadline() throws {
        let run = PlannedRun(at: second(60), wallSeconds: start + 60)
        func reviewed(_ text: String, by jump: Int64) throws -> PlannedRun? {
            try planner(text, at: 5, jump: jump).reviewed(run)
        }
        #expect(try reviewed("* * * * *", by: 0) == run)
        #expect(
            try reviewed("* * * * *", by: 50)
                == PlannedRun(at: second(10), wallSeconds: start + 60))
        #expect(
            try reviewed("* * * * *", by: 600)
                == PlannedRun(at: second(60), wallSeconds: start + 660))
        #expect(
            try reviewed("* * * * *", by: -600)
                == PlannedRun(at: second(60), wallSeconds: start - 540))
        #expect(
            try reviewed("* * * * *", by: -10)
                == PlannedRun(at: second(70), wallSeconds: start + 60))
        // A run that is due in this turn stays.
        #expect(try planner("* * * * *", at: 60, jump: -600).reviewed(run) == run)
    }
}
