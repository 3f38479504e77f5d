/// Counters of a pool, and its last exits. They are updated with each event, at a cost that does
/// not grow with the number of workers. Everything else in a snapshot is computed on request.
public struct History: Equatable, Sendable, Codable {
    /// The maximum number of recorded exits.
    public static let ledgerLength = 100

    /// The number of successful starts.
    public internal(set) var starts: UInt64 = 0
    /// The number of failed starts.
    public internal(set) var startFailures: UInt64 = 0
    /// The number of workers that became ready.
    public internal(set) var boots: UInt64 = 0
    /// The sum of all boot times.
    public internal(set) var bootTime = TimeSpan.zero
    /// The boot times by their length.
    public internal(set) var bootTimes = BootHistogram()
    /// The requests that all workers have reported, and the counted connections of those that
    /// report none.
    public internal(set) var requests: UInt64 = 0
    /// The connections among these.
    public internal(set) var connections: UInt64 = 0
    /// The number of workers that did not end in time and got SIGKILL.
    public internal(set) var kills: UInt64 = 0
    /// The number of delayed starts.
    public internal(set) var backoffs: UInt64 = 0
    /// The number of workers that exceeded a cap while too young.
    public internal(set) var memoryAlarms: UInt64 = 0

    /// The runs by a schedule.
    public internal(set) var runs = RunHistory()
    /// The changes of the number of workers in an elastic pool.
    public internal(set) var scaling = ScaleHistory()

    /// The number of ends for one cause.
    public struct ExitCount: Equatable, Sendable, Codable {
        /// The name of the cause.
        public let cause: String
        /// The number of ends.
        public internal(set) var count: UInt64
    }

    /// The number of requests that got no response within `request-timeout`.
    public internal(set) var stuckRequests: UInt64 = 0

    /// The causes for which workers ended, in the order of their first occurrence.
    public private(set) var exitCounts: [ExitCount] = []
    /// The number of workers that have ended.
    public var exitCount: UInt64 { exitCounts.reduce(0) { $0 + $1.count } }
    private var ledger: [ExitRecord] = []
    /// The index of the next exit once the array is full.
    private var oldest = 0

    /// The last exits, newest first.
    public var exits: [ExitRecord] { (ledger[oldest...] + ledger[..<oldest]).reversed() }

    mutating func countRequests(from known: UInt64, to total: UInt64, in unit: CountUnit) {
        guard total > known else { return }
        // A worker may report any number.
        let (sum, overflow) = requests.addingReportingOverflow(total - known)
        let counted = (overflow ? .max : sum) - requests
        requests += counted
        if unit == .connections { connections += counted }
    }

    mutating func add(_ exit: ExitRecord) {
        let cause = exit.cause
        if let index = exitCounts.firstIndex(where: { $0.cause == cause }) {
            exitCounts[index].count += 1
        } else {
            exitCounts.append(ExitCount(cause: cause, count: 1))
        }
        if ledger.count < History.ledgerLength {
            ledger.append(exit)
        } else {
            ledger[oldest] = exit
            oldest = (oldest + 1) % History.ledgerLength
        }
    }
}

/// A recorded exit.
public struct ExitRecord: Equatable, Sendable, Codable {
    /// The worker that ended.
    public var id: WorkerID
    /// The time of the exit.
    public var at: Instant
    /// The kind of the end.
    public var ending: Ending
    /// Its exit status or signal.
    public var status: ExitStatus
    /// Its figures at the end.
    public var facts: WorkerFacts
    /// The time until it was ready; nil if it never was.
    public var bootTime: TimeSpan?

    /// The name of its cause.
    public var cause: String { ending.name(status) }
}

extension Pool {
    /// Counts a notice.
    mutating func record(_ notice: Notice) {
        switch notice {
        case .started: history.starts += 1
        case .startFailed: history.startFailures += 1
        case .ready(_, _, let span):
            history.boots += 1
            history.bootTime = history.bootTime + span
            history.bootTimes.add(span)
        case .exited(let id, let status, let ending, let facts):
            guard let worker = worker(id) else { return }
            history.add(
                ExitRecord(
                    id: id, at: worker.startedAt + facts.age, ending: ending, status: status,
                    facts: facts, bootTime: worker.readyAt.map { $0 - worker.startedAt }))
        case .killed: history.kills += 1
        case .backoff: history.backoffs += 1
        case .memoryAlarm: history.memoryAlarms += 1
        case .requestStuck: history.stuckRequests += 1
        case .requestsHang, .memoryWarning, .leakAlarm, .memoryShared, .memoryIsTight, .shortage,
            .bootTimedOut,
            .due, .retiring, .drained, .stopHabit, .leftProcesses, .killedTree, .slotDone, .resized,
            .parked, .unparked, .canaryStarted, .canaryPassed, .canaryFailed, .rolledOut,
            .stopping, .drainDelay, .closed, .ended, .reloadBegun, .reloadCommitted, .reloadAborted,
            .reloadComplete, .mold, .givingUp, .run, .scale, .hunt:
            break
        }
    }
}

/// The state and result of a reload.
public struct RolloutRecord: Equatable, Sendable, Codable {
    /// A canary that was rejected.
    public struct Failure: Equatable, Sendable, Codable {
        /// The name of its pool.
        public var pool: String
        /// The reason.
        public var reason: CanaryFailure
    }

    /// The state of a reload.
    public enum Stage: Equatable, Sendable, Codable {
        /// Its canaries are on trial. Exits: `rolling`, `aborted`, `stopped`.
        case trial
        /// It is current, and the workers are replaced. Exits: `complete`, `stopped`.
        case rolling
        /// Every worker is of its generation.
        case complete
        /// It was abandoned because of these canaries or, if there are none, for a newer reload.
        case aborted([Failure])
        /// The service was stopped meanwhile.
        case stopped
    }

    /// Its generation.
    public let generation: Int
    /// The time of its canaries' start orders.
    public let begunAt: Instant
    /// The time of the decision.
    public private(set) var endedAt: Instant?
    /// The current state.
    public internal(set) var stage = Stage.trial

    init(generation: Int, begunAt: Instant) {
        self.generation = generation
        self.begunAt = begunAt
    }

    mutating func end(_ stage: Stage, at now: Instant) {
        guard endedAt == nil else { return }
        self.stage = stage
        endedAt = now
    }
}
