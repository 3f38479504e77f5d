/// The state machine of one pool: events and the time go in, a list of actions comes out, and the
/// caller performs them in order. It reads no clock and draws no randomness of its own, so a run is
/// determined by its seed and its events.
///
/// A slot is filled by its *incumbent*. A planned replacement starts beside it where the budget has
/// room (surge), and takes over when it is ready; only then is the incumbent told to go. Where the
/// budget lets a worker be missing instead, the incumbent goes first. Deadlines are data: the caller
/// arms one timer for `nextDeadline`.
///
/// Nothing here scans the slots on an ordinary event. Each change of a slot ends in `refresh`, which
/// keeps the sums (`tally`) and the queues (`deadlines`, `vacancies`, `recycles`) up to date.
public struct Pool: Equatable, Sendable, Codable {
    /// Where the pool stands.
    public enum Stage: Equatable, Sendable, Codable {
        /// Not started. Exits: `running`, `ended` (stopped before its start).
        case idle
        /// Keeps its workers. Exits: `parked`, `stopping`.
        case running
        /// Keeps no workers, but may again. Exits: `running`, `stopping`.
        case parked
        /// Sees its workers off. Exit: `ended`.
        case stopping(Haste)
        /// Has no process left. No exit.
        case ended
    }

    /// Its number among all pools that the master ever had.
    public let number: Int
    /// The settings in force.
    public internal(set) var policy: PoolPolicy
    /// The generation in force.
    public internal(set) var generation: Int
    /// Where the pool stands.
    public internal(set) var stage = Stage.idle
    /// The generation on trial, if any.
    var candidate: Candidate?
    /// Whether any worker ever became ready.
    public internal(set) var hasBeenReady = false
    /// Set when the very first start failed for a reason that an operator has to mend.
    public internal(set) var startImpossible: StartFailure?

    let seed: UInt64
    var slots: [Slot] = []
    var tally = Tally()
    var deadlines = SlotQueue<Instant>()
    var vacancies = SlotQueue<Instant>()
    var recycles = SlotQueue<RecycleRank>()
    /// When its workers are sampled.
    var sampler = Sampler()
    /// How the memory of workers that are gone grew.
    var growthHistory = GrowthHistory()
    /// Workers that exceeded their cap while young, in a row.
    var earlyRecycles = EarlyRecycles()
    /// Whether it was said that workers reach a cap sooner than they can be replaced.
    var hasLeakAlarm = false
    /// What the percentages were last said to come to.
    var toldCaps: MemoryCapBytes?
    /// What was left of the memory at the last look, where that was asked for.
    var room: MemoryRoom?
    /// Whether no other pool is about to give memory back.
    var mayRelievePressure = false
    /// Whether a replacement would not fit beside the worker that it replaces.
    var isTight = false
    /// Who is recycled for the sake of all; nobody else is before it is gone.
    var relief: WorkerID?
    /// The shortage that was said to be beyond help, as long as it lasts.
    var alarmedShortage: RecycleCause?
    /// The generations on whose listeners connections have waited at every look.
    var queueWaits: [QueueWait] = []
    /// Whether any worker of this pool ever counted a request.
    var hasCounted = false
    /// What was learnt of boots and rates, to start replacements ahead of a limit.
    var pace = Pace()
    /// Whether any program of this pool was ever run.
    var hasRun = false
    /// What the program was seen to do after the stop-signal.
    @Rare var stopHabit: StopHabit?
    /// Whether workers of an older generation are being replaced.
    var isRollingOut = false
    /// Until when workers of an older generation stay at the latest, to serve those that wait at a
    /// listener which the one in force does without.
    var emptyingUntil: Instant?
    /// What was seen so far: counters and the last exits.
    public internal(set) var history = History()
    var outbox = Outbox<Action>()

    /// A pool with these settings. Equal seeds make equal draws.
    public init(number: Int, policy: PoolPolicy, generation: Int = 1, seed: UInt64) {
        self.number = number
        self.policy = policy
        self.generation = generation
        self.seed = seed
    }

