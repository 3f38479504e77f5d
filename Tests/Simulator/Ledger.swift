import SuperviseCore

/// What an observer knows who sees every event and every action, and nothing of the machine's inside.
/// The invariants are checked against it.
package struct Ledger: Equatable {
    /// Why a worker is to be replaced, and since when.
    struct Due: Equatable {
        let cause: RecycleCause
        let since: Instant
    }

    /// Why a worker was told to go, and when.
    struct Told: Equatable {
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

    /// A worker of which something is left.
    struct Worker: Equatable {
        let id: WorkerID
        let generation: Int
        let startedAt: Instant
        /// The bounds of the age drawn for it.
        let lifetime: ClosedRange<TimeSpan>?
        let requestLimit: UInt64?
        /// Where it speaks up, perhaps ahead of its limit.
        var bell: UInt64?
        /// Whether it was started as the trial of a generation, and whether its slot had a worker.
        var isCanary = false
        var isBeside = false
        var runsSince: Instant?
        var readyAt: Instant?
        /// Whether it said that it is ready, and whether it was seen waiting on a listener.
        var saidReady = false
        var wasSeen = false
        /// Whether it sent any message of the supervisor's own protocol.
        var usesContract = false
        var requests: UInt64 = 0
        /// Whether the worker itself reported any; what others counted for it is forgotten then.
        var hasReported = false
        var isObserved = false
        var reportedRequests: UInt64 { hasReported ? requests : 0 }
        var memory: UInt64?
        /// `kill-rss` when it was started.
        var killRSS: UInt64?
        /// Its memory before it served anything.
        var ownMemory: UInt64?
        /// The first look at it since it was ready, and the last.
        var firstMemory: UInt64?
        /// The least at any look since it was ready.
        var leastMemory: UInt64?
        var measuredAt: Instant?
        /// How many looks in a row found it over `max-rss`, and for how long that is only expected.
        var looksOver = 0
        var aheadOfCap: Range<Instant>?
        var alarmedAt: Instant?
        var isHardAlarmed = false
        var isWarned = false
        /// Since when its memory is looked at before it goes, and whether that still lasts.
        var evidenceSince: Instant?
        /// The longest time that it may take, by the settings of that moment.
        var evidenceTime = TimeSpan.zero
        var isGathering = false
        var holdUntil: Instant?
        var due: Due?
        var told: Told?
        /// Until when it has to be ready.
        var readyBy: Instant
        /// How often it has to say `WATCHDOG=1`, and by when next, once it has begun to.
        let watchdogTimeout: TimeSpan?
        var watchdogAt: Instant?
        /// When its count last moved.
        var progressAt: Instant?
        /// When the bell was rewritten that it rang, and whether it ever came to its limit.
        var rungAt: Instant?
        var hasReachedLimit = false
        /// How it is emptied, until it gets the stop-signal.
        @Rare var draining: Draining?
        /// Whether a sample of its connections is awaited.
        var awaitsSample = false
        /// The requests that were in flight at its stop-signal.
        @Rare var stopping: Stopping?
        var isSignalled = false
        var isKilled = false
        var hasExited = false
        /// When it has to be killed, and not before.
        var killAt: Instant?

        /// Whether it lives and was not told to go.
        var isKept: Bool { told == nil && !hasExited }
        var serves: Bool { isKept && readyAt != nil }
    }

    struct Slot: Equatable {
        var workers: [Worker] = []
        var lastIncarnation = 0
        var notBefore: Instant?
        /// Whether it may have been taken away and come back, without what came before.
        var isFresh = false
        /// When its last worker failed, if none was stable since.
        var failedAt: Instant?
        var bootFailures = 0
        /// Whether its worker did not boot and none was ready since.
        var isFailing = false
        /// Whether its work is done, and whether the last worker ended with anything but 0.
        var isDone = false
        var hasFailed = false
        /// Whether the next worker waits until what leaves is gone, for want of memory.
        var awaitsRoom = false
        /// A worker that announced its end, the way of which decides what follows.
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
        /// Whether the configuration has it no more.
        var isRemoved = false
        var wanted: Int
        /// The number of workers that was asked for.
        var target: Int
        var slots: [Slot] = []
        /// The canary and its settings, while the reload is undecided.
        @Rare var trial: PoolPolicy?
        var canary: WorkerID?
        /// When the canary was found good.
        var passedAt: Instant?
        /// Whether the pool had nobody who served, at some time of the trial.
        var hadNobody = false
        /// Who is recycled for the sake of all.
        var relief: WorkerID?
        /// Whether a replacement would not fit beside the worker that it replaces.
        var isTight = false
        /// How many old workers made room for the canary.
        var tookSlots = 0
        /// Whether workers finish their requests after the stop-signal, as far as one has shown it.
        var finishesRequests: Bool?
        /// Its listeners that take no new connections.
        @Rare var doors: Doors?
        /// Whether they are held open for those that wait there.
        var holdsListeners = false
        /// The graceful timeout before the last reload.
        var formerGrace: TimeSpan?
        /// When it was last looked whether connections wait, and since when they did at every look, by generation.
        var lookedAt = Instant(nanoseconds: 0)
        var queueWaitsSince: [Int: Instant] = [:]
        /// Whether any worker ever counted anything.
        var hasCounted = false
        /// The shortest and the longest boot so far.
        var bootTimes: ClosedRange<TimeSpan>?
        /// The fastest growth of memory between two looks at a worker, in bytes a second.
        var steepestGrowth = 0.0
        /// Whether the last worker that went as one that grows had not reached its cap.
        var wasMisledByGrowth = false
    }

    package internal(set) var now = Instant(nanoseconds: 0)
    /// When deadlines were told last; one that passed since is not known to the machine yet.
    var deadlinesToldAt = Instant(nanoseconds: 0)
    var pools: [Pool] = []
    var generation = 1
    /// The generation on trial, since when, and its pools.
    var trial: Trial?
    /// The pools of the reload that was told last.
    var pendingPlans: [Service.Plan] = []
    var lastGeneration = 1
    var wasEverReady = false
    var wasRefused = false
    /// When the service was first told to stop.
    var stopToldAt: Instant?
    var stopWasTold: Bool { stopToldAt != nil }
    /// The greatest haste that was asked for.
    var askedHaste: Haste?
    /// When each signal to stop last counted.
    var signalledAt: [Service.StopSignal: Instant] = [:]
    var givenUp: GiveUpReason?
    package internal(set) var exitCode: Int32?
    /// A slot that failed twice and has to say that it backs off, in this step.
    var owesBackoff: Place?
    /// A slot whose work is done by its policy, and that has to be said, in this step.
    var owesDone: Place?
    /// A pool that a reload left with a listener too many, which has to be shut in this step.
    var owesShut: Int?
    /// Workers over the hard cap, which have to be killed in this step.
    var owesKill: Set<WorkerID> = []
    /// Workers over the hard cap, which may be killed in this step.
    var mayKill: Set<WorkerID> = []
    /// Workers over the soft cap, which have to be due in this step, or to raise an alarm.
    var owesRecycle: Set<WorkerID> = []
    /// Whether the last action of this step reports what an event said.
    var hasJustReported = false
    /// A worker that asked for its end, which has to be aborted in this step.
    var owesAbort: WorkerID?
    /// A pool whose queue was looked at, so that those who stand still have to go in this step.
    var owesJudgement: Int?
    /// A worker of which it was said that it is empty, or can't be watched: it has to get the stop-signal
    /// in this step.
    var owesStopSignal: WorkerID?
    /// A worker of which threads have to leave accept(2) in this step.
    var owesInterrupt: WorkerID?
    /// A pool of which it has to be said in this step what its program does with its requests.
    var owesHabit: Int?
    /// A pool that has to stop in this step, since nothing waits at its listeners.
    var owesStop: Int?
    /// What is in flight at workers in truth, when the sample was taken that arrived last.
    var inFlight: [WorkerID: InFlight] = [:]
    /// The pools at whose closed listeners a connection waits in truth.
    var waitingPools: Set<Int> = []
    /// Workers over `warn-rss`, of which that has to be said in this step.
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

    /// The settings that the machine judges this worker by.
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

    /// Workers of which something is left.
    var live: Int { slots.reduce(0) { $0 + $1.workers.count } }
    /// Ready workers that were not told to go.
    var serving: Int { slots.reduce(0) { $0 + $1.workers.count { $0.serves } } }
    var expected: Int { wanted - slots.count { $0.isDone } }
    var budget: Budget { Budget(of: policy, workers: wanted) }
    var isKept: Bool { stage == .running || stage == .parked }

    /// The memory of all workers, as far as it was measured.
    var memory: UInt64 {
        slots.reduce(0) { $0 + $1.workers.reduce(0) { $0 + ($1.memory ?? 0) } }
    }

    /// Slots with a ready worker that is not on trial.
    var covered: Int {
        slots.count { slot in slot.workers.contains { $0.serves && $0.id != canary } }
    }

    /// Slots that have a worker, not counting a canary beside nobody.
    var filled: Int {
        slots.count { slot in
            slot.workers.contains { $0.isKept && !($0.id == canary && $0.isBeside) }
        }
    }
}

extension Ledger.Slot {
    /// The worker that fills the slot, and the one that is to follow it.
    func pair(canary: WorkerID?) -> (incumbent: Ledger.Worker?, replacement: Ledger.Worker?) {
        let places = places(canary: canary)
        return (places.incumbent.map { workers[$0] }, places.replacement.map { workers[$0] })
    }

    /// Their places among the slot's workers.
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

    /// After the commit, what was the canary is newer than a worker that was started since.
    private func isOlder(_ place: Int, than other: Int) -> Bool {
        let (a, b) = (workers[place].generation, workers[other].generation)
        return a == b ? workers[place].id.incarnation <= workers[other].id.incarnation : a < b
    }
}
