/// The settings of a pool whose command runs by a schedule.
public struct RunRule: Hashable, Sendable, Codable {
    /// The schedule and its time zone as text. The core only compares it.
    public var schedule: String
    /// What happens to a run that is due while the last one has not ended.
    public var overlap: RunOverlap

    /// Creates a rule.
    public init(schedule: String, overlap: RunOverlap = .skip) {
        self.schedule = schedule
        self.overlap = overlap
    }
}

/// What happens to a run that is due while the last one has not ended.
public enum RunOverlap: String, Hashable, Sendable, Codable, CaseIterable {
    /// It does not take place.
    case skip
    /// It waits for the end of the last one. At most one run waits.
    case queue
}

/// The time of the next run by the schedule.
public struct PlannedRun: Hashable, Sendable, Codable {
    /// The time of the monotonic clock.
    public var at: Instant
    /// The same time in seconds since the Unix epoch; nil for a schedule that does not depend on
    /// the time of day.
    public var wallSeconds: Int64?

    /// Plans a run.
    public init(at: Instant, wallSeconds: Int64? = nil) {
        self.at = at
        self.wallSeconds = wallSeconds
    }
}

/// The cause of a run.
public enum RunTrigger: String, Hashable, Sendable, Codable {
    /// The schedule.
    case schedule
    /// An operator (`run-now`).
    case `operator`
}

/// Inputs to a pool about its runs.
public enum RunEvent: Equatable, Sendable {
    /// The time of the next run, as the response to `planRun`, or because the clock was set; nil if
    /// there is none.
    case planned(PlannedRun?)
    /// An operator requests a run.
    case requested
    /// The configuration no longer contains the pool: a run in progress is the last one.
    case withdrawn
}

/// The way a run ended.
public enum RunOutcome: String, Hashable, Sendable, Codable, CaseIterable {
    /// The command ended by itself with status 0.
    case success
    /// It ended by itself in another way, could not be started, or exceeded a memory cap.
    case failure
    /// It reached `max-lifetime`.
    case timeout
    /// It was stopped with the service, by an operator, or by a reload.
    case stopped
}

/// The reason that a run did not take place.
public enum RunSkipReason: String, Hashable, Sendable, Codable {
    /// The last run, or one of its processes, has not ended.
    case overlap
    /// The workers of the service are parked (WINCH).
    case parked
}

/// An ended run.
public struct RunRecord: Hashable, Sendable, Codable {
    /// The worker that ran the command.
    public var id: WorkerID
    /// The cause.
    public var trigger: RunTrigger
    /// The time of its start order.
    public var startedAt: Instant
    /// The time of its end.
    public var endedAt: Instant
    /// The way it ended.
    public var outcome: RunOutcome
    /// The cause of its end, as of a worker's exit; `start-failed` if there was no process.
    public var cause: String
    /// Its exit status; nil if there was no process.
    public var status: ExitStatus?

    /// The time that it took.
    public var duration: TimeSpan { endedAt - startedAt }
}

/// An occurrence that concerns the runs of a pool.
public enum RunNotice: Equatable, Sendable {
    /// A run ended.
    case ended(RunRecord)
    /// A run did not take place. The run in progress, if any, has this age.
    case skipped(pool: Int, RunTrigger, RunSkipReason, WorkerID?, age: TimeSpan?)
    /// A run waits for the end of the last one.
    case queued(pool: Int, RunTrigger, WorkerID?, age: TimeSpan?)
}

/// Counters of the runs of a pool.
public struct RunHistory: Equatable, Sendable, Codable {
    /// The number of runs that ended in this way.
    public subscript(outcome: RunOutcome) -> UInt64 {
        switch outcome {
        case .success: successes
        case .failure: failures
        case .timeout: timeouts
        case .stopped: stops
        }
    }

    private var successes: UInt64 = 0
    private var failures: UInt64 = 0
    private var timeouts: UInt64 = 0
    private var stops: UInt64 = 0
    /// The number of runs that did not take place.
    public internal(set) var skips: UInt64 = 0
    /// The sum of all durations.
    public private(set) var duration = TimeSpan.zero
    /// The last run that ended.
    public private(set) var last: RunRecord?
    /// The end of the last successful run.
    public private(set) var lastSuccessAt: Instant?

    /// The number of runs that ended.
    public var ended: UInt64 { RunOutcome.allCases.reduce(0) { $0 + self[$1] } }

    mutating func add(_ run: RunRecord) {
        switch run.outcome {
        case .success: successes += 1
        case .failure: failures += 1
        case .timeout: timeouts += 1
        case .stopped: stops += 1
        }
        duration = duration + run.duration
        last = run
        if run.outcome == .success { lastSuccessAt = run.endedAt }
    }
}
