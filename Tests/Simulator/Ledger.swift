import SuperviseCore

/// The knowledge of an observer who sees every event and every action, but not the machine's state.
/// The invariants are checked against it.
package struct Ledger: Equatable {
    /// The cause of a due worker, and the time since which it is due.
    struct Due: Equatable {
        let cause: RecycleCause
        let since: Instant
    }

    /// A cause besides a stuck request, and the time for which an excess is only expected.
    struct OtherCause: Equatable {
        let cause: RecycleCause
        var aheadOfCap: Range<Instant>?
    }

    /// The cause of a retirement and its time.
    struct Retirement: Equatable {
        let cause: RetireCause
        let at: Instant
    }

    struct Trial: Equatable {
        let generation: Int
        let since: Instant
        let plans: [Service.Plan]
    }

    struct Place: Equatable {
        let pool: Int
        let slot: Int
    }

    /// A worker with at least one remaining process.
    struct Worker: Equatable {
        let id: WorkerID
        let generation: Int
        let startedAt: Instant
        /// The bounds of its drawn lifetime.
        let lifetime: ClosedRange<TimeSpan>?
        let requestLimit: UInt64?
        /// The count at which it notifies the master, possibly ahead of its limit.
        var notifyThreshold: UInt64?
        /// Whether it was started as the canary of a generation, and whether its slot had a worker.
        var isCanary = false
        var isBeside = false
        var runsSince: Instant?
        var readyAt: Instant?
        /// Whether it reported that it is ready, and whether it was seen waiting on a listener.
        var reportedReady = false
        var wasSeen = false
        /// Whether it sent any message of the supervisor's own protocol.
        var usesContract = false
        var requests: UInt64 = 0
        /// Whether the worker itself reported any; external counts are then ignored.
        var hasReported = false
        var isObserved = false
        var reportedRequests: UInt64 { hasReported ? requests : 0 }
        var memory: UInt64?
        /// `kill-rss` when it was started.
        var killRSS: UInt64?
        /// Its memory before it served any request.
        var ownMemory: UInt64?
        /// The first memory sample since it was ready, and the last.
        var firstMemory: UInt64?
        /// The lowest memory sample since it was ready.
        var leastMemory: UInt64?
        var measuredAt: Instant?
        /// The number of consecutive samples above `max-rss`, and the time for which an excess is
        /// only expected.
        var samplesOver = 0
        var aheadOfCap: Range<Instant>?
        var alarmedAt: Instant?
        var isHardAlarmed = false
        var isWarned = false
        /// The start of the evidence command, and whether it is still running.
        var evidenceSince: Instant?
        /// The maximum time of the command under the settings at its start.
        var evidenceTime = TimeSpan.zero
        var isGathering = false
        var holdUntil: Instant?
        var due: Due?
        var retirement: Retirement?
        /// The deadline for being ready.
        var readyBy: Instant
        /// The interval of `WATCHDOG=1`, and the deadline of the next one once it has sent the
        /// first.
        let watchdogTimeout: TimeSpan?
        var watchdogAt: Instant?
        /// The time at which its count last changed.
        var progressAt: Instant?
        /// The time at which the threshold that it reached was rewritten, and whether it ever
        /// reached its limit.
        var notifiedAt: Instant?
        var hasReachedLimit = false
        /// The state of its drain, until it gets the stop-signal.
        @Rare var draining: Draining?
        /// Whether a sample of its connections is awaited.
        var awaitsSample = false
        /// The requests that were in flight at its stop-signal.
        @Rare var stopping: Stopping?
        var isSignalled = false
        /// Whether a request is stuck, and what remains of its causes without that.
        var isStuck = false
        @Rare var other: OtherCause?
        var isKilled = false
        var hasExited = false
        /// The time at which it must be killed, and not earlier.
        var killAt: Instant?

        /// Whether it is alive and not retiring.
        var isKept: Bool { retirement == nil && !hasExited }
        var serves: Bool { isKept && readyAt != nil }
    }

    struct Slot: Equatable {
        var workers: [Worker] = []
        var lastIncarnation = 0
        var notBefore: Instant?
        /// Whether it may have been removed and added again, without its earlier state.
        var isFresh = false
        /// The time at which its last worker failed, if none has been stable since.
        var failedAt: Instant?
        var bootFailures = 0
        /// Whether its worker failed to boot and none has been ready since.
        var isFailing = false
        /// Whether its work is done, and whether the last worker ended with a status other than 0.
        var isDone = false
        var hasFailed = false
        /// Whether the next worker waits until the retiring ones are gone, because memory is short.
        var awaitsRoom = false
        /// A worker that announced its end. The way of its end decides what follows.
        var awaited: Int?
    }

    enum Stage: Equatable {
        case running
        case parked
        case stopping(Haste)
        case ended
    }

    struct Pool: Equatable {
        let name: String
        @Kept var policy: PoolPolicy
        var stage = Stage.running
        /// Whether the configuration no longer contains it.
        var isRemoved = false
        var wanted: Int
        /// The requested number of workers.
        var target: Int
        var slots: [Slot] = []
        /// The canary and its settings, while the reload is undecided.
        @Rare var trial: PoolPolicy?
        var canary: WorkerID?
        /// The responses of the canary and of the old workers.
        @Rare var canaryTrial: CanaryTrial?
        /// The time at which the canary passed.
        var passedAt: Instant?
        /// Whether the pool had no serving worker at some time during the trial.
        var hadNoWorker = false
        /// The worker that is recycled for the memory of all.
        var relief: WorkerID?
        /// Whether a replacement would not fit into memory beside the worker that it replaces.
        var isTight = false
        /// The number of old workers that made room for the canary.
        var tookSlots = 0
        /// Whether workers finish their requests after the stop-signal, if a worker has shown it.
        var finishesRequests: Bool?
        /// Its listeners that accept no new connections.
        @Rare var closing: ClosingQueues?
        /// Whether they are held open for waiting connections.
        var holdsListeners = false
        /// The graceful timeout before the last reload.
        var formerGrace: TimeSpan?
        /// The time of the last poll of the queue and, per generation, the time since which
        /// connections waited at every poll.
        var polledAt = Instant(nanoseconds: 0)
        var queueWaitsSince: [Int: Instant] = [:]
        /// The workers that have a stuck request and must be replaced, by the last sample.
        var stuck: Set<WorkerID> = []
        /// The time since which most workers wait.
        var hangsSince: Instant?
        /// The time of the last stop of a stuck worker, and of the end of the last lost time.
        var stuckStoppedAt: Instant?
        var resumedAt: Instant?
        /// Whether any worker ever counted a request.
        var hasCounted = false
        /// The shortest and the longest boot so far.
        var bootTimes: ClosedRange<TimeSpan>?
        /// The fastest growth of memory between two samples of a worker, in bytes per second.
        var steepestGrowth = 0.0
        /// Whether the last worker that was recycled for an expected cap had not reached it.
        var wasMisledByGrowth = false
    }

    package internal(set) var now = Instant(nanoseconds: 0)
    /// The time of the last expiry of deadlines. The machine does not know yet of those that passed
    /// since.
    var deadlinesHandledAt = Instant(nanoseconds: 0)
    var pools: [Pool] = []
    var generation = 1
    /// The generation on trial, its start, and its pools.
    var trial: Trial?
    /// The pools of the last requested reload.
    var pendingPlans: [Service.Plan] = []
    var lastGeneration = 1
    var wasEverReady = false
    var wasRefused = false
    /// The time at which the service was first asked to stop.
    var stopRequestedAt: Instant?
    var stopWasRequested: Bool { stopRequestedAt != nil }
    /// The fastest stop mode requested so far.
    var askedHaste: Haste?
    /// The time at which each stop signal last counted.
    var signalledAt: [Service.StopSignal: Instant] = [:]
    /// The molds that live, and the generations of which one failed or was given up.
    var molds: [MoldID: Mold] = [:]
    var moldFailures: Set<Generation> = []
    var moldsGivenUp: Set<Generation> = []
    var givenUp: GiveUpReason?
    package internal(set) var exitCode: Int32?
    /// A slot that failed twice and must report its backoff in this step.
    var owesBackoff: Place?
    /// A slot whose work is done under its policy, which must be reported in this step.
    var owesDone: Place?
    /// A pool that a reload left with an unused listener, which must be closed in this step.
    var owesShut: Int?
    /// Workers above the hard cap, which must be killed in this step.
    var owesKill: Set<WorkerID> = []
    /// Workers above the hard cap, which may be killed in this step.
    var mayKill: Set<WorkerID> = []
    /// Workers above the soft cap, which must become due or raise an alarm in this step.
    var owesRecycle: Set<WorkerID> = []
    /// Whether the last action of this step reports the content of an event.
    var hasJustReported = false
    /// A worker that requested its end, which must be aborted in this step.
    var owesAbort: WorkerID?
    /// A pool whose queue was polled, so that its stalled workers must be stopped in this step.
    var owesJudgement: Int?
    /// A worker whose drain was reported as complete or impossible. It must get the stop-signal in
    /// this step.
    var owesStopSignal: WorkerID?
    /// A worker whose threads must leave accept(2) in this step.
    var owesInterrupt: WorkerID?
    /// A pool for which this step must report whether its program finishes its requests.
    var owesHabit: Int?
    /// A pool whose requests were sampled in this step, and whether it began to hang.
    var requestsSampledOf: Int?
    var owesHang = false
    /// A pool that must stop in this step, because no connection waits at its listeners.
    var owesStop: Int?
    /// The actual requests in flight at workers when the last received sample was taken.
    var inFlight: [WorkerID: InFlight] = [:]
    /// The pools at whose closed listeners a connection actually waits.
    var waitingPools: Set<Int> = []
    /// Workers above `warn-rss`, which must be reported in this step.
    var owesWarning: Set<WorkerID> = []

    package init(_ plans: [Service.Plan]) {
        pools = Ledger.sharingMemory(plans).map(Pool.init)
    }

    func worker(_ id: WorkerID) -> Worker? {
        place(of: id).map { pools[id.pool].slots[id.slot].workers[$0] }
    }

    func place(of id: WorkerID) -> Int? {
        guard pools.indices.contains(id.pool), pools[id.pool].slots.indices.contains(id.slot)
        else { return nil }
        return pools[id.pool].slots[id.slot].workers.firstIndex { $0.id == id }
    }

    mutating func change(_ id: WorkerID, _ adjust: (inout Worker) -> Void) {
        guard let place = place(of: id) else { return }
        adjust(&pools[id.pool].slots[id.slot].workers[place])
    }

    mutating func remove(_ id: WorkerID) {
        guard let place = place(of: id) else { return }
        pools[id.pool].slots[id.slot].workers.remove(at: place)
    }

    /// Returns the settings that the machine applies to this worker.
    func policy(of worker: Worker) -> PoolPolicy {
        if let trial, trial.generation == worker.generation,
            let policy = pools[worker.id.pool].trial
        {
            return policy
        }
        return pools[worker.id.pool].policy
    }

    func isOnTrial(_ id: WorkerID) -> Bool {
        trial != nil && pools[id.pool].canary == id
    }
}

