/// The settings of a pool that determine its state machine's decisions. Settings that only the
/// kernel's side needs (addresses, the command, users) are not included.
public struct PoolPolicy: Equatable, Sendable, Codable {
    /// The number of workers; in an elastic pool the largest number.
    public var workers = 1
    /// The smallest number of workers of an elastic pool; nil if the number is fixed.
    public var minimumWorkers: Int?
    /// The estimated waiting time of connections above which an elastic pool gets workers.
    public var scaleUpAfter = TimeSpan.milliseconds(100)
    /// An elastic pool loses a worker if fewer would have sufficed for this long.
    public var scaleDownAfter = TimeSpan.seconds(60)
    /// The measure of how busy the workers of an elastic pool are.
    public var scaleBy = ScaleMeasure.requests
    /// Whether the pool serves sockets, on which readiness, finishing and the default budget
    /// depend.
    public var hasListeners = false

    /// The schedule of a command that does not run all the time; nil if the pool has none.
    public var runs: RunRule?
    /// The number of slots that may boot their first worker at the same time.
    public var bootParallel = Int.max
    /// Whether workers are forked from a process that has loaded the program.
    public var usesMold = false

    /// The rule by which a worker counts as ready.
    public var readiness = Readiness.auto
    /// A worker not ready after this time is a failed boot.
    public var readyTimeout = TimeSpan.seconds(60)

    /// The number of requests, plus jitter, after which a worker is recycled; 0 disables it.
    public var maxRequests: UInt64 = 0
    /// The largest number added to `maxRequests`, drawn once per incarnation.
    public var maxRequestsJitter: UInt64 = 0
    /// The age, plus jitter, at which a worker is recycled; nil disables it.
    public var maxLifetime: TimeSpan?
    /// The longest time added to `maxLifetime`, drawn once per incarnation.
    public var maxLifetimeJitter = TimeSpan.zero
    /// Memory in bytes above which a worker is recycled gracefully; nil disables it.
    public var maxRSSBytes: UInt64?
    /// Memory in bytes above which a worker is killed; nil disables it.
    public var killRSSBytes: UInt64?
    /// Memory in bytes above which a warning is logged; nil disables it.
    public var warnRSSBytes: UInt64?
    /// Memory in bytes of all workers together above which the largest is recycled; nil disables
    /// it.
    public var maxPoolRSSBytes: UInt64?
    /// The caps that are percentages. Their bytes follow from the limit and the pools' sizes.
    var memoryPercentages = MemoryPercentages()
    /// The base of percentages: the tightest limit of the control group, else the machine's memory.
    /// Nil if no setting needs it.
    public var memoryLimitBytes: UInt64?
    /// Whether the largest worker is recycled when the memory limit is near.
    public var memoryPressure = MemoryPressure.off
    /// Whether a command inspects a worker before it is recycled for its memory.
    public var runsBeforeRecycle = false
    /// Whether a worker that is recycled for its memory first gets a signal.
    public var sendsEvidenceSignal = false
    /// The interval at which every worker's memory is written to the memory log; nil disables it.
    public var memoryLogInterval: TimeSpan?
    /// The shortest time between two memory samples.
    public var memoryInterval = TimeSpan.seconds(1)
    /// The number of consecutive samples above `maxRSSBytes` before a worker is recycled.
    public var memorySamples = 1
    /// A worker above `maxRSSBytes` while younger than this raises an alarm and is not recycled.
    public var minLifetime = TimeSpan.seconds(10)
    /// The number of workers that may exist beyond `workers`; nil is 1 with listeners, else 0.
    public var maxSurge: Amount?
    /// The number of ready workers that may be missing; nil is 0 with listeners, else 1.
    public var maxUnavailable: Amount?
    /// The longest time for which a worker can postpone its own recycling.
    public var maxHold = TimeSpan.seconds(15 * 60)

    /// The time between the stop-signal and SIGKILL.
    public var gracefulTimeout = TimeSpan.seconds(30)
    /// The way in which retiring workers are prevented from dropping their requests.
    public var drain = DrainRule.auto
    /// The time for which the service continues after a stop request, before its listeners close.
    public var drainDelay = TimeSpan.zero

    /// The interval of `WATCHDOG=1` after a worker has sent the first one; nil disables it.
    public var watchdogTimeout: TimeSpan?
    /// The longest time for which connections may wait while a worker's count does not change; nil
    /// disables it.
    public var stallTimeout: TimeSpan?
    /// The longest time from the last byte of a request to the first byte of its response; nil
    /// disables it.
    public var requestTimeout: TimeSpan?

    /// Whether the responses of a canary are compared with those of the old workers.
    public var checksCanary = false

    /// Whether an ended worker is replaced.
    public var restart = RestartPolicy.always
    /// The first delay between two starts of a slot with repeated failures.
    public var backoff = TimeSpan.milliseconds(100)
    /// The longest such delay.
    public var backoffMax = TimeSpan.seconds(30)
    /// The time for which a worker must be ready to reset its slot's earlier failures.
    public var stableAfter = TimeSpan.seconds(10)
    /// The number of consecutive failures of every slot, without any worker that was ever ready,
    /// after which the service ends.
    public var bootAttempts = 5

    /// Creates the default settings.
    public init() {}
}

/// The measure of how busy a worker is.
public enum ScaleMeasure: String, Hashable, Sendable, Codable, CaseIterable {
    /// Whether it has requests in flight.
    case requests
    /// The CPU time of its processes.
    case cpu
}

/// The reaction to a memory limit that is near.
public enum MemoryPressure: String, Hashable, Sendable, Codable, CaseIterable {
    /// No reaction: the kernel may kill a process.
    case off
    /// The largest worker is recycled.
    case auto
}

/// The rule by which a worker counts as ready.
public enum Readiness: Hashable, Sendable, Codable {
    /// `READY=1`, or the kernel's evidence that it waits on a listener.
    case auto
    /// Only `READY=1` on the notify socket (sd_notify(3)).
    case notify
    /// As soon as the program runs.
    case exec
    /// Once it has run for this long.
    case after(TimeSpan)
}

/// The ends of a worker after which it is replaced.
public enum RestartPolicy: String, Hashable, Sendable, Codable, CaseIterable {
    /// Every end.
    case always
    /// Every end except a successful one (exit status 0).
    case onFailure = "on-failure"
    /// None.
    case never
}

/// The way to drain a worker before it ends.
public enum DrainRule: String, Hashable, Sendable, Codable, CaseIterable {
    /// `signal` for workers that use the contract (`X_…`, the page), `observe` for all others.
    case auto
    /// It gets the stop-signal and finishes its requests by itself.
    case signal
    /// It finds no new connections, and gets the stop-signal when its existing ones are served.
    case observe
}

/// A number of workers, or a percentage of the pool.
public enum Amount: Hashable, Sendable, Codable {
    /// This many workers.
    case count(Int)
    /// This percentage of the pool's workers.
    case percent(Int)
}
