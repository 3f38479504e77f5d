import SuperviseCore

/// The invariants of the number of workers in an elastic pool.
package enum ElasticInvariant: String, CaseIterable, Sendable {
    case withinBounds = "the size is within the bounds"
    case atMostDoubling = "the size at most doubles per second"
    case needsAReason = "workers are added for connections that wait"
    case bootingOnesCount = "workers that boot count"
    case oneReversal = "no worker is removed soon after one was added"
    case oneAtATime = "workers are removed one at a time"
    case largestFirst = "the worker with the most memory goes first"
    case spareOnesGo = "only workers that are not needed are removed"
    case drainedFirst = "a worker that is removed is drained"
    case fitsIntoMemory = "workers that are added fit into memory"
    case blockIsReported = "a pool that memory limits reports it"
    case queueIsServed = "a queue gets workers in bounded time"
    case idleOnesSleep = "an idle pool has no deadline and awaits a connection"
    case returnsToMinimum = "without load the size returns to the minimum"
    case reloadsTryACanary = "a reload of a pool without workers tries a canary"
    case canaryStops = "the canary of a pool without load stops"
    case terminates = "a run comes to an end"
}

/// The knowledge of an observer of an elastic pool.
struct ElasticLedger {
    struct Up {
        let at: Instant
        let cause: ScaleCause
    }

    var policy: PoolPolicy
    var bounds: WorkerBounds
    var pending: [Int: PoolPolicy] = [:]
    var isParked = false
    var isStopping = false
    var lastUp: Up?
    /// The workers that were removed and exist.
    var removed: Set<WorkerID> = []
    var drained: Set<WorkerID> = []
    /// The last end of a worker that was removed.
    var lastRemoval: Instant?
    var isArmed = false
    var blockedAt: Instant?
    /// The time from which nothing disturbed the pool: no lost time, no operator, no failure.
    var calmSince = Instant(nanoseconds: 0)
    /// The last sampled memory of each worker.
    var memory: [WorkerID: UInt64] = [:]
    var generation = 1
    var canaryOf: Set<Int> = []
    /// The generation that was prepared while the pool had no worker.
    var preparedAsleep: Int?
    var wasVisited = false

    init(_ policy: PoolPolicy) {
        self.policy = policy
        bounds = policy.bounds ?? WorkerBounds(minimum: 0, maximum: 1)
    }
}
