/// All pools of one master, and what they have in common: signals to the master, the reload as one
/// transaction over all pools, and the end with its exit code. Pure, as the pools are.
public struct Service: Equatable, Sendable, Codable {
    /// Inputs to the service. Each is handled at a given time.
    public enum Event: Equatable, Sendable {
        /// Start every pool.
        case start
        /// `nextDeadline` was reached. Comes after all other events of the turn.
        case deadline
        /// The master could not run for this long. Comes before all other events of the turn.
        case late(by: TimeSpan)
        /// An event of a worker.
        case worker(WorkerID, WorkerEvent)
        /// News of a mold.
        case mold(MoldID, MoldEvent)
        /// This pool was sampled.
        case sampled(pool: Int, PoolSample)
        /// The memory limit that percentages refer to has changed.
        case memoryLimit(bytes: UInt64)
        /// This many more workers (or, negative, fewer) in this pool.
        case resize(pool: Int, by: Int)
        /// The bounds of this elastic pool.
        case setBounds(pool: Int, WorkerBounds)
        /// A connection arrived at a listener of this pool, as the response to `awaitConnection`.
        case connectionAnnounced(pool: Int)
        /// Replace the worker of this slot of a pool, or of all its slots if it is nil.
        case recycle(pool: Int, slot: Int?)
        /// An event about the runs of this pool.
        case run(pool: Int, RunEvent)
        /// An event about the hunt of this pool.
        case hunt(pool: Int, HuntEvent)
        /// Retire the workers of all pools, and keep the pools.
        case park
        /// Roll over to these pools. A pool is identified by its name.
        case reload([Plan])
        /// A sample of the listeners of this pool that `closeListeners` closed, as the response to
        /// `sampleListeners`.
        case listeners(pool: Int, ListenerSample)
        /// Stop the service.
        case stop(Haste)
        /// A signal that stops the service was received.
        case stopSignal(StopSignal)
    }

    /// Outputs of the service.
    public enum Action: Equatable, Sendable {
        /// An action of a pool.
        case perform(SuperviseCore.Action)
        /// The settings of this generation become current.
        case activate(generation: Int)
        /// This generation was abandoned.
        case discard(generation: Int)
        /// Take no new connections on the listeners of this pool that no other pool, and no newer
        /// generation of it, has.
        case closeListeners(pool: Int)
        /// The listeners that `closeListeners` closed are no longer sampled.
        case releaseListeners(pool: Int)
        /// Sample the queues of the listeners that `closeListeners` closed. The response is
        /// `listeners`.
        case sampleListeners(pool: Int)
        /// End the master with this exit code.
        case exit(Int32)
    }

    /// A pool in the configuration.
    public struct Plan: Equatable, Sendable, Codable {
        /// The pool's name.
        public var name: String
        /// Its settings.
        public var policy: PoolPolicy
        /// Whether the new configuration lacks a listener that the pool has.
        public var dropsListeners: Bool

        /// Creates a plan.
        public init(name: String, policy: PoolPolicy, dropsListeners: Bool = false) {
            self.name = name
            self.policy = policy
            self.dropsListeners = dropsListeners
        }
    }

    /// A pool with its name. A pool keeps its name; numbers are never reused.
    public struct Member: Equatable, Sendable, Codable {
        /// The pool's name.
        public let name: String
        /// The generation that added it.
        let since: Int
        /// The pool.
        public internal(set) var pool: Pool
        /// Whether the current configuration lacks it. It keeps serving until the pools that the
        /// same reload added can serve.
        public internal(set) var isRemoved = false
        /// The progress of its graceful stop, before the pool itself stops.
        var closing: Closing?
        /// Its listeners that take no new connections, until nothing waits there.
        var closingListeners: ClosingListeners?
    }

    /// The pools, in the order of the configuration; those that a reload removed are last, until
    /// their last process is gone.
    public internal(set) var members: [Member] = []
    /// The pools that ended with the last event, because its actions still refer to them.
    private var departed: [Member] = []
    /// The current generation.
    public internal(set) var generation = 1
    /// The reload in progress, until it is committed or aborted.
    var reload: Reload?
    /// The exit code, once it is decided.
    var exitCode: Int32?
    /// The mode of the service's stop; nil if it does not stop.
    public internal(set) var haste: Haste?
    /// The stop signals received so far.
    var stopSignals: StopSignals?
    /// The newest generation so far. The next reload has the one after it.
    public internal(set) var lastGeneration = 1
    /// The state of the last reload.
    public internal(set) var rollout: RolloutRecord?
    var nextNumber = 0
    var isRollingOut = false
    /// Whether a worker of any pool, including removed pools, ever became ready.
    var hasBeenReady = false
    let seed: UInt64
    var outbox = Outbox<Action>()

    /// Creates a service of these pools. Equal seeds produce equal draws.
    public init(_ plans: [Plan], seed: UInt64) {
        self.seed = seed
        for plan in Service.sharingMemory(plans) { add(plan) }
    }

