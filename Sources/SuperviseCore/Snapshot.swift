/// A service at one moment, made on request, with everything that the status, the metrics and the
/// health checks report. Data that only the kernel's side has (process ids, the accept queues) is
/// not included.
public struct Snapshot: Equatable, Sendable {
    /// The time of the snapshot.
    public var at: Instant
    /// The current generation.
    public var generation: Int
    /// The mode of the service's stop; nil if it does not stop.
    public var haste: Haste?
    /// The last reload; nil before the first.
    public var rollout: RolloutRecord?
    /// The pools in the order of the configuration; removed pools come last.
    public var pools: [PoolSnapshot]

    /// Whether every pool has its minimum of ready workers, and none stops.
    public var isReady: Bool { haste == nil && pools.allSatisfy { $0.isReady || $0.isRemoved } }
}

/// A pool at one moment.
public struct PoolSnapshot: Equatable, Sendable {
    /// Its number among all pools that the master has ever had.
    public var number: Int
    /// Its name.
    public var name: String
    /// The current state.
    public var stage: Pool.Stage
    /// The current generation.
    public var generation: Int
    /// Whether the current configuration lacks it.
    public var isRemoved: Bool
    /// The number of workers that it keeps.
    public var size: Int
    /// The number of ready workers that are not retiring.
    public var serving: Int
    /// The number of workers with a process, or with processes left behind.
    public var live: Int
    /// The minimum number of ready workers.
    public var minReady: Int
    /// The number of slots with a ready worker of the current generation.
    public var renewed: Int
    /// The number of slots that failed more than once in a row and back off.
    public var failingSlots: Int
    /// The number of workers that may be added and that may be missing during replacements.
    public var budget: Budget
    /// Whether it has its minimum of ready workers.
    public var isReady: Bool
    /// Its workers by slot: the incumbent, its replacement, then the retiring ones.
    public var workers: [WorkerSnapshot]
    /// The slots without a worker.
    public var vacancies: [Vacancy]
    /// Its counters and last exits.
    public var history: History
    /// Its schedule; nil if it has none.
    public var runs: RunSnapshot?
    /// Its bounds and load; nil if the number of workers is fixed.
    public var elastic: ElasticSnapshot?

    /// A slot without a worker.
    public struct Vacancy: Equatable, Sendable {
        /// The reason.
        public enum Reason: Equatable, Sendable {
            /// It waits for the budget, for memory, or for the end of the last worker.
            case waiting
            /// It failed this often in a row and starts again after this time.
            case backingOff(failures: Int, TimeSpan)
            /// It waits for the next run of the schedule.
            case awaitingRun
            /// Its work is done; with `failed`, the last worker ended with a status other than 0.
            case done(failed: Bool)
        }

        /// The slot.
        public var slot: Int
        /// The reason.
        public var reason: Reason
    }
}

/// A worker at one moment.
public struct WorkerSnapshot: Equatable, Sendable {
    /// The state of a worker.
    public enum State: Equatable, Sendable {
        /// Its start was ordered.
        case starting
        /// Its program runs.
        case booting
        /// It serves.
        case ready
        /// It was asked to stop.
        case retiring(RetireCause)
        /// Its own process ended, and the processes that it left behind are being stopped.
        case outlived
    }

    /// The identity of the worker.
    public var id: WorkerID
    /// The current state.
    public var state: State
    /// Whether it finds no new connections and has not got the stop-signal yet.
    public var isDraining = false
    /// Its connections at the last sample, while it drains.
    public var connections: Int?
    /// The cause for which it is due, if it is.
    public var due: RecycleCause?
    /// Whether it will take over from another worker in its slot.
    public var isReplacement: Bool
    /// Whether it was started for a hunt.
    public var isHunted = false
    /// Its figures.
    public var facts: WorkerFacts
    /// The time until it was ready.
    public var bootTime: TimeSpan?
    /// The age at which it is recycled.
    public var lifetimeLimit: TimeSpan?
    /// The memory in bytes above which it is recycled.
    public var memoryLimitBytes: UInt64?

    /// The time until it reaches that at the growth rate of its memory; nil if it never does, or
    /// has no cap.
    public var timeToMemoryLimit: TimeSpan? {
        guard let limit = memoryLimitBytes, let bytes = facts.memoryBytes else { return nil }
        return bytes >= limit ? .zero : facts.growth?.time(toGrowBy: limit - bytes)
    }
}

extension Service {
    /// Equals `Snapshot.isReady`. Scans every pool.
    public var isReady: Bool {
        haste == nil && members.allSatisfy { $0.isRemoved || $0.pool.hasMinReady }
    }

    /// Returns the service at this time. Scans every slot.
    public func snapshot(at now: Instant) -> Snapshot {
        Snapshot(
            at: now, generation: generation, haste: haste, rollout: rollout,
            pools: members.map { $0.pool.snapshot($0, at: now) })
    }
}

extension Pool {
    /// The minimum number of ready workers: at least one for a pool with listeners.
    var minReady: Int {
        guard kept > 0 else { return 0 }
        return max(policy.hasListeners ? 1 : 0, kept - budget.unavailable)
    }

    /// Whether it has its minimum of ready workers. A pool whose minimum is 0, because all workers
    /// may be replaced at the same time, must also have had a ready worker.
    public var hasMinReady: Bool {
        guard stage == .running else { return false }
        return isScheduled
            || (hasBeenReady || kept == 0) && tally.serving >= minReady
    }

    /// Returns the pool at this time. `member` contains it.
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
            live: tally.live, minReady: minReady, renewed: renewedCount,
            failingSlots: failingSlots, budget: budget,
            isReady: hasMinReady, workers: workers, vacancies: vacancies, history: history,
            runs: runSnapshot, elastic: elasticSnapshot(at: now))
    }

    private func snapshot(
        _ worker: Worker, due: RecycleCause? = nil, isReplacement: Bool = false, at now: Instant
    ) -> WorkerSnapshot {
        WorkerSnapshot(
            id: worker.id, state: WorkerSnapshot.State(worker.state), isDraining: worker.isDraining,
            connections: worker.draining?.seen?.connections, due: due,
            isReplacement: isReplacement, isHunted: worker.isHunted,
            facts: worker.facts(at: now), bootTime: worker.readyAt.map { $0 - worker.startedAt },
            lifetimeLimit: worker.lifetimeLimit,
            memoryLimitBytes: policy(of: worker).maxRSSBytes)
    }
}

extension Slot {
    fileprivate func vacancy(at now: Instant) -> PoolSnapshot.Vacancy.Reason? {
        switch continuation {
        case .awaitsExit: return nil
        case .awaitsRun: return .awaitingRun
        case .done(let failed): return .done(failed: failed)
        case .continues:
            guard let notBefore = setbacks.notBefore, notBefore > now else { return .waiting }
            return .backingOff(failures: setbacks.failures, notBefore - now)
        }
    }
}

extension WorkerSnapshot.State {
    fileprivate init(_ state: Worker.State) {
        self =
            switch state {
            case .starting: .starting
            case .booting: .booting
            case .ready: .ready
            case .retiring(let retirement): .retiring(retirement.cause)
            case .outlived: .outlived
            }
    }
}
