import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Runs by a schedule: the master knows the calendar and the clock, and the core decides.
extension Master {
    /// Determines the next run of a pool.
    func planRun(ofPool number: Int, after last: PlannedRun?) {
        guard let (schedule, zone) = scheduleAndZone(ofPool: number) else { return }
        // A pool may start no worker for months, so the master is announced without one.
        announce()
        if schedule.interval == nil { watchClock() }
        LocalTime.refresh()
        let planner = schedule.planner(zone, .read())
        enqueue(.run(pool: number, .planned(planner.next(after: last))))
    }

    /// Determines all planned runs again, because the clock or the time zone may have changed.
    func reviewRuns() {
        let runs = calendarRuns
        guard !runs.isEmpty else { return }
        watchClock()
        LocalTime.refresh()
        let clocks = Clocks.read()
        for (number, run) in runs {
            guard let (schedule, zone) = scheduleAndZone(ofPool: number) else { continue }
            let reviewed = schedule.planner(zone, clocks).reviewed(run)
            if reviewed != run { enqueue(.run(pool: number, .planned(reviewed))) }
        }
    }

    /// Handles a change of CLOCK_REALTIME.
    func clockWasSet() {
        clockWatch?.acknowledge()
        guard !calendarRuns.isEmpty else { return }
        log.write(LogLine(.info, "clock-set"))
        reviewRuns()
    }

    private func scheduleAndZone(ofPool number: Int) -> (Schedule, ScheduleTimeZone)? {
        guard let member = service.member(number),
            let settings = generations[member.pool.generation]?.blueprints[member.name]?.settings,
            let schedule = settings.schedule
        else { return nil }
        return (schedule, settings.scheduleTimeZone)
    }

    /// The planned runs that depend on the time of day.
    private var calendarRuns: [(pool: Int, next: PlannedRun)] {
        service.plannedRuns.filter { $0.next.wallSeconds != nil }
    }

    /// Without the watch, a change of the clock applies only after the next run.
    private func watchClock() {
        guard clockWatch == nil else { return }
        do throws(SystemCallError) {
            let watch = try ClockWatch()
            try poll.add(watch.rawValue, .readable, token: Token.clock)
            clockWatch = watch
        } catch {
            guard log.isNew(.clockUnwatched) else { return }
            log.write(
                LogLine(.warning, "clock-unwatched").with("error", error.description)
                    .with("message", "if the clock is set, the next run may be at the wrong time"))
        }
    }

    /// Starts a run of a pool now.
    func runNow(_ member: Service.Member) throws(ControlRefusal) -> HTTPResponse {
        guard member.pool.isScheduled else {
            throw .conflict("pool \(member.name) has no schedule")
        }
        guard !member.pool.isRunBlocked else {
            throw .conflict(
                member.pool.stage == .parked
                    ? "the workers are parked; to start them again, reload"
                    : "the last run of pool \(member.name) has not ended")
        }
        enqueue(.run(pool: member.pool.number, .requested))
        performPending()
        let isQueued = service.member(member.pool.number)?.pool.hasQueuedRun ?? false
        return .running(pool: member.name, isQueued: isQueued)
    }
}

/// The log lines of runs.
extension LogLine {
    init(ofRun notice: RunNotice, _ subject: LogSubjects) {
        switch notice {
        case .ended(let run):
            let line =
                switch run.outcome {
                case .success: subject.line(.info, "job-finished", run.id)
                case .failure, .timeout: subject.line(.error, "job-failed", run.id)
                case .stopped: subject.line(.warning, "job-failed", run.id)
                }
            let ended = line.with("outcome", run.outcome.rawValue).with("cause", run.cause)
                .with("trigger", run.trigger.rawValue).with("duration", run.duration)
            self = run.status.map { ended.with($0) } ?? ended
        case .skipped(let pool, let trigger, let reason, let id, let age):
            self = subject.line(.warning, "job-skipped", pool).with("reason", reason.rawValue)
                .with("trigger", trigger.rawValue).with("pid", id.flatMap { subject.pid($0) })
                .with("age", age)
        case .queued(let pool, let trigger, let id, let age):
            self = subject.line(.info, "job-queued", pool).with("trigger", trigger.rawValue)
                .with("pid", id.flatMap { subject.pid($0) }).with("age", age)
        }
    }
}
