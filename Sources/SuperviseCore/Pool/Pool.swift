/// The state machine of one pool. Its input is events with their time, and its output is a list of
/// actions that the caller performs in order. It reads no clock and draws no random numbers of its
/// own, so the seed and the events determine a run.
///
/// A slot is filled by its *incumbent*. A planned replacement starts beside it if the budget has
/// room (surge), and takes over when it is ready. Only then is the incumbent stopped. If the budget
/// allows a worker to be missing, the incumbent stops first. Deadlines are data: the caller arms
/// one timer for `nextDeadline`.
///
/// No ordinary event scans the slots. Each change of a slot ends in `refresh`, which updates the
/// sums (`tally`) and the queues (`deadlines`, `vacancies`, `recycles`).
public struct Pool: Equatable, Sendable, Codable {
    /// The state of the pool.
    public enum Stage: Equatable, Sendable, Codable {
        /// Not started. Exits: `running`, `ended` (stopped before its start).
        case idle
        /// Keeps its workers running. Exits: `parked`, `stopping`.
        case running
        /// Keeps no workers until it is resumed. Exits: `running`, `stopping`.
        case parked
        /// Waits for its workers to end. Exit: `ended`.
        case stopping(Haste)
        /// Has no process left. No exit.
        case ended
    }

    /// Its number among all pools that the master has ever had.
    public let number: Int
    /// The current settings.
    public internal(set) var policy: PoolPolicy
    /// The current generation.
    public internal(set) var generation: Int
    /// The state of the pool.
    public internal(set) var stage = Stage.idle
    /// The generation on trial, if any.
    var candidate: Candidate?
    /// The processes that workers are forked from.
    @Rare var molds: Molds
    /// Whether any worker ever became ready.
    public internal(set) var hasBeenReady = false
    /// Set if the very first start failed for a reason that an operator must fix.
    public internal(set) var startImpossible: StartFailure?

    let seed: UInt64
    var slots: [Slot] = []
    var tally = Tally()
    var deadlines = SlotQueue<Instant>()
    var vacancies = SlotQueue<Instant>()
    var recycles = SlotQueue<RecycleRank>()
    /// The schedule of its samples.
    var sampler = Sampler()
    /// The number of workers, if it follows the load.
    @Rare var elastic: Elastic
    /// The memory growth of workers that have ended.
    var growthHistory = GrowthHistory()
    /// Consecutive workers that exceeded their cap while young.
    var earlyRecycles = EarlyRecycles()
    /// Whether it was reported that workers reach a cap sooner than they can be replaced.
    var hasLeakAlarm = false
    /// The last reported sizes of the percentages.
    var reportedCaps: MemoryCapBytes?
    /// The free memory at the last sample, if that was requested.
    var room: MemoryRoom?
    /// Whether no other pool is about to release memory.
    var mayRelievePressure = false
    /// Whether a replacement would not fit into memory beside the worker that it replaces.
    var isTight = false
    /// The worker that is recycled for the memory of all. No other one is until it has exited.
    var relief: WorkerID?
    /// The shortage that was reported as one that recycling cannot end, while it lasts.
    var alarmedShortage: RecycleCause?
    /// The generations on whose listeners connections have waited at every poll.
    var queueWaits: [QueueWait] = []
    /// The state of requests that get no response.
    @Rare var stuckState: StuckState
    /// Whether any worker of this pool ever counted a request.
    var hasCounted = false
    /// The measured boot times and rates, to start replacements ahead of a limit.
    var pace = Pace()
    /// Whether any program of this pool ever ran.
    var hasRun = false
    /// The observed behaviour of the program after the stop-signal.
    @Rare var stopHabit: StopHabit?
    /// The runs by a schedule.
    @Rare var runs: Runs
    /// The hunt in progress.
    @Rare var hunt: Hunt?
    /// Whether workers of an older generation are being replaced.
    var isRollingOut = false
    /// The time limit for workers of an older generation that serve waiting connections on a
    /// listener that the current generation lacks.
    var emptyingUntil: Instant?
    /// Counters and the last exits.
    public internal(set) var history = History()
    var outbox = Outbox<Action>()

    /// Creates a pool with these settings. Equal seeds produce equal draws.
    public init(number: Int, policy: PoolPolicy, generation: Int = 1, seed: UInt64) {
        self.number = number
        self.policy = policy
        self.generation = generation
        self.seed = seed
    }

