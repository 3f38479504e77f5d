import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Both clocks at one moment.
struct Clocks: Equatable {
    /// CLOCK_MONOTONIC.
    let now: Instant
    /// CLOCK_REALTIME, in nanoseconds since the Unix epoch.
    let wallNanoseconds: Int64

    /// Reads the clocks. If the master is interrupted in between, the result makes a run late and
    /// never early.
    static func read() -> Clocks {
        let wall = WallClock.now()
        return Clocks(
            now: .now,
            wallNanoseconds: wall.seconds * 1_000_000_000 + Int64(wall.nanoseconds))
    }

    var wallSeconds: Int64 { wallNanoseconds / 1_000_000_000 }

    /// Returns the time of the monotonic clock at a time of day.
    func instant(ofWall seconds: Int64) -> Instant {
        let (wall, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return Instant(nanoseconds: .max) }
        return now + TimeSpan(nanoseconds: wall - wallNanoseconds)
    }
}

/// Computes the times of runs on the monotonic clock, on which the core has all its deadlines.
struct RunPlanner {
    let schedule: Schedule
    let zone: LocalOffsets
    let clocks: Clocks

    /// A difference below this is the time between two system calls.
    private static let tolerance: UInt64 = 50_000_000

    /// Returns the first run after the one that is due; nil for a new schedule. A run that the
    /// master missed is not made up for.
    func next(after last: PlannedRun?) -> PlannedRun? {
        if let interval = schedule.interval {
            let start = last?.at ?? clocks.now
            let missed = max(0, (clocks.now - start).nanoseconds) / interval.nanoseconds
            return PlannedRun(
                at: start + TimeSpan(nanoseconds: interval.nanoseconds * (missed + 1)))
        }
        return planned(
            schedule.next(after: max(clocks.wallSeconds, last?.wallSeconds ?? .min), in: zone))
    }

    /// Returns a planned run again, after the clock or the time zone may have changed. A run that
    /// is due now stays.
    func reviewed(_ run: PlannedRun) -> PlannedRun? {
        guard let wallSeconds = run.wallSeconds, run.at > clocks.now else { return run }
        let jump = (clocks.instant(ofWall: wallSeconds) - run.at).nanoseconds
        if jump.magnitude < RunPlanner.tolerance {
            let next = schedule.next(after: clocks.wallSeconds, in: zone)
            return next == wallSeconds ? run : planned(next)
        }
        // The monotonic clock reaches a time of day later if that clock was set back.
        let next = schedule.next(
            afterClockWasSetTo: clocks.wallSeconds, by: -jump / 1_000_000_000,
            planned: wallSeconds, in: zone)
        return planned(next)
    }

    private func planned(_ seconds: Int64?) -> PlannedRun? {
        seconds.map { PlannedRun(at: clocks.instant(ofWall: $0), wallSeconds: $0) }
    }
}

extension Schedule {
    /// Returns the planner of this schedule's runs at this moment.
    func planner(_ zone: ScheduleTimeZone, _ clocks: Clocks) -> RunPlanner {
        let offsets: LocalOffsets =
            switch zone {
            case .utc: .utc
            case .local: LocalOffsets { LocalTime.offset(at: $0) }
            }
        return RunPlanner(schedule: self, zone: offsets, clocks: clocks)
    }
}
