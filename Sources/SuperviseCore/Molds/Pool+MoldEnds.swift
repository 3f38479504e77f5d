/// The ends of molds.
extension Pool {
    /// Asks a mold to end in order.
    mutating func endMold(_ id: MoldID, at now: Instant) {
        molds.leaving.append(.init(id: id, killAt: now + Pool.moldGrace))
        outbox.append(.endMold(id))
    }

    mutating func killMold(_ id: MoldID, at now: Instant) {
        molds.leaving.append(.init(id: id, killAt: now + Pool.killAgainAfter))
        outbox.append(.killMold(id))
    }

    /// Ends a mold while workers of it may still run. One that was warm does not end in order: its
    /// workers may use temporary files that an orderly end removes.
    mutating func discardMold(_ id: MoldID, wasWarm: Bool, at now: Instant) {
        if wasWarm { killMold(id, at: now) } else { endMold(id, at: now) }
    }

    private mutating func endAll(of mold: Mold?, quickly: Bool, at now: Instant) {
        guard let mold else { return }
        for incarnation in mold.processes {
            let id = moldID(of: mold, incarnation)
            if quickly { killMold(id, at: now) } else { endMold(id, at: now) }
        }
    }

    /// The mold of the generation on trial takes over, or the first of the generation in force is
    /// made.
    mutating func commitMold(at now: Instant) {
        if let old = molds.current {
            for incarnation in old.processes {
                let id = moldID(of: old, incarnation)
                if incarnation == old.incarnation, old.isWarm {
                    molds.superseded.append(id)
                } else {
                    endMold(id, at: now)
                }
            }
        }
        molds.current = molds.candidate ?? makeMold(generation, policy, at: now)
        molds.candidate = nil
    }

    mutating func abortMold(at now: Instant) {
        endAll(of: molds.candidate, quickly: false, at: now)
        molds.candidate = nil
    }

    /// Ends the molds whose workers are gone.
    mutating func advanceMolds(at now: Instant) {
        let isOver: Bool
        switch stage {
        case .idle, .running, .parked: isOver = false
        case .stopping(let haste): isOver = tally.live + tally.hunted == 0 || haste > .graceful
        case .ended: isOver = true
        }
        if isOver { endMolds(at: now) }
        if isDone { endUnneededMold(at: now) }
        if !molds.superseded.isEmpty, isOver || tally.outdated == 0 {
            for id in molds.superseded { endMold(id, at: now) }
            molds.superseded = []
        }
    }

    private mutating func endMolds(at now: Instant) {
        endAll(of: molds.current, quickly: stage.haste == .immediate, at: now)
        endAll(of: molds.candidate, quickly: stage.haste == .immediate, at: now)
        molds.current = nil
        molds.candidate = nil
    }

    /// Ends the mold of a pool in which every slot is done. A reload or a resize may need another.
    private mutating func endUnneededMold(at now: Instant) {
        guard var mold = molds.current, !mold.isGivenUp, mold.state != .unneeded else { return }
        endAll(of: mold, quickly: false, at: now)
        mold.state = .unneeded
        mold.successor = nil
        molds.current = mold
    }

    /// Boots a mold that was ended because every slot was done, once a slot needs a worker again.
    mutating func bootNeededMold(at now: Instant) {
        guard stage == .running, var mold = molds.current, mold.state == .unneeded,
            tally.vacant > 0
        else { return }
        bootMold(&mold, policy, at: now)
        molds.current = mold
    }

    mutating func expireMolds(at now: Instant) {
        for index in molds.leaving.indices where molds.leaving[index].killAt <= now {
            molds.leaving[index].killAt = now + Pool.killAgainAfter
            outbox.append(.killMold(molds.leaving[index].id))
        }
        for generation in [molds.current, molds.candidate].compactMap({ $0?.generation }) {
            expireMold(generation, at: now)
        }
    }

    private mutating func expireMold(_ generation: Int, at now: Instant) {
        guard var mold = molds[generation], let deadline = mold.deadline, deadline <= now else {
            return
        }
        let id = moldID(of: mold)
        switch mold.state {
        case .waiting:
            guard isKept else { return molds[generation] = nil }
            bootMold(&mold, policy(ofGeneration: generation), at: now)
            molds[generation] = mold
        case .booting:
            endMold(id, at: now)
            moldFailed(id, .bootTimeout, at: now)
        case .warm:
            guard let successor = mold.successor else { return }
            let late = moldID(of: mold, successor.incarnation)
            successorFailed(late, .bootTimeout)
            endMold(late, at: now)
        case .unneeded, .givenUp:
            break
        }
    }
}

/// What becomes of the workers of a mold.
extension Pool {
    /// The mold that this worker was forked from, if it is still the one in use.
    private func mold(of worker: Worker) -> Mold? {
        guard let incarnation = worker.forkedFrom, let mold = molds[worker.generation],
            mold.isWarm, mold.incarnation == incarnation
        else { return nil }
        return mold
    }

    mutating func forkSucceeded(_ worker: Worker) {
        guard mold(of: worker) != nil else { return }
        molds[worker.generation]?.failedForks = 0
        molds[worker.generation]?.barrenProcesses = 0
        molds[worker.generation]?.isUnavailable = false
    }

    /// The start of a worker failed that was not to stop.
    mutating func forkFailed(_ worker: Worker, at now: Instant) {
        guard var mold = mold(of: worker) else { return }
        mold.failedForks += 1
        let isBarren = mold.failedForks >= Mold.toleratedFailures
        mold.barrenProcesses += isBarren ? 1 : 0
        molds[worker.generation] = mold
        guard isBarren else { return }
        let id = moldID(of: mold)
        discardMold(id, wasWarm: true, at: now)
        moldFailed(id, .forksFail, at: now)
    }

    /// A worker of a pool with a mold became ready.
    mutating func bootSucceeded(_ worker: Worker) {
        if worker.isHunted { return }
        if mold(of: worker) != nil {
            molds[worker.generation]?.failedBoots = 0
            molds[worker.generation]?.comparison = .none
        } else if worker.forkedFrom == nil, molds[worker.generation]?.comparison == .execs {
            molds[worker.generation]?.comparison = .execWorked
        }
    }

    /// A worker of a pool with a mold did not become ready.
    mutating func bootFailed(_ worker: Worker, at now: Instant) {
        if worker.forkedFrom == nil, molds[worker.generation]?.comparison == .execs {
            // Not because of the mold.
            molds[worker.generation]?.failedBoots = 0
            molds[worker.generation]?.comparison = .none
        }
        guard var mold = mold(of: worker) else { return }
        mold.failedBoots += 1
        let id = moldID(of: mold)
        if mold.comparison == .execWorked {
            discardMold(id, wasWarm: true, at: now)
            moldFailed(id, .workersFail, at: now)
            return
        }
        if mold.comparison == .none, mold.failedBoots >= Mold.toleratedFailures {
            mold.comparison = .execs
            note(.mold(.doubted(id)))
        }
        molds[worker.generation] = mold
    }

    /// Such a crash may be an attempt to learn the address layout, or the value that guards the
    /// stack. Ruby and others turn SIGSEGV into SIGABRT.
    private static let suspiciousSignals: [Signal] = [
        .illegalInstruction, .abort, .busError, .segmentationFault,
    ]

    mutating func forkedWorkerExited(_ worker: Worker, _ status: ExitStatus, at now: Instant) {
        guard mold(of: worker) != nil, case .signal(let signal) = status,
            Pool.suspiciousSignals.contains(signal)
        else { return }
        changeLayout(worker.generation, at: now)
    }
}