    /// Handles one event and returns what is to be done, in order.
    public mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        switch event {
        case .start: start(at: now)
        case .deadline: expireDeadlines(at: now)
        case .late(let span): shiftDeadlines(by: span, at: now)
        case .sampled(let sample, let mayRelieve):
            take(sample, mayRelieve: mayRelieve, at: now)
        case .worker(let id, let news): handle(news, of: id, at: now)
        case .resize(let change): resize(by: change, at: now)
        case .recycle(let slot): recycle(slot, at: now)
        case .park: park(at: now)
        case .unpark: unpark(at: now)
        case .prepare(let generation, let policy): prepare(generation, policy, at: now)
        case .commit(let isEmptying): commit(isEmptying: isEmptying, at: now)
        case .emptied: endEmptying(at: now)
        case .abort: abort(at: now)
        case .stop(let haste, let grace): stop(haste, within: grace, at: now)
        }
        settle(at: now)
        return outbox.take()
    }

    /// When `deadline` has to be told next, if nothing else happens before.
    public var nextDeadline: Instant? {
        Instant.earliest(
            Instant.earliest(deadlines.first?.key, candidate?.deadline), sampler.deadline)
    }

    /// The number of workers that the pool keeps at present.
    public var size: Int { tally.wanted }
    /// The number of ready workers that were not told to go.
    public var servingCount: Int { tally.serving }
    /// The number of slots with a ready worker of the generation in force.
    public var renewedCount: Int { tally.renewed }
    /// The number of workers with a living process, or with processes left behind.
    public var liveCount: Int { tally.live }
    /// The memory of all workers at their last looks, in bytes.
    public var memoryBytes: UInt64 { UInt64(max(0, tally.memory)) }
    /// Whether its workers' memory is measured all the time.
    public var isSampled: Bool { sampler.memoryAt != nil }
    /// Whether every slot is done for good and no process is left.
    public var isDone: Bool {
        stage == .running && tally.wanted > 0 && tally.done == tally.wanted && tally.live == 0
    }
    /// Whether the last worker of any done slot ended with anything but 0.
    public var hasDoneFailures: Bool { tally.doneFailed > 0 }
    /// Whether every slot failed to boot `boot-attempts` times in a row.
    public var hasExhaustedBoots: Bool { tally.wanted > 0 && tally.exhausted == tally.wanted }
    /// Whether every worker is of the generation in force and every slot that is not done serves; or
    /// nobody is meant to, as in a parked pool.
    public var isSettled: Bool {
        !isRollingOut && (stage != .running || tally.covered >= expected)
    }
    /// The budget at the pool's present size.
    public var budget: Budget { Budget(of: policy, workers: tally.wanted) }

    private mutating func start(at now: Instant) {
        guard stage == .idle else { return }
        stage = .running
        addSlots(policy.workers, at: now)
        scheduleSampling(at: now)
        scheduleProgress(at: now)
    }

    /// Does all that the budget allows now.
    mutating func settle(at now: Instant) {
        fillVacancies(at: now)
        advanceRecycles(at: now)
        advanceCandidate(at: now)
        // Either may have made a place that can be taken at once.
        fillVacancies(at: now)
        noteProgress()
    }

    private mutating func expireDeadlines(at now: Instant) {
        while let (slot, deadline) = deadlines.first, deadline <= now {
            expire(slot, at: now)
            refresh(slot, at: now)
        }
        expireSampling(at: now)
    }

    private mutating func noteProgress() {
        if isRollingOut, tally.outdated == 0 {
            isRollingOut = false
            note(.rolledOut(pool: number, generation: generation))
        }
        if case .stopping = stage, tally.live == 0 {
            stage = .ended
            sampler.end()
            note(.ended(pool: number))
        }
    }

    mutating func note(_ notice: Notice) {
        record(notice)
        outbox.append(.note(notice))
    }
}
