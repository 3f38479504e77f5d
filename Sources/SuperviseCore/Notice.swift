/// A reportable occurrence: a log line and an event for subscribers.
public enum Notice: Equatable, Sendable {
    /// The worker's program runs.
    case started(WorkerID, generation: Int, requestLimit: UInt64?)
    /// The worker could not be started.
    case startFailed(WorkerID, StartFailure)
    /// The worker is ready by this rule, this long after its start.
    case ready(WorkerID, by: ReadyRule, after: TimeSpan)
    /// The worker was not ready in time.
    case bootTimedOut(WorkerID, after: TimeSpan)
    /// The worker is to be replaced as soon as the budget allows.
    case due(WorkerID, RecycleCause, WorkerFacts)
    /// The worker was stopped.
    case retiring(WorkerID, RetireCause, WorkerFacts)
    /// The worker drained for this long, and gets the stop-signal now.
    case drained(WorkerID, DrainEnd, after: TimeSpan)
    /// The worker showed whether its program finishes requests in flight when it gets the
    /// stop-signal. Later workers are drained accordingly.
    case stopHabit(WorkerID, finishesRequests: Bool)
    /// The worker's process ended.
    case exited(WorkerID, ExitStatus, Ending, WorkerFacts)
    /// The worker did not end in time. It and all its processes get SIGKILL.
    case killed(WorkerID, RetireCause)
    /// The worker ended and left processes behind, which get the stop-signal.
    case leftProcesses(WorkerID)
    /// The processes that an ended worker left behind did not end in time and get SIGKILL.
    case killedTree(WorkerID)
    /// The slot starts its next worker only after this delay.
    case backoff(pool: Int, slot: Int, failures: Int, delay: TimeSpan)
    /// The slot's work is done; no worker starts there any longer.
    case slotDone(pool: Int, slot: Int)
    /// The worker exceeds a cap that its own size is near, so the cap may be too low. It is not
    /// recycled or killed for it before `min-lifetime`.
    case memoryAlarm(WorkerID, WorkerFacts, AlarmedCap, limitBytes: UInt64)
    /// The worker exceeds `warn-rss`.
    case memoryWarning(WorkerID, WorkerFacts, limitBytes: UInt64)
    /// A request got no response within `request-timeout`. The worker is replaced.
    case requestStuck(WorkerID, WorkerFacts, StuckRequest, waited: TimeSpan)
    /// More than half of the workers have requests that wait for a response, so a dependency hangs.
    /// No worker is replaced for it.
    case requestsHang(pool: Int, workers: Int, of: Int, StuckRequest, waited: TimeSpan)
    /// Workers that grow as this one does reach a cap within this time, sooner than all can be
    /// replaced.
    case leakAlarm(
        WorkerID, WorkerFacts, limitBytes: UInt64, within: TimeSpan, replacing: TimeSpan)
    /// The bytes of the pool's memory caps that are percentages.
    case memoryShared(pool: Int, MemoryCapBytes)
    /// A replacement does not fit beside the worker that it replaces, so a worker that is recycled
    /// for memory stops first. `workerBytes` is the memory of a worker.
    case memoryIsTight(pool: Int, MemoryRoom, workerBytes: UInt64)
    /// The workers together need too much memory, and recycling cannot help because none has grown.
    case shortage(pool: Int, RecycleCause, usedBytes: UInt64, MemoryRoom?)
    /// The pool now has this number of workers.
    case resized(pool: Int, from: Int, to: Int)
    /// The pool's workers retire; the pool stays.
    case parked(pool: Int)
    /// The pool's workers start again.
    case unparked(pool: Int)
    /// The first worker of a new generation is on trial.
    case canaryStarted(WorkerID, generation: Int)
    /// The canary passed. The responses are nil if they were not compared.
    case canaryPassed(pool: Int, generation: Int, CanaryResponses?)
    /// The trial failed.
    case canaryFailed(pool: Int, generation: Int, CanaryFailure)
    /// Something happened to a mold.
    case mold(MoldNotice)
    /// Every worker of the pool is of this generation.
    case rolledOut(pool: Int, generation: Int)
    /// The service stops. This pool keeps serving for this long, so that load balancers can detect
    /// it.
    case drainDelay(pool: Int, TimeSpan)
    /// The pool accepts no new connections; the waiting ones are served.
    case closed(pool: Int)
    /// The pool stops.
    case stopping(pool: Int, Haste)
    /// The pool's last process has ended.
    case ended(pool: Int)
    /// A reload begins with this generation.
    case reloadBegun(generation: Int)
    /// The generation is current; its pools roll over.
    case reloadCommitted(generation: Int)
    /// The generation was abandoned; the previous one stays current. If it is superseded, a newer
    /// reload replaces it, and nothing failed.
    case reloadAborted(generation: Int, isSuperseded: Bool)
    /// Every pool is of this generation.
    case reloadComplete(generation: Int)
    /// The service ends for this reason.
    case givingUp(GiveUpReason)
    /// An occurrence that concerns the runs of a pool with a schedule.
    case run(RunNotice)
    /// An occurrence that concerns the number of workers of an elastic pool.
    case scale(ScaleNotice)
    /// An occurrence that concerns a hunt.
    case hunt(HuntNotice)
}

