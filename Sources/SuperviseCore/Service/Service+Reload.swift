/// A reload is a transaction over all pools. Every pool tries its new generation with a canary.
/// Nothing is replaced, added or removed before all of them passed.

extension Service {
    /// A reload in progress.
    struct Reload: Equatable, Sendable, Codable {
        let generation: Int
        let plans: [Plan]
    }

    /// Starts the newest configuration. An earlier, undecided reload is abandoned.
    mutating func reload(to plans: [Plan], at now: Instant) {
        guard exitCode == nil else { return }
        if reload != nil { abortReload(isSuperseded: true, at: now) }
        lastGeneration += 1
        let plans = Service.sharingMemory(plans)
        reload = Reload(generation: lastGeneration, plans: plans)
        rollout = RolloutRecord(generation: lastGeneration, begunAt: now)
        note(.reloadBegun(generation: lastGeneration))
        endHunts(.reload, at: now)
        for plan in plans {
            guard let index = members.firstIndex(where: { $0.isContinued(by: plan) })
            else { continue }
            send(index, .prepare(generation: lastGeneration, plan.policy), at: now)
        }
    }

    mutating func advanceReload(at now: Instant) {
        if reload != nil {
            let trials = members.compactMap(\.pool.trial)
            if trials.contains(where: \.isFailure) {
                abortReload(isSuperseded: false, at: now)
            } else if trials.allSatisfy({ $0 == .passed }) {
                commitReload(at: now)
            }
        }
        stopRemoved(at: now)
        if isRollingOut, members.allSatisfy({ $0.isRemoved || $0.pool.isSettled }),
            !members.contains(where: { $0.isRemoved && $0.isServing && !$0.pool.hasRunInProgress })
        {
            isRollingOut = false
            rollout?.end(.complete, at: now)
            note(.reloadComplete(generation: generation))
        }
    }

    /// Stops the removed pools. A renamed pool takes over the socket of the old one, which must not
    /// stop before the new one serves, nor at all if that never happens. If no worker may run
    /// beside the others, as with jobs that must not run twice, the old pool stops first.
    private mutating func stopRemoved(at now: Instant) {
        let added = members.filter { $0.since == generation && !$0.isRemoved }
        let isCovered = added.allSatisfy(\.pool.isSettled)
        for index in members.indices
        where members[index].isRemoved && members[index].isServing
            && !members[index].pool.hasRunInProgress
        {
            guard isCovered || members[index].pool.budget.surge == 0 else { continue }
            close(index, after: .zero, at: now)
        }
    }

    private mutating func abortReload(isSuperseded: Bool, at now: Instant) {
        guard let aborted = reload else { return }
        reload = nil
        let failures = canaryFailures
        rollout?.end(.aborted(failures), at: now)
        sendToAll(.abort, at: now)
        note(.reloadAborted(generation: aborted.generation, isSuperseded: isSuperseded))
        outbox.append(.discard(generation: aborted.generation))
    }

    private var canaryFailures: [RolloutRecord.Failure] {
        members.compactMap { member in
            guard case .failed(let reason)? = member.pool.trial else { return nil }
            return RolloutRecord.Failure(pool: member.name, reason: reason)
        }
    }

    private mutating func commitReload(at now: Instant) {
        guard let committed = reload else { return }
        reload = nil
        generation = committed.generation
        isRollingOut = true
        rollout?.stage = .rolling
        outbox.append(.activate(generation: generation))
        note(.reloadCommitted(generation: generation))
        var kept: [Member] = []
        var removed = members
        for plan in committed.plans {
            if let index = removed.firstIndex(where: { $0.isContinued(by: plan) }) {
                kept.append(removed.remove(at: index))
                kept[kept.count - 1].isRemoved = false
            }
        }
        let known = Set(kept.map(\.name))
        members = kept + removed
        for index in kept.indices {
            let drops = committed.plans.first { $0.name == kept[index].name }?.dropsListeners
            send(index, .commit(isEmptying: drops ?? false), at: now)
            if drops == true {
                closeListeners(of: index, until: members[index].pool.emptyingUntil ?? now)
            }
        }
        for index in kept.count..<members.count { remove(index, at: now) }
        for plan in committed.plans where !known.contains(plan.name) {
            add(plan)
            send(members.count - 1, .start, at: now)
        }
        sortMembers(by: committed.plans)
        shareMemory()
    }

    /// Keeps the order of the file, because TTIN and TTOU apply to its first pool.
    private mutating func sortMembers(by plans: [Plan]) {
        let order = plans.map(\.name)
        func rank(_ member: Member) -> Int {
            member.isWanted ? order.firstIndex(of: member.name) ?? order.count : order.count
        }
        members = members.enumerated()
            .sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }
            .map(\.element)
    }
}

extension Service.Member {
    /// Whether the current configuration contains this pool.
    var isWanted: Bool { !isRemoved && isServing }

    /// Whether it is not stopping.
    var isServing: Bool {
        guard closing == nil else { return false }
        return switch pool.stage {
        case .idle, .running, .parked: true
        case .stopping, .ended: false
        }
    }
}

extension Trial {
    fileprivate var isFailure: Bool {
        if case .failed = self { true } else { false }
    }
}
