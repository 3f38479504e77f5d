/// Something worth telling: a line of the log, an event for whoever watches.
public enum Notice: Equatable, Sendable {
    /// The worker's program runs.
    case started(WorkerID, generation: Int, requestLimit: UInt64?)
    /// The worker could not be started.
    case startFailed(WorkerID, StartFailure)
    /// The worker is ready, by this rule, so long after its start.
    case ready(WorkerID, by: ReadyRule, after: TimeSpan)
    /// The worker was not ready in time.
    case bootTimedOut(WorkerID, after: TimeSpan)
    /// The worker is to be replaced as soon as the budget allows.
    case due(WorkerID, RecycleCause, WorkerFacts)
    /// The worker was told to go.
    case retiring(WorkerID, RetireCause, WorkerFacts)
    /// The worker was emptied for so long, and gets the stop-signal now.
    case drained(WorkerID, DrainEnd, after: TimeSpan)
    /// The worker showed what its program does with requests in flight when it gets the stop-signal:
    /// later workers are drained accordingly.
    case stopHabit(WorkerID, finishesRequests: Bool)
    /// The worker's process ended.
    case exited(WorkerID, ExitStatus, Ending, WorkerFacts)
    /// The worker did not go in time and gets SIGKILL, with all that belongs to it.
    case killed(WorkerID, RetireCause)
    /// The worker ended and left processes behind, which get the stop-signal.
    case leftProcesses(WorkerID)
    /// What an ended worker left behind did not go in time and gets SIGKILL.
    case killedTree(WorkerID)
    /// The slot starts its next worker only after this delay.
    case backoff(pool: Int, slot: Int, failures: Int, delay: TimeSpan)
    /// The slot's work is done; nothing is started there any more.
    case slotDone(pool: Int, slot: Int)
    /// The worker exceeds a cap that its own size is near: the cap may be too low. It is not
    /// recycled or killed for that before `min-lifetime`.
    case memoryAlarm(WorkerID, WorkerFacts, AlarmedCap, limitBytes: UInt64)
    /// The worker is over `warn-rss`.
    case memoryWarning(WorkerID, WorkerFacts, limitBytes: UInt64)
    /// Workers that grow like this one reach a cap within this time, sooner than all can be replaced.
    case leakAlarm(
        WorkerID, WorkerFacts, limitBytes: UInt64, within: TimeSpan, replacing: TimeSpan)
    /// The memory caps of the pool that are percentages come to these bytes.
    case memoryShared(pool: Int, MemoryCapBytes)
    /// A replacement does not fit beside the worker that it replaces, so whoever is recycled for
    /// memory goes first; `workerBytes` is what a worker needs.
    case memoryIsTight(pool: Int, MemoryRoom, workerBytes: UInt64)
    /// The workers need too much together, and recycling cannot help: none has grown.
    case shortage(pool: Int, RecycleCause, usedBytes: UInt64, MemoryRoom?)
    /// The pool now has this number of workers.
    case resized(pool: Int, from: Int, to: Int)
    /// The pool's workers retire; the pool waits.
    case parked(pool: Int)
    /// The pool's workers come back.
    case unparked(pool: Int)
    /// The first worker of a new generation is on trial.
    case canaryStarted(WorkerID, generation: Int)
    /// The trial went well.
    case canaryPassed(pool: Int, generation: Int)
    /// The trial failed.
    case canaryFailed(pool: Int, generation: Int, CanaryFailure)
    /// Every worker of the pool is of this generation.
    case rolledOut(pool: Int, generation: Int)
    /// The service is to stop; this pool serves on for so long, for those who watch its readiness.
    case drainDelay(pool: Int, TimeSpan)
    /// The pool takes no new connections; those that wait are served.
    case closed(pool: Int)
    /// The pool stops.
    case stopping(pool: Int, Haste)
    /// The pool's last process is gone.
    case ended(pool: Int)
    /// A reload begins with this generation.
    case reloadBegun(generation: Int)
    /// The generation is in force; its pools roll over.
    case reloadCommitted(generation: Int)
    /// The generation was given up; the one before stays in force.
    case reloadAborted(generation: Int)
    /// Every pool is of this generation.
    case reloadComplete(generation: Int)
    /// The service ends because of this.
    case givingUp(GiveUpReason)
}