extension Notice {
    /// Whether it only repeats the content of an event, and is not a decision on which others
    /// depend.
    var reportsEvent: Bool {
        switch self {
        case .started, .startFailed, .exited, .stopHabit: true
        case .requestStuck, .requestsHang, .ready, .bootTimedOut, .due, .retiring, .drained,
            .killed, .leftProcesses, .killedTree,
            .backoff, .slotDone, .memoryAlarm, .memoryWarning, .leakAlarm, .memoryShared,
            .memoryIsTight, .shortage, .resized, .parked, .unparked, .canaryStarted, .canaryPassed,
            .canaryFailed, .rolledOut, .drainDelay, .closed, .stopping, .ended, .reloadBegun,
            .reloadCommitted, .reloadAborted, .reloadComplete, .givingUp, .mold, .run, .scale,
            .hunt:
            false
        }
    }
}

/// The cap of an alarm.
public enum AlarmedCap: Hashable, Sendable {
    /// `max-rss`.
    case soft
    /// `kill-rss`.
    case hard
    /// `kill-rss`, which was lowered while the worker ran. The worker is recycled for it and not
    /// killed.
    case lowered

    /// The key of the setting.
    public var key: String {
        switch self {
        case .soft: "max-rss"
        case .hard, .lowered: "kill-rss"
        }
    }
}

/// The rule under which a worker became ready.
public enum ReadyRule: String, Hashable, Sendable, Codable {
    /// It sent `READY=1`.
    case notify
    /// The kernel shows it waiting on a listener.
    case listening
    /// Its program runs, and the rule requires no more.
    case exec
    /// It has run for the configured time.
    case time
    /// There was no evidence, but it has been running for a while.
    case assumed
}

/// Figures of a worker at the time of a notice.
public struct WorkerFacts: Equatable, Sendable, Codable {
    /// The generation of its settings.
    public var generation: Int
    /// The time since its start.
    public var age: TimeSpan
    /// The requests that it has reported, and its drawn limit.
    public var requests: UInt64
    /// The number of requests after which it is recycled; nil if there is none.
    public var requestLimit: UInt64?
    /// The last memory sample in bytes; nil if there is none.
    public var memoryBytes: UInt64?
    /// The growth of its memory; nil while there are too few samples.
    public var growth: MemoryGrowth?
    /// The unit of `requests`; nil while nothing was counted.
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
    /// The number of requests.
    public var count: Int

    /// Creates a description of requests in flight.
    public init(route: String?, age: TimeSpan, count: Int) {
        self.route = route
        self.age = age
        self.count = count
    }

    /// Human-readable text, such as `GET /export/* 12.1s (+31)`.
    public var text: String {
        let tenths = age.nanoseconds / 100_000_000
        let seconds = tenths < 1000 ? "\(tenths / 10).\(tenths % 10)s" : "\(tenths / 10)s"
        let rest = count > 1 ? " (+\(count - 1))" : ""
        return "\(route ?? "an incomplete request") \(seconds)\(rest)"
    }
}

/// The memory caps of a pool in bytes; nil for each that is disabled.
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

/// The reason for which a canary was rejected.
public enum CanaryFailure: Hashable, Sendable, Codable {
    /// It ended by itself.
    case ended(ExitStatus)
    /// It was not ready in time.
    case bootTimeout
    /// It could not be started.
    case notStarted(StartFailure)
    /// The mold that it was to be forked from failed.
    case mold(MoldFailure)
    /// It used more memory than `kill-rss`, or announced its end, or its slot or pool went.
    case left(RetireCause)
    /// It responded with errors, unlike the old workers.
    case responses(CanaryResponses)
}

/// The reason for which a service ends without a stop request.
public enum GiveUpReason: Hashable, Sendable {
    /// No worker ever became ready and every slot failed `boot-attempts` times in a row.
    case noWorkerBoots
    /// The command of a pool was not found or may not be run.
    case cannotStart(pool: Int, StartFailure)
}
