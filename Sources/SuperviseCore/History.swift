/// What a pool has seen: counters, and the ledger of its last exits. Kept as things happen, at a cost
/// that does not grow with the number of workers; all else of a snapshot is made when it is asked for.
public struct History: Equatable, Sendable, Codable {
    /// How many exits the ledger holds.
    public static let ledgerLength = 100

    /// How often a program was run.
    public internal(set) var starts: UInt64 = 0
    /// How often one could not be.
    public internal(set) var startFailures: UInt64 = 0
    /// How often a worker became ready.
    public internal(set) var boots: UInt64 = 0
    /// The time that all of these took together.
    public internal(set) var bootTime = TimeSpan.zero
    /// The requests that all workers have reported, and the connections that were counted for those
    /// that report none.
    public internal(set) var requests: UInt64 = 0
    /// The connections among these.
    public internal(set) var connections: UInt64 = 0
    /// How often a worker did not go in time and got SIGKILL.
    public internal(set) var kills: UInt64 = 0
    /// How often a slot had to wait before its next start.
    public internal(set) var backoffs: UInt64 = 0
    /// How often a worker was over its cap while too young.
    public internal(set) var memoryAlarms: UInt64 = 0

    /// How often workers ended for one cause.
    public struct ExitCount: Equatable, Sendable, Codable {
        /// The cause, by its name.
        public let cause: String
        /// How often.
        public internal(set) var count: UInt64
    }

    /// The causes for which workers ended, in the order in which each was first seen.
    public private(set) var exitCounts: [ExitCount] = []
    private var ledger: [ExitRecord] = []
    /// Where the next exit is written once the ledger is full.
    private var oldest = 0

    /// The last exits, newest first.
    public var exits: [ExitRecord] { (ledger[oldest...] + ledger[..<oldest]).reversed() }

    mutating func countRequests(from known: UInt64, to total: UInt64, in unit: CountUnit) {
        guard total > known else { return }
        // A worker may say any number.
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

/// An exit as the ledger keeps it.
public struct ExitRecord: Equatable, Sendable, Codable {
    /// Who ended.
    public var id: WorkerID
    /// When.
    public var at: Instant
    /// What its end was.
    public var ending: Ending
    /// Its exit status or signal.
    public var status: ExitStatus
    /// Its figures at the end.
    public var facts: WorkerFacts
    /// How long it took to get ready; nil where it never did.
    public var bootTime: TimeSpan?

    /// Its cause, by name.
    public var cause: String { ending.name(status) }
}

extension Pool {
    /// Counts what a notice tells.
    mutating func record(_ notice: Notice) {
        switch notice {
        case .started: history.starts += 1
        case .startFailed: history.startFailures += 1
        case .ready(_, _, let span):
            history.boots += 1
            history.bootTime = history.bootTime + span
        case .exited(let id, let status, let ending, let facts):
            guard let worker = worker(id) else { return }
            history.add(
                ExitRecord(
                    id: id, at: worker.startedAt + facts.age, ending: ending, status: status,
                    facts: facts, bootTime: worker.readyAt.map { $0 - worker.startedAt }))
        case .killed: history.kills += 1
        case .backoff: history.backoffs += 1
        case .memoryAlarm: history.memoryAlarms += 1
        case .memoryWarning, .leakAlarm, .memoryShared, .memoryIsTight, .shortage, .bootTimedOut,
            .due, .retiring, .drained, .stopHabit, .leftProcesses, .killedTree, .slotDone, .resized,
            .parked, .unparked, .canaryStarted, .canaryPassed, .canaryFailed, .rolledOut,
            .stopping, .drainDelay, .closed, .ended, .reloadBegun, .reloadCommitted, .reloadAborted,
            .reloadComplete,
            .givingUp:
            break
        }
    }
}

/// How a reload went, or goes.
public struct RolloutRecord: Equatable, Sendable, Codable {
    /// A canary that was rejected.
    public struct Failure: Equatable, Sendable, Codable {
        /// The name of its pool.
        public var pool: String
        /// Why.
        public var reason: CanaryFailure
    }

    /// Where a reload stands.
    public enum Stage: Equatable, Sendable, Codable {
        /// Its canaries are on trial. Exits: `rolling`, `aborted`, `stopped`.
        case trial
        /// It is in force and the workers are replaced. Exits: `complete`, `stopped`.
        case rolling
        /// Every worker is of its generation.
        case complete
        /// It was given up, because of these canaries or, where there are none, for a newer reload.
        case aborted([Failure])
        /// The service was stopped meanwhile.
        case stopped
    }

    /// Its generation.
    public let generation: Int
    /// When its canaries were ordered.
    public let begunAt: Instant
    /// When it was decided.
    public private(set) var endedAt: Instant?
    /// Where it stands.
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
