/// Workers that are forked from a process which has loaded the program.
///
/// Each generation has a mold of its own. Its workers wait until it is warm. A mold that never
/// becomes warm fails the trial of its generation, or, where there is none to fall back to, leaves
/// the workers to exec. A mold that ends later is booted again and its workers are not touched.

extension Pool {
    /// The time between asking a mold to end and SIGKILL.
    static let moldGrace = TimeSpan.seconds(2)

    /// Whether the start of a worker of this generation waits for its mold.
    func awaitsMold(_ generation: Int) -> Bool { molds[generation]?.isAwaited ?? false }

    /// The mold that a worker of this generation is forked from now; nil if it is exec'd.
    func moldForStart(_ generation: Int) -> MoldID? {
        guard let mold = molds[generation], mold.isWarm, mold.comparison != .execs else {
            return nil
        }
        return moldID(of: mold)
    }

    /// The identity of this process of a mold; by default the one in use.
    func moldID(of mold: Mold, _ incarnation: Int? = nil) -> MoldID {
        MoldID(
            pool: number, generation: mold.generation,
            incarnation: incarnation ?? mold.incarnation)
    }

    /// The molds of the pool, the newest generation first.
    public var moldFacts: [MoldFacts] {
        let used = [molds.candidate, molds.current].compactMap { $0 }.compactMap { mold in
            let state: MoldFacts.State? =
                switch mold.state {
                case .waiting, .booting: .booting
                case .warm: .warm
                case .unneeded: nil
                case .givenUp: .givenUp
                }
            return state.map { MoldFacts(id: moldID(of: mold), state: $0) }
        }
        let leaving = molds.superseded + molds.leaving.map(\.id)
        return used + leaving.map { MoldFacts(id: $0, state: .leaving) }
    }

    /// A mold for a generation with these settings, whose process is started; nil if they ask for
    /// none.
    mutating func makeMold(
        _ generation: Int, _ policy: PoolPolicy, at now: Instant
    ) -> Mold? {
        guard policy.usesMold else { return nil }
        var mold = Mold(generation: generation, state: .waiting(until: now))
        bootMold(&mold, policy, at: now)
        return mold
    }

    mutating func bootMold(_ mold: inout Mold, _ policy: PoolPolicy, at now: Instant) {
        let id = startProcess(of: &mold)
        mold.use(id.incarnation)
        mold.state = .booting(since: now, until: now + policy.readyTimeout)
    }

    private mutating func startProcess(of mold: inout Mold) -> MoldID {
        mold.lastIncarnation += 1
        let id = moldID(of: mold, mold.lastIncarnation)
        outbox.append(.startMold(id))
        note(.mold(.started(id)))
        return id
    }

    mutating func handle(_ news: MoldEvent, of id: MoldID, at now: Instant) {
        if molds.superseded.contains(id) || molds.leaving.contains(where: { $0.id == id }) {
            guard let status = news.end else { return }
            molds.superseded.removeAll { $0 == id }
            molds.leaving.removeAll { $0.id == id }
            note(.mold(.ended(id, status)))
            return
        }
        guard let mold = molds[id.generation] else { return }
        if mold.successor?.incarnation == id.incarnation {
            handle(news, ofSuccessor: id, at: now)
        } else if mold.hasProcess, mold.incarnation == id.incarnation {
            handle(news, ofCurrent: id, at: now)
        }
    }

    private mutating func handle(
        _ news: MoldEvent, ofCurrent id: MoldID, at now: Instant
    ) {
        switch news {
        case .warm: moldIsWarm(id, at: now)
        case .unusable(let reason):
            discardMold(id, wasWarm: molds[id.generation]?.isWarm == true, at: now)
            moldFailed(id, .unusable(reason), at: now)
        case .notStarted(let failure): moldFailed(id, .notStarted(failure), at: now)
        case .exited(let status): moldFailed(id, .ended(status), at: now)
        }
    }

    private mutating func moldIsWarm(_ id: MoldID, at now: Instant) {
        guard var mold = molds[id.generation], case .booting(let since, _) = mold.state else {
            return
        }
        mold.state = .warm(since: now)
        mold.wasWarm = true
        molds[id.generation] = mold
        note(.mold(.ready(id, after: now - since)))
        moldsChanged(at: now)
        if candidate?.generation == id.generation, case .warming(let since)? = candidate?.phase {
            chooseCanarySlot(since: since, at: now)
        }
    }

    /// Whether anything starts may have changed.
    mutating func moldsChanged(at now: Instant) {
        for slot in slots.indices where slots[slot].isVacant || slots[slot].due != nil {
            refresh(slot, at: now)
        }
        if case .waiting(let slot, _)? = candidate?.phase { refresh(slot, at: now) }
    }