    /// Handles one event and returns the actions in order.
    public mutating func handle(_ event: PoolEvent, at now: Instant) -> [Action] {
        switch event {
        case .start: start(at: now)
        case .deadline: expireDeadlines(at: now)
        case .late(let span): shiftDeadlines(by: span, at: now)
        case .sampled(let sample, let mayRelieve):
            take(sample, mayRelieve: mayRelieve, at: now)
        case .worker(let id, let news): handle(news, of: id, at: now)
        case .mold(let id, let news): handle(news, of: id, at: now)
        case .resize(let change): resize(by: change, at: now)
        case .setBounds(let bounds): setBounds(bounds, at: now)
        case .connectionAnnounced: connectionAnnounced(at: now)
        case .recycle(let slot): recycle(slot, at: now)
        case .run(let event): handle(event, at: now)
        case .hunt(let event): handle(event, at: now)
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

    /// The time of the next `deadline` event, if no other event occurs before.
    public var nextDeadline: Instant? {
        Instant.earliest(
            Instant.earliest(deadlines.first?.key, candidate?.deadline),
            Instant.earliest(
                Instant.earliest(sampler.deadline, molds.deadline),
                Instant.earliest(runs.next?.at, hunt?.deadline)))
    }

    /// Whether the pool may start workers now or later.
    var isKept: Bool { stage == .running || stage == .parked }

    /// The current number of workers that the pool keeps.
    public var size: Int { tally.wanted }
    /// The number of ready workers that are not retiring.
    public var servingCount: Int { tally.serving }
    /// The number of slots with a ready worker of the current generation.
    public var renewedCount: Int { isScheduled ? tally.wanted : tally.renewed }
    /// The number of workers with a running process, or with processes left behind.
    public var liveCount: Int { tally.live + tally.hunted }
    /// The sum of the last memory samples of the workers and the molds, in bytes.
    public var memoryBytes: UInt64 { UInt64(max(0, tally.memory)) + molds.memoryBytes }
    /// The last memory sample of its largest worker in bytes; 0 without samples. Scans all slots.
    public var largestMemoryBytes: UInt64 {
        slots.reduce(0) { largest, slot in
            slot.leaving.reduce(
                max(largest, slot.incumbent?.memoryBytes ?? 0, slot.replacement?.memoryBytes ?? 0)
            ) { max($0, $1.memoryBytes ?? 0) }
        }
    }
    /// Whether its workers' memory is sampled continuously.
    public var isSampled: Bool { sampler.memoryAt != nil }
    /// Whether every slot is done permanently and no process is left.
    public var isDone: Bool {
        stage == .running && !isScheduled && tally.wanted > 0 && tally.done == tally.wanted
            && tally.live + tally.hunted == 0
    }
    /// Whether the last worker of any done slot ended with a status other than 0.
    public var hasDoneFailures: Bool { tally.doneFailed > 0 }
    /// Whether every slot failed to boot `boot-attempts` times in a row.
    public var hasExhaustedBoots: Bool { tally.wanted > 0 && tally.exhausted == tally.wanted }
    /// Whether every worker is of the current generation and every slot that is not done serves.
    /// Also true if the pool is meant to have no workers, as when parked.
    public var isSettled: Bool {
        !isRollingOut && (stage != .running || isScheduled || tally.covered >= expected)
    }
    /// The budget at the pool's current size.
    public var budget: Budget { Budget(of: policy, workers: tally.wanted) }

    private mutating func start(at now: Instant) {
        guard stage == .idle else { return }
        stage = .running
        molds.current = makeMold(generation, policy, at: now)
        addSlots(policy.bounds?.minimum ?? policy.workers, at: now)
        beginScaling(at: now)
        beginSchedule(after: nil)
        scheduleSampling(at: now)
        scheduleProgress(at: now)
        scheduleRequests(at: now)
    }

    /// Performs everything that the budget allows now.
    mutating func settle(at now: Instant) {
        beginQueuedRun(at: now)
        bootNeededMold(at: now)
        fillVacancies(at: now)
        advanceRecycles(at: now)
        advanceCandidate(at: now)
        // Either may have freed a slot that can be used immediately.
        fillVacancies(at: now)
        advanceMolds(at: now)
        noteProgress()
    }

    private mutating func expireDeadlines(at now: Instant) {
        while let (slot, deadline) = deadlines.first, deadline <= now {
            expire(slot, at: now)
            refresh(slot, at: now)
        }
        expireMolds(at: now)
        expireRun(at: now)
        expireHunt(at: now)
        expireSampling(at: now)
        expireCanaryCheck(at: now)
    }

    private mutating func noteProgress() {
        // A run in progress belongs to its own generation until it ends.
        if isRollingOut, isScheduled || tally.outdated == 0 {
            isRollingOut = false
            note(.rolledOut(pool: number, generation: generation))
        }
        if case .stopping = stage, tally.live + tally.hunted == 0, molds.isEmpty {
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