    /// Handles one event and returns the actions in order.
    public mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        departed = []
        switch event {
        case .start:
            shareMemory()
            sendToAll(.start, at: now)
        case .deadline: expireDeadlines(at: now)
        case .late(let span):
            for index in members.indices {
                members[index].closing?.shift(by: span)
                members[index].closingListeners?.shift(by: span)
            }
            stopSignals?.shift(by: span)
            sendToAll(.late(by: span), at: now)
        case .worker(let id, let news):
            if let index = index(ofPool: id.pool) { send(index, .worker(id, news), at: now) }
        case .mold(let id, let news):
            if let index = index(ofPool: id.pool) { send(index, .mold(id, news), at: now) }
        case .sampled(let pool, let sample): take(sample, ofPool: pool, at: now)
        case .resize(let pool, let change): resize(pool, by: change, at: now)
        case .setBounds(let pool, let bounds): setBounds(of: pool, bounds, at: now)
        case .connectionAnnounced(let pool):
            if let index = index(ofPool: pool) { send(index, .connectionAnnounced, at: now) }
        case .memoryLimit(let bytes): setMemoryLimit(bytes)
        case .run(let pool, let event): handle(event, ofPool: pool, at: now)
        case .hunt(let pool, let event): handle(event, ofPool: pool, at: now)
        case .park: if exitCode == nil { sendToAll(.park, at: now) }
        case .listeners(let pool, let sample): listenersSampled(sample, ofPool: pool, at: now)
        case .recycle(let pool, let slot):
            if exitCode == nil, let index = index(ofPool: pool) {
                send(index, .recycle(slot: slot), at: now)
            }
        case .reload(let plans): reload(to: plans, at: now)
        case .stop(let haste): stop(haste, exitCode: ExitCode.stopped, at: now)
        case .stopSignal(let signal):
            if let haste = haste(of: signal, at: now) {
                stop(haste, exitCode: ExitCode.stopped, at: now)
            }
        }
        advanceReload(at: now)
        decideEnd(at: now)
        return outbox.take()
    }

    /// The time of the next `deadline` event, if no other event occurs before.
    public var nextDeadline: Instant? {
        members.reduce(nil) { next, member in
            Instant.earliest(
                next,
                Instant.earliest(member.pool.nextDeadline, member.closing?.deadline),
                Instant.earliest(
                    member.closingListeners?.sampleAt, member.closingListeners?.until))
        }
    }

    /// Whether a reload waits for its canaries.
    public var isReloading: Bool { reload != nil }

    /// Returns the pool of this number with its name, also one that ended with the last event.
    public func member(_ number: Int) -> Member? {
        index(ofPool: number).map { members[$0] }
            ?? departed.first { $0.pool.number == number }
    }

    mutating func add(_ plan: Plan) {
        members.append(
            Member(
                name: plan.name, since: generation,
                pool: Pool(
                    number: nextNumber, policy: plan.policy, generation: generation,
                    seed: seed &+ UInt64(nextNumber) &* 0x9E37_79B9_7F4A_7C15)))
        nextNumber += 1
    }

    func index(ofPool number: Int) -> Int? {
        members.firstIndex { $0.pool.number == number }
    }

    mutating func send(_ index: Int, _ event: PoolEvent, at now: Instant) {
        for action in members[index].pool.handle(event, at: now) {
            outbox.append(.perform(action))
        }
    }

    mutating func sendToAll(_ event: PoolEvent, at now: Instant) {
        for index in members.indices { send(index, event, at: now) }
    }

    mutating func note(_ notice: Notice) {
        outbox.append(.perform(.note(notice)))
    }

    private mutating func expireDeadlines(at now: Instant) {
        for index in members.indices {
            if let deadline = members[index].pool.nextDeadline, deadline <= now {
                send(index, .deadline, at: now)
            }
        }
        expireClosings(at: now)
    }

    private mutating func stop(_ haste: Haste, exitCode: Int32, at now: Instant) {
        if self.exitCode == nil { self.exitCode = exitCode }
        self.haste = max(haste, self.haste ?? haste)
        rollout?.end(.stopped, at: now)
        if let reload {
            self.reload = nil
            sendToAll(.abort, at: now)
            outbox.append(.discard(generation: reload.generation))
        }
        isRollingOut = false
        endHunts(.stop, at: now)
        for index in members.indices {
            if haste == .graceful {
                close(index, after: members[index].pool.policy.drainDelay, at: now)
            } else {
                members[index].closing = nil
                endClosingListeners(of: index)
                send(index, .stop(haste), at: now)
            }
        }
    }

    private mutating func decideEnd(at now: Instant) {
        hasBeenReady = hasBeenReady || members.contains { $0.pool.hasBeenReady }
        for index in members.indices where members[index].pool.stage == .ended {
            endClosingListeners(of: index)
        }
        if exitCode == nil {
            departed = members.filter { $0.pool.stage == .ended }
            members.removeAll { $0.pool.stage == .ended }
        }
        if exitCode == nil { endIfHopeless(at: now) }
        if exitCode == nil, !members.isEmpty, members.allSatisfy({ $0.pool.isDone }) {
            let failed = members.contains { $0.pool.hasDoneFailures }
            stop(
                .graceful, exitCode: failed ? ExitCode.finishedWithFailure : ExitCode.stopped,
                at: now)
        }
        if let exitCode, members.allSatisfy({ $0.pool.stage == .ended }) {
            outbox.append(.exit(exitCode))
        }
    }

    /// Ends the service if its first start fails because of an operator's mistake. A service that
    /// once ran never ends for this.
    private mutating func endIfHopeless(at now: Instant) {
        guard !hasBeenReady else { return }
        for member in members where generation == 1 {
            guard let failure = member.pool.startImpossible else { continue }
            note(.givingUp(.cannotStart(pool: member.pool.number, failure)))
            stop(.graceful, exitCode: ExitCode.cannotStart, at: now)
            return
        }
        let serving = members.filter { !$0.pool.isScheduled }
        if !serving.isEmpty, serving.allSatisfy({ $0.pool.hasExhaustedBoots }) {
            note(.givingUp(.noWorkerBoots))
            stop(.graceful, exitCode: ExitCode.cannotBoot, at: now)
        }
    }
}