extension Ledger.Pool {
    init(_ plan: Service.Plan) {
        self.init(
            name: plan.name, policy: plan.policy, wanted: plan.policy.workers,
            target: plan.policy.workers)
    }

    /// The number of workers with a remaining process.
    var live: Int { slots.reduce(0) { $0 + $1.workers.count } }
    /// The number of ready workers that are not retiring.
    var serving: Int { slots.reduce(0) { $0 + $1.workers.count { $0.serves } } }
    var expected: Int { wanted - slots.count { $0.isDone } }
    var budget: Budget { Budget(of: policy, workers: wanted) }
    var isKept: Bool { stage == .running || stage == .parked }

    /// The memory of all workers that were sampled.
    var memory: UInt64 {
        slots.reduce(0) { $0 + $1.workers.reduce(0) { $0 + ($1.memory ?? 0) } }
    }

    /// The number of slots with a ready worker that is not on trial.
    var covered: Int {
        slots.count { slot in slot.workers.contains { $0.serves && $0.id != canary } }
    }

    /// The number of slots that have a worker, without a canary that is alone in its slot.
    var filled: Int {
        slots.count { slot in
            slot.workers.contains { $0.isKept && !($0.id == canary && $0.isBeside) }
        }
    }
}

extension Ledger.Slot {
    /// Returns the worker that fills the slot, and its replacement.
    func pair(canary: WorkerID?) -> (incumbent: Ledger.Worker?, replacement: Ledger.Worker?) {
        let places = places(canary: canary)
        return (places.incumbent.map { workers[$0] }, places.replacement.map { workers[$0] })
    }

    /// Returns their indices among the slot's workers.
    func places(canary: WorkerID?) -> (incumbent: Int?, replacement: Int?) {
        var (first, second, trial): (Int?, Int?, Int?) = (nil, nil, nil)
        for place in workers.indices where workers[place].isKept {
            if trial == nil, workers[place].id == canary, workers[place].isBeside {
                trial = place
                continue
            }
            if let older = first, isOlder(older, than: place) {
                if second.map({ isOlder(place, than: $0) }) ?? true { second = place }
            } else {
                second = first
                first = place
            }
        }
        return (first, trial ?? second)
    }

    /// After the commit, the former canary is newer than a worker that was started since.
    private func isOlder(_ place: Int, than other: Int) -> Bool {
        let (a, b) = (workers[place].generation, workers[other].generation)
        return a == b ? workers[place].id.incarnation <= workers[other].id.incarnation : a < b
    }
}
