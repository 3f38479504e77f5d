/// A hunt: one worker more than the pool has measures which of its requests retain memory.

/// The limits of a hunt.
public struct HuntOrder: Hashable, Sendable, Codable {
    /// The number of requests to measure.
    public var requests: Int
    /// The longest time from ready to the end.
    public var time: TimeSpan
    /// Whether the lines that allocate are traced.
    public var traces: Bool
    /// The time for which the other workers accept no connections; nil if they continue.
    public var pause: TimeSpan?

    /// The numbers of requests that are allowed.
    public static let requestRange = 10...10_000
    /// The times that are allowed, in seconds.
    public static let secondRange = 1...86_400
    /// The longest time for which the other workers pause, in seconds.
    public static let longestPause = 60

    /// Creates an order.
    public init(
        requests: Int = 500, time: TimeSpan = .seconds(300), traces: Bool = false,
        pause: TimeSpan? = nil
    ) {
        self.requests = requests
        self.time = time
        self.traces = traces
        self.pause = pause
    }
}

/// An event about the hunt of a pool.
public enum HuntEvent: Equatable, Sendable {
    /// Start a hunt. Ignored if `huntObstacle` names a reason.
    case begin(HuntOrder)
    /// The progress of the hunted worker, as the response to `sampleHunt`.
    case sampled(WorkerID, HuntProgress)
    /// End the hunt for this reason.
    case end(HuntEnd)
}

/// The progress of a hunt.
public struct HuntProgress: Hashable, Sendable, Codable {
    /// The requests whose head was seen.
    public var requests: Int
    /// Those of them whose memory was measured before and after.
    public var measured: Int

    /// Creates a progress.
    public init(requests: Int = 0, measured: Int = 0) {
        self.requests = requests
        self.measured = measured
    }
}

/// The reason for which a hunt ended.
public enum HuntEnd: Hashable, Sendable, Codable {
    /// All requests were measured.
    case finished
    /// Its time has passed.
    case timeout
    /// The worker got no request within `Hunt.patience`.
    case noRequests
    /// The client that requested it is gone.
    case clientGone
    /// A reload begins.
    case reload
    /// The master is about to be upgraded.
    case upgrade
    /// The service stops.
    case stop
    /// Memory is short.
    case memoryShortage
    /// The worker reached `max-rss`.
    case memoryCap
    /// One of its requests got no response within `request-timeout`.
    case requestTimeout
    /// The worker was stopped for another reason.
    case left(RetireCause)
    /// The worker ended by itself.
    case exited(ExitStatus)
    /// The worker could not be started.
    case notStarted(StartFailure)
}

/// Why a pool cannot be hunted now.
public enum HuntObstacle: Hashable, Sendable {
    /// It has no listeners.
    case noListeners
    /// It runs by a schedule.
    case schedule
    /// A hunt is in progress.
    case hunt
    /// The workers are parked, or the pool stops.
    case notRunning
    /// A new generation is on trial or rolls out.
    case reload
}

/// A notice about a hunt.
public enum HuntNotice: Equatable, Sendable {
    /// The hunted worker was ordered.
    case begun(WorkerID, HuntOrder)
    /// The hunt ended. The worker is stopped, or has ended.
    case ended(WorkerID, HuntEnd, HuntProgress)
}

/// The hunt of a pool.
struct Hunt: Equatable, Sendable, Codable {
    /// The longest wait for a first request.
    static let patience = TimeSpan.seconds(30)
    /// The interval between samples.
    static let sampleGap = TimeSpan.milliseconds(500)

    let id: WorkerID
    let order: HuntOrder
    var progress = HuntProgress()
    /// The times of the next sample and of the end, once the worker is ready.
    var sampleAt: Instant?
    var until: Instant?
    var patientUntil: Instant?

    var deadline: Instant? { Instant.earliest(sampleAt, until) }

    mutating func shiftDeadlines(by span: TimeSpan) {
        sampleAt = sampleAt.map { $0 + span }
        until = until.map { $0 + span }
        patientUntil = patientUntil.map { $0 + span }
    }
}

extension HuntEnd {
    /// The reason, if the worker is stopped for this cause.
    init(_ cause: RetireCause) {
        self = cause == .stop ? .stop : .left(cause)
    }
}
