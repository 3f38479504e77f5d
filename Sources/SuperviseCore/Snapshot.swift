/// A service at one moment, made when somebody asks: all that the status, the metrics and the health
/// checks tell, but for what only the kernel's side knows (process ids, the accept queues).
public struct Snapshot: Equatable, Sendable {
    /// When it was made.
    public var at: Instant
    /// The generation in force.
    public var generation: Int
    /// How fast the service stops; nil while it does not.
    public var haste: Haste?
    /// The last reload; nil before the first.
    public var rollout: RolloutRecord?
    /// The pools, in the order of the configuration; those that a reload removed come last.
    public var pools: [PoolSnapshot]

    /// Whether every pool has the workers that it promises, and none stops.
    public var isReady: Bool { haste == nil && pools.allSatisfy { $0.isReady || $0.isRemoved } }
}

/// A pool at one moment.
public struct PoolSnapshot: Equatable, Sendable {
    /// Its number among all pools that the master ever had.
    public var number: Int
    /// Its name.
    public var name: String
    /// Where it stands.
    public var stage: Pool.Stage
    /// The generation in force.
    public var generation: Int
    /// Whether the configuration in force does without it.
    public var isRemoved: Bool
    /// How many workers it keeps.
    public var size: Int
    /// How many are ready and were not told to go.
    public var serving: Int
    /// How many have a process, or left processes behind.
    public var live: Int
    /// How many ready ones there are meant to be at any time.
    public var promised: Int
    /// How many slots have a ready worker of the generation in force.
    public var renewed: Int
    /// How many slots failed more than once in a row, and wait longer and longer between starts.
    public var failingSlots: Int
    /// How many may be added and be missing while others are replaced.
    public var budget: Budget
    /// Whether it has the workers that it promises.
    public var isReady: Bool
    /// Its workers by slot: the incumbent, its replacement, then those that leave.
    public var workers: [WorkerSnapshot]
    /// The slots without a worker.
    public var vacancies: [Vacancy]
    /// Its counters and last exits.
    public var history: History

    /// A slot without a worker.
    public struct Vacancy: Equatable, Sendable {
        /// Why there is none.
        public enum Reason: Equatable, Sendable {
            /// It waits for room in the budget.
            case waiting
            /// It failed so often in a row and starts again after this time.
            case backingOff(failures: Int, TimeSpan)
            /// Its work is done; with `failed`, the last worker ended with anything but 0.
            case done(failed: Bool)
        }

        /// The slot.
        public var slot: Int
        /// Why there is none.
        public var reason: Reason
    }
}

/// A worker at one moment.
public struct WorkerSnapshot: Equatable, Sendable {
    /// Who it is.
    public var id: WorkerID
    /// Where it stands.
    public var state: Worker.State
    /// Whether it finds no new connections and has not got the stop-signal.
    public var isDraining = false
    /// Its connections at the last sample, while it drains.
    public var connections: Int?
    /// Why it is to be replaced, if it is.
    public var due: RecycleCause?
    /// Whether it is to take over from another one in its slot.
    public var isReplacement: Bool
    /// Its figures.
    public var facts: WorkerFacts
    /// The time until it was ready.
    public var bootTime: TimeSpan?
    /// The age at which it is recycled.
    public var lifetimeLimit: TimeSpan?
    /// The memory in bytes past which it is recycled.
    public var memoryLimitBytes: UInt64?

    /// When it reaches that at the rate at which its memory grows; nil where it does not, or has no cap.
    public var timeToMemoryLimit: TimeSpan? {
        guard let limit = memoryLimitBytes, let bytes = facts.memoryBytes else { return nil }
        return bytes >= limit ? .zero : facts.growth?.time(toGrowBy: limit - bytes)
    }
}

extension Service {
    /// The same as `Snapshot.isReady`, at the cost of a look at every pool.
    public var isReady: Bool {
        haste == nil && members.allSatisfy { $0.isRemoved || $0.pool.keepsItsPromise }
    }

    /// The service now. Costs a look at every slot.
    public func snapshot(at now: Instant) -> Snapshot {
        Snapshot(
            at: now, generation: generation, haste: haste, rollout: rollout,
            pools: members.map { $0.pool.snapshot($0, at: now) })
    }
}

extension Pool {
    /// How many ready workers there are meant to be. Whoever serves a socket has at least one.
    var promised: Int {
        guard expected > 0 else { return 0 }
        return max(policy.hasListeners ? 1 : 0, expected - budget.unavailable)
    }

    /// Whether it has the workers that it promises. One that promises none, since they may all be
    /// replaced at a time, still has to have brought one up.
    public var keepsItsPromise: Bool {
        stage == .running && (hasBeenReady || expected == 0) && tally.serving >= promised
    }

    /// The pool now. `member` is the one that holds it.
    func snapshot(_ member: Service.Member, at now: Instant) -> PoolSnapshot {
        var workers: [WorkerSnapshot] = []
        workers.reserveCapacity(tally.live)
        var vacancies: [PoolSnapshot.Vacancy] = []
        var failingSlots = 0
        for (index, slot) in slots.enumerated() {
            if slot.isWanted, slot.setbacks.failures > 1 { failingSlots += 1 }
            if let worker = slot.incumbent {
                workers.append(snapshot(worker, due: slot.due?.cause, at: now))
            } else if slot.isWanted, let reason = slot.vacancy(at: now) {
                vacancies.append(PoolSnapshot.Vacancy(slot: index, reason: reason))
            }
            if let worker = slot.replacement {
                workers.append(snapshot(worker, isReplacement: true, at: now))
            }
            for worker in slot.leaving { workers.append(snapshot(worker, at: now)) }
        }
        return PoolSnapshot(
            number: number, name: member.name, stage: stage, generation: generation,
            isRemoved: member.isRemoved, size: tally.wanted, serving: tally.serving,
            live: tally.live, promised: promised, renewed: tally.renewed,
            failingSlots: failingSlots, budget: budget,
            isReady: keepsItsPromise, workers: workers, vacancies: vacancies, history: history)
    }

    private func snapshot(
        _ worker: Worker, due: RecycleCause? = nil, isReplacement: Bool = false, at now: Instant
    ) -> WorkerSnapshot {
        WorkerSnapshot(
            id: worker.id, state: worker.state, isDraining: worker.isDraining,
            connections: worker.draining?.seen?.connections, due: due,
            isReplacement: isReplacement,
            facts: worker.facts(at: now), bootTime: worker.readyAt.map { $0 - worker.startedAt },
            lifetimeLimit: worker.lifetimeLimit,
            memoryLimitBytes: policy(of: worker).maxRSSBytes)
    }
}

extension Slot {
    fileprivate func vacancy(at now: Instant) -> PoolSnapshot.Vacancy.Reason? {
        switch continuation {
        case .awaitsExit: return nil
        case .done(let failed): return .done(failed: failed)
        case .goesOn:
            guard let notBefore = setbacks.notBefore, notBefore > now else { return .waiting }
            return .backingOff(failures: setbacks.failures, notBefore - now)
        }
    }
}
