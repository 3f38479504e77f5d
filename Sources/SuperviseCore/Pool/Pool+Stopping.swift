/// Stop and park.

extension Pool {
    /// The time between the quick-signal and SIGKILL.
    static let quickGrace = TimeSpan.seconds(2)

    /// Retires every worker. A second, faster stop shortens the remaining time and never extends
    /// it: a repeated TERM must not restart the graceful timeout.
    mutating func stop(_ haste: Haste, within grace: TimeSpan? = nil, at now: Instant) {
        switch stage {
        case .ended: return
        case .stopping(let before) where before >= haste: return
        case .idle, .running, .parked, .stopping: break
        }
        stage = .stopping(haste)
        candidate = nil
        abortMold(at: now)
        isRollingOut = false
        emptyingUntil = nil
        endSchedule()
        sampler.end()
        note(.stopping(pool: number, haste))
        for slot in slots.indices {
            stop(slot, haste, within: grace, at: now)
            refresh(slot, at: now)
        }
    }

    private mutating func stop(
        _ slot: Int, _ haste: Haste, within grace: TimeSpan?, at now: Instant
    ) {
        slots[slot].due = nil
        slots[slot].setbacks.notBefore = nil
        let retiring = slots[slot].leaving.map(\.id)
        for worker in slots[slot].present {
            switch haste {
            case .graceful: retire(worker.id, because: .stop, within: grace, at: now)
            case .quick:
                retire(
                    worker.id, because: .stop, with: .quick, within: Pool.quickGrace, at: now)
            case .immediate: retire(worker.id, because: .stop, within: .zero, at: now)
            }
        }
        guard haste > .graceful else { return }
        for id in retiring { shorten(id, haste, at: now) }
    }

    /// Shortens the remaining time of a worker that is already retiring.
    private mutating func shorten(_ id: WorkerID, _ haste: Haste, at now: Instant) {
        guard let index = leavingIndex(of: id) else { return }
        let worker = slots[id.slot].leaving[index]
        guard let killAt = worker.killAt else { return }
        if haste == .immediate {
            killLate(worker, at: now)
            return
        }
        let sooner = min(killAt, now + Pool.quickGrace)
        slots[id.slot].leaving[index].killAt = sooner
        slots[id.slot].leaving[index].endWatch()
        if worker.hasProcess {
            outbox.append(.signal(id, .quick))
        } else if worker.isDraining {
            outbox.append(.signalTree(id))
        }
    }

    /// Retires all workers and starts none until `unpark`.
    mutating func park(at now: Instant) {
        guard stage == .running else { return }
        stage = .parked
        note(.parked(pool: number))
        skipQueuedRun(at: now)
        if let candidate, candidate.isPending { candidateFailed(.left(.parked)) }
        sampler.endLoad()
        for slot in slots.indices {
            slots[slot].due = nil
            for worker in slots[slot].present {
                retire(worker.id, because: .parked, at: now)
            }
            refresh(slot, at: now)
        }
    }

    mutating func unpark(at now: Instant) {
        guard stage == .parked else { return }
        stage = .running
        note(.unparked(pool: number))
        scheduleProgress(at: now)
        scheduleRequests(at: now)
        resumeScaling(at: now)
        for slot in slots.indices {
            slots[slot].setbacks.failures = 0
            slots[slot].setbacks.notBefore = nil
            refresh(slot, at: now)
        }
    }
}
