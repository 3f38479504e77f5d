/// The settings of a pool that its state machine decides by. What only the kernel's side needs
/// (addresses, the command, users) is not here.
public struct PoolPolicy: Equatable, Sendable, Codable {
    /// How many workers are kept.
    public var workers = 1
    /// Whether the pool serves sockets; readiness, finishing and the default budget depend on it.
    public var hasListeners = false

    /// The number of slots that may boot their first worker at the same time.
    public var bootParallel = Int.max

    /// When a worker counts as ready.
    public var readiness = Readiness.auto
    /// A worker not ready after this time is a failed boot.
    public var readyTimeout = TimeSpan.seconds(60)

    /// A worker is recycled after this many requests plus jitter; 0 turns it off.
    public var maxRequests: UInt64 = 0
    /// The largest number added to `maxRequests`, drawn once per incarnation.
    public var maxRequestsJitter: UInt64 = 0
    /// A worker is recycled at this age plus jitter; nil turns it off.
    public var maxLifetime: TimeSpan?
    /// The longest time added to `maxLifetime`, drawn once per incarnation.
    public var maxLifetimeJitter = TimeSpan.zero
    /// Memory in bytes past which a worker is recycled gracefully; nil turns it off.
    public var maxRSSBytes: UInt64?
    /// Memory in bytes past which a worker is killed at once; nil turns it off.
    public var killRSSBytes: UInt64?
    /// Memory in bytes past which a warning is given; nil turns it off.
    public var warnRSSBytes: UInt64?
    /// Memory in bytes of all workers together past which the largest is recycled; nil turns it off.
    public var maxPoolRSSBytes: UInt64?
    /// Which of the caps are percentages; their bytes follow from the limit and the pools' sizes.
    var memoryPercentages = MemoryPercentages()
    /// What percentages are of: the tightest limit of the control group, else the machine's memory.
    /// Nil where nothing needs it.
    public var memoryLimitBytes: UInt64?
    /// Whether the largest worker is recycled when the memory limit is near.
    public var memoryPressure = MemoryPressure.off
    /// Whether a command looks at a worker before it is recycled for its memory.
    public var runsBeforeRecycle = false
    /// Whether a worker that is recycled for its memory gets a signal before.
    public var sendsEvidenceSignal = false
    /// How often the memory of every worker is written down; nil is never.
    public var memoryLogInterval: TimeSpan?
    /// The shortest time between two looks at the workers' memory.
    public var memoryInterval = TimeSpan.seconds(1)
    /// How many samples in a row must be over `maxRSSBytes`.
    public var memorySamples = 1
    /// A worker over `maxRSSBytes` while younger than this raises an alarm instead.
    public var minLifetime = TimeSpan.seconds(10)
    /// How many workers may exist beyond `workers`; nil is 1 with listeners, else 0.
    public var maxSurge: Amount?
    /// How many ready workers may be missing; nil is 0 with listeners, else 1.
    public var maxUnavailable: Amount?
    /// The longest time that a worker can put its own recycling off.
    public var maxHold = TimeSpan.seconds(15 * 60)

    /// The time between the stop-signal and SIGKILL.
    public var gracefulTimeout = TimeSpan.seconds(30)
    /// How workers are kept from dropping their requests when they are told to go.
    public var drain = DrainRule.auto
    /// How long the service goes on after it was told to stop, before its listeners close.
    public var drainDelay = TimeSpan.zero

    /// A worker that once said `WATCHDOG=1` must repeat it within this time; nil turns it off.
    public var watchdogTimeout: TimeSpan?
    /// How long connections may wait while a worker's count does not move; nil turns it off.
    public var stallTimeout: TimeSpan?

    /// Whether a worker that ended is replaced.
    public var restart = RestartPolicy.always
    /// The first delay between two starts of a slot that keeps crashing.
    public var backoff = TimeSpan.milliseconds(100)
    /// The longest such delay.
    public var backoffMax = TimeSpan.seconds(30)
    /// Readiness of this length makes a slot's earlier crashes forgotten.
    public var stableAfter = TimeSpan.seconds(10)
    /// When no worker was ever ready and each slot failed this often in a row, the master gives up.
    public var bootAttempts = 5

    /// The defaults of behaviour.
    public init() {}
}

/// What is done when the memory limit is near.
public enum MemoryPressure: String, Hashable, Sendable, Codable, CaseIterable {
    /// Nothing: the kernel may kill somebody.
    case off
    /// The largest worker is recycled.
    case auto
}

/// The rule by which a worker counts as ready.
public enum Readiness: Hashable, Sendable, Codable {
    /// `READY=1`, else the kernel's evidence that it waits on a listener.
    case auto
    /// Only `READY=1` on the notify socket (sd_notify(3)).
    case notify
    /// As soon as the program runs.
    case exec
    /// When it has run this long.
    case after(TimeSpan)
}

/// Which ends of a worker are answered by a new one.
public enum RestartPolicy: String, Hashable, Sendable, Codable, CaseIterable {
    /// Every end.
    case always
    /// Every end but a finished one (exit status 0).
    case onFailure = "on-failure"
    /// None.
    case never
}

/// How a worker is emptied before it ends.
public enum DrainRule: String, Hashable, Sendable, Codable, CaseIterable {
    /// `signal` for workers that use the contract (`X_…`, the page), `observe` for all others.
    case auto
    /// It gets the stop-signal and finishes its requests by itself.
    case signal
    /// It finds no new connections, and gets the stop-signal when those that it has are served.
    case observe
}

/// A number of workers, or a percentage of the pool.
public enum Amount: Hashable, Sendable, Codable {
    /// So many workers.
    case count(Int)
    /// So many hundredths of the pool's workers.
    case percent(Int)
}