    /// The process of a mold is gone or going.
    mutating func moldFailed(_ id: MoldID, _ failure: MoldFailure, at now: Instant) {
        guard var mold = molds[id.generation] else { return }
        note(.mold(.failed(id, failure)))
        guard isKept else {
            killSuccessor(of: &mold, at: now)
            molds[id.generation] = nil
            return
        }
        if candidate?.generation == id.generation, case .warming(let since)? = candidate?.phase {
            trialMoldFailed(mold, failure, since: since, at: now)
            return
        }
        let policy = policy(ofGeneration: id.generation)
        if case .warm(let since) = mold.state, now - since >= policy.stableAfter,
            failure != .forksFail
        {
            mold.failures = 0
        } else {
            mold.failures += 1
            // Workers wait for one boot; after another failure they are exec'd meanwhile.
            mold.isUnavailable = !mold.isWarm || mold.failures > 1
        }
        let mayRecover = mold.wasWarm || failure.isTransient
        if mold.failures >= policy.bootAttempts || !mayRecover || failure == .workersFail
            || mold.barrenProcesses >= Mold.toleratedFailures
        {
            giveUp(&mold, at: now)
        } else if let successor = mold.successor {
            mold.use(successor.incarnation)
            mold.state = .booting(since: successor.since, until: successor.until)
            mold.successor = nil
        } else {
            let delay = moldDelay(of: mold, failure, policy)
            mold.state = .waiting(until: now + delay)
            if delay == .zero { bootMold(&mold, policy, at: now) }
        }
        molds[id.generation] = mold
        moldsChanged(at: now)
    }

    /// A trial fails with its mold, unless the workers in force are exec'd for lack of a mold: then
    /// this one loses nothing, and no reload would ever succeed.
    private mutating func trialMoldFailed(
        _ mold: Mold, _ failure: MoldFailure, since: Instant, at now: Instant
    ) {
        var mold = mold
        guard let current = molds.current, current.isGivenUp, !current.wasWarm else {
            mold.state = .givenUp
            molds[mold.generation] = mold
            candidateFailed(.mold(failure))
            return
        }
        giveUp(&mold, at: now)
        molds[mold.generation] = mold
        chooseCanarySlot(since: since, at: now)
    }

    private mutating func giveUp(_ mold: inout Mold, at now: Instant) {
        mold.state = .givenUp
        killSuccessor(of: &mold, at: now)
        note(.mold(.givenUp(pool: number, generation: mold.generation, wasWarm: mold.wasWarm)))
    }

    private mutating func killSuccessor(of mold: inout Mold, at now: Instant) {
        guard let successor = mold.successor else { return }
        mold.successor = nil
        killMold(moldID(of: mold, successor.incarnation), at: now)
    }

    private func moldDelay(
        of mold: Mold, _ failure: MoldFailure, _ policy: PoolPolicy
    ) -> TimeSpan {
        let shortest = failure.isTransient ? max(policy.backoff, Pool.shortestWait) : .zero
        guard mold.failures > 1 else { return shortest }
        return max(
            policy.backoffDelay(failures: mold.failures, atLeast: Pool.shortestWait), shortest)
    }

    /// Boots another process beside a warm one, at most once per `backoff-max`. All workers of a
    /// mold share one address layout, and an attacker who crashes one learns it for the others.
    mutating func changeLayout(_ generation: Int, at now: Instant) {
        let policy = policy(ofGeneration: generation)
        guard stage == .running, var mold = molds[generation], mold.isWarm, mold.successor == nil,
            mold.layoutChangedAt.map({ now - $0 >= policy.backoffMax }) ?? true
        else { return }
        mold.layoutChangedAt = now
        let id = startProcess(of: &mold)
        mold.successor = Mold.Successor(
            incarnation: id.incarnation, since: now,
            until: now + policy.readyTimeout)
        molds[generation] = mold
    }

    private mutating func handle(
        _ news: MoldEvent, ofSuccessor id: MoldID, at now: Instant
    ) {
        guard var mold = molds[id.generation], let successor = mold.successor else { return }
        switch news {
        case .warm:
            let old = moldID(of: mold)
            mold.use(successor.incarnation)
            mold.successor = nil
            mold.state = .warm(since: now)
            molds[id.generation] = mold
            note(.mold(.ready(id, after: now - successor.since)))
            discardMold(old, wasWarm: true, at: now)
        case .unusable(let reason):
            successorFailed(id, .unusable(reason))
            endMold(id, at: now)
        case .notStarted(let failure): successorFailed(id, .notStarted(failure))
        case .exited(let status): successorFailed(id, .ended(status))
        }
    }

    /// The warm process stays in use.
    mutating func successorFailed(_ id: MoldID, _ failure: MoldFailure) {
        molds[id.generation]?.successor = nil
        note(.mold(.failed(id, failure)))
    }
}

extension MoldEvent {
    /// How the process ended, if this says that none is left; nil otherwise.
    fileprivate var end: ExitStatus?? {
        switch self {
        case .exited(let status): .some(status)
        case .notStarted: .some(nil)
        case .warm, .unusable: nil
        }
    }
}

extension MoldFailure {
    /// Whether trying again may help.
    fileprivate var isTransient: Bool {
        if case .notStarted(let failure) = self { failure.isTransient } else { false }
    }
}