extension Notice {
    /// Whether it only repeats what an event said, and is no decision on which others rest.
    var reportsEvent: Bool {
        switch self {
        case .started, .startFailed, .exited, .stopHabit: true
        case .ready, .bootTimedOut, .due, .retiring, .drained, .killed, .leftProcesses, .killedTree,
            .backoff, .slotDone, .memoryAlarm, .memoryWarning, .leakAlarm, .memoryShared,
            .memoryIsTight, .shortage, .resized, .parked, .unparked, .canaryStarted, .canaryPassed,
            .canaryFailed, .rolledOut, .drainDelay, .closed, .stopping, .ended, .reloadBegun,
            .reloadCommitted, .reloadAborted, .reloadComplete, .givingUp:
            false
        }
    }
}

/// The cap of an alarm.
public enum AlarmedCap: String, Hashable, Sendable, Codable {
    /// `max-rss`.
    case soft = "max-rss"
    /// `kill-rss`.
    case hard = "kill-rss"
}

/// The rule by which a worker became ready.
public enum ReadyRule: String, Hashable, Sendable, Codable {
    /// It said `READY=1`.
    case notify
    /// The kernel shows it waiting on a listener.
    case listening
    /// Its program runs, which is all that was asked for.
    case exec
    /// It has run for the configured time.
    case time
    /// Nothing could be seen; it has been alive for a while.
    case assumed
}

/// Figures of a worker at the time of a notice.
public struct WorkerFacts: Equatable, Sendable, Codable {
    /// The generation of settings it runs with.
    public var generation: Int
    /// The time since its start.
    public var age: TimeSpan
    /// The requests it has reported, and the limit drawn for it.
    public var requests: UInt64
    /// The number of requests after which it is recycled; nil where there is none.
    public var requestLimit: UInt64?
    /// The last measured memory in bytes; nil where it was not measured.
    public var memoryBytes: UInt64?
    /// How its memory grows; nil while too little was seen of it.
    public var growth: MemoryGrowth?
    /// What `requests` counts; nil while nothing was counted.
    public var unit: CountUnit?
    /// The requests that were in flight when it ended; nil if none was seen.
    public var during: RequestsInFlight?
}

/// The requests that a worker has in flight, as far as they are visible.
public struct RequestsInFlight: Hashable, Sendable, Codable {
    /// The method and the path of the oldest, shortened; nil while its head is incomplete.
    public var route: String?
    /// The time since the first byte of the oldest.
    public var age: TimeSpan
    /// How many there are.
    public var count: Int

    /// Describes requests in flight.
    public init(route: String?, age: TimeSpan, count: Int) {
        self.route = route
        self.age = age
        self.count = count
    }

    /// The text for people, such as `GET /export/* 12.1s (+31)`.
    public var text: String {
        let tenths = age.nanoseconds / 100_000_000
        let seconds = tenths < 1000 ? "\(tenths / 10).\(tenths % 10)s" : "\(tenths / 10)s"
        let rest = count > 1 ? " (+\(count - 1))" : ""
        return "\(route ?? "an incomplete request") \(seconds)\(rest)"
    }
}

/// What the memory caps of a pool come to, in bytes; nil where one is off.
public struct MemoryCapBytes: Equatable, Sendable, Codable {
    /// `warn-rss`.
    public var warn: UInt64?
    /// `max-rss`.
    public var soft: UInt64?
    /// `kill-rss`.
    public var hard: UInt64?
    /// `max-pool-rss`.
    public var pool: UInt64?

    init(_ policy: PoolPolicy) {
        warn = policy.warnRSSBytes
        soft = policy.maxRSSBytes
        hard = policy.killRSSBytes
        pool = policy.maxPoolRSSBytes
    }
}

/// Why a canary was rejected.
public enum CanaryFailure: Hashable, Sendable, Codable {
    /// It ended by itself.
    case ended(ExitStatus)
    /// It was not ready in time.
    case bootTimeout
    /// It could not be started.
    case notStarted(StartFailure)
    /// It used more memory than `kill-rss`, or announced its end, or its slot or pool went.
    case left(RetireCause)
}

/// Why a service ends that nobody told to stop.
public enum GiveUpReason: Hashable, Sendable {
    /// No worker ever became ready and every slot failed `boot-attempts` times in a row.
    case noWorkerBoots
    /// The command of a pool was not found or may not be run.
    case cannotStart(pool: Int, StartFailure)
}
