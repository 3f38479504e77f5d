/// Runs by a schedule. The pool has one slot, and a run is its worker from the start until the last
/// process has ended. No other run starts before that, so a command that hangs never accumulates.
///
/// The slot waits in `awaitsRun`. A run that is due moves it to `continues`, and the start of the
/// worker moves it back, so nothing that happens to the worker can start another one. The time of
/// the next run comes from the caller, which knows the calendar and the time of day.

/// The state of a pool's runs.
struct Runs: Initial, Sendable {
    /// The next run by the schedule.
    var next: PlannedRun?
    /// The cause of the run that waits for the end of the last one.
    var queued: RunTrigger?
    /// The cause of the run that is about to start.
    var starting: RunTrigger?
    /// The run in progress, until its own process has ended.
    var current: Current?
    /// Whether no run follows, because the configuration no longer contains the pool.
    var isWithdrawn = false

    struct Current: Equatable, Sendable, Codable {
        var id: WorkerID
        var trigger: RunTrigger
    }
}

extension Pool {
    /// Whether its command runs by a schedule.
    public var isScheduled: Bool { policy.runs != nil }

    /// Whether a process of a run is left, including a run that began before the pool had other
    /// settings.
    var hasRunInProgress: Bool { isScheduled && tally.live > 0 }

    /// Whether an operator's request for a run would be skipped now.
    public var isRunBlocked: Bool {
        guard isScheduled, stage == .running, !runs.isWithdrawn else { return true }
        return freeSlot == nil && !mayQueue
    }

    /// Whether a run waits for the end of the last one.
    public var hasQueuedRun: Bool { runs.queued != nil }

    mutating func handle(_ event: RunEvent, at now: Instant) {
        guard isScheduled else { return }
        switch event {
        case .planned(let next):
            guard isKept, !runs.isWithdrawn else { return }
            runs.next = next
        case .requested: runIsDue(by: .operator, at: now)
        case .withdrawn:
            endSchedule()
            runs.isWithdrawn = true
        }
    }

    /// The slot in which a run may start now; nil while a process of the last one is left.
    private var freeSlot: Int? {
        guard tally.live == 0, let slot = slots.firstIndex(where: \.isWanted),
            slots[slot].continuation == .awaitsRun
        else { return nil }
        return slot
    }

    private var mayQueue: Bool { policy.runs?.overlap == .queue && runs.queued == nil }

    /// Requests the time of the first run, if the schedule is new.
    mutating func beginSchedule(after old: RunRule?) {
        guard policy.runs?.schedule != old?.schedule else { return }
        runs.next = nil
        if isScheduled, isKept { outbox.append(.planRun(pool: number, after: nil)) }
    }

    /// Forgets the runs that have not started.
    mutating func endSchedule() {
        runs.next = nil
        runs.queued = nil
    }

    mutating func expireRun(at now: Instant) {
        guard let next = runs.next, next.at <= now else { return }
        runs.next = nil
        outbox.append(.planRun(pool: number, after: next))
        runIsDue(by: .schedule, at: now)
    }

    private mutating func runIsDue(by trigger: RunTrigger, at now: Instant) {
        guard isScheduled, isKept, !runs.isWithdrawn else { return }
        guard stage == .running else { return skipRun(trigger, .parked, at: now) }
        if let slot = freeSlot {
            beginRun(in: slot, by: trigger, at: now)
        } else if mayQueue {
            runs.queued = trigger
            let (id, age) = oldestRun(at: now)
            note(.run(.queued(pool: number, trigger, id, age: age)))
        } else {
            skipRun(trigger, .overlap, at: now)
        }
    }

    private mutating func beginRun(in slot: Int, by trigger: RunTrigger, at now: Instant) {
        runs.starting = trigger
        slots[slot].continuation = .continues
        refresh(slot, at: now)
    }

    /// Starts the run that waits, if the last one and all its processes have ended.
    mutating func beginQueuedRun(at now: Instant) {
        guard let trigger = runs.queued, stage == .running, let slot = freeSlot else { return }
        runs.queued = nil
        beginRun(in: slot, by: trigger, at: now)
    }

    /// Skips the run that waits, because the pool is parked.
    mutating func skipQueuedRun(at now: Instant) {
        guard let trigger = runs.queued else { return }
        runs.queued = nil
        skipRun(trigger, .parked, at: now)
    }

    private mutating func skipRun(
        _ trigger: RunTrigger, _ reason: RunSkipReason, at now: Instant
    ) {
        history.runs.skips += 1
        let (id, age) = oldestRun(at: now)
        note(.run(.skipped(pool: number, trigger, reason, id, age: age)))
    }

    private func oldestRun(at now: Instant) -> (WorkerID?, TimeSpan?) {
        let workers = slots.lazy.flatMap { $0.present + $0.leaving }
        let oldest = workers.min { $0.startedAt < $1.startedAt }
        return (oldest?.id, oldest.map { now - $0.startedAt })
    }

    /// Handles the start order of a run: no other one follows by itself.
    mutating func runStarts(_ id: WorkerID) {
        guard isScheduled else { return }
        slots[id.slot].continuation = .awaitsRun
        runs.current = Runs.Current(id: id, trigger: runs.starting ?? .schedule)
        runs.starting = nil
    }

    /// Handles the end of a run's own process; `status` is nil if it could not be started.
    mutating func runEnded(
        _ worker: Worker, _ ending: Ending?, _ status: ExitStatus?, at now: Instant
    ) {
        guard let current = runs.current, current.id == worker.id else { return }
        runs.current = nil
        let record = RunRecord(
            id: worker.id, trigger: current.trigger, startedAt: worker.startedAt, endedAt: now,
            outcome: RunOutcome(ending, status),
            cause: ending.flatMap { ending in status.map { ending.name($0) } } ?? "start-failed",
            status: status)
        history.runs.add(record)
        note(.run(.ended(record)))
    }

    /// Ends a run that has reached its deadline. Nothing postpones that: not a hold, and not a
    /// program that could not be executed yet.
    mutating func endLateRun(in slot: Int, at now: Instant) {
        guard let run = slots[slot].incumbent, let end = run.runEnd, end <= now else { return }
        retire(run.id, because: .recycle(.lifetime), at: now)
    }

    /// Applies a new generation to a slot of a pool with a schedule, or of one that had one before.
    /// A run in progress stays. Workers of a pool that had no schedule stop.
    mutating func renewRuns(in slot: Int, after old: RunRule?, at now: Instant) {
        // Failures of continuous workers must not delay a run.
        slots[slot].setbacks = Slot.Setbacks()
        guard isScheduled else {
            slots[slot].continuation = .continues
            return
        }
        slots[slot].continuation = .awaitsRun
        guard old == nil else { return }
        slots[slot].due = nil
        for worker in slots[slot].present {
            retire(worker.id, because: .recycle(.reload), at: now)
        }
    }
}

extension RunOutcome {
    fileprivate init(_ ending: Ending?, _ status: ExitStatus?) {
        let ofStatus = status == .code(0) ? RunOutcome.success : .failure
        self =
            switch ending {
            case nil: .failure
            case .finished?, .crashed?, .bootFailed?, .retired(.announced)?: ofStatus
            case .retired(.recycle(.lifetime))?: .timeout
            case .retired(.recycle(let cause))?:
                switch cause {
                case .memory, .poolMemory, .pressure: .failure
                case .lifetime, .requests, .requestTimeout, .requested, .operator, .reload: .stopped
                }
            case .retired(.bootTimeout)?, .retired(.killMemory)?, .retired(.watchdog)?,
                .retired(.stalled)?:
                .failure
            case .retired(.scaledDown)?, .retired(.parked)?, .retired(.superseded)?,
                .retired(.huntEnded)?,
                .retired(.stop)?:
                .stopped
            }
    }
}

extension RecycleCause {
    /// Whether a run ends for this cause. The others replace workers that serve.
    var endsRun: Bool {
        switch self {
        case .lifetime, .memory, .poolMemory, .pressure, .operator: true
        case .requests, .requestTimeout, .requested, .reload: false
        }
    }
}

/// The runs of a pool at one moment.
public struct RunSnapshot: Equatable, Sendable {
    /// The schedule and its time zone.
    public var schedule: String
    /// The next run by the schedule; nil if there is none.
    public var next: PlannedRun?
    /// Whether a run waits for the end of the last one.
    public var isQueued: Bool
    /// Whether a run is in progress.
    public var isRunning: Bool
    /// Counters and the last run.
    public var history: RunHistory
}

extension Pool {
    var runSnapshot: RunSnapshot? {
        guard let rule = policy.runs else { return nil }
        return RunSnapshot(
            schedule: rule.schedule, next: runs.next,
            isQueued: hasQueuedRun, isRunning: runs.current != nil, history: history.runs)
    }
}
