/// Ends of workers: retired, by themselves, or killed.

extension Pool {
    /// The interval of repeated SIGKILL. A killed process can remain only inside the kernel, or its
    /// process tree has grown meanwhile.
    static let killAgainAfter = TimeSpan.seconds(1)

    /// Retires a worker: sends the stop-signal, and SIGKILL after `grace`, by default the graceful
    /// timeout. With zero grace it sends only SIGKILL.
    mutating func retire(
        _ id: WorkerID, because cause: RetireCause, with signal: StopSignal = .stop,
        within grace: TimeSpan? = nil, at now: Instant
    ) {
        guard var worker = self[id] else { return }
        reportHunt(of: id, HuntEnd(cause))
        self[id] = nil
        rememberGrowth(of: worker)
        note(.retiring(id, cause, worker.facts(at: now)))
        if cause == .recycle(.requestTimeout) { stuckState.lastStoppedAt = now }
        worker.memory.largestLeavingBytes = worker.memory.bytes
        let grace = grace ?? policy(of: worker).gracefulTimeout
        let drains = signal == .stop && drains(worker, because: cause, within: grace)
        worker.state = .retiring(Retirement(cause, killAt: now + grace))
        if drains { beginDraining(&worker, within: grace, at: now) }
        slots[id.slot].leaving.append(worker)
        if drains { return }
        if grace == .zero {
            killLate(worker, at: now)
        } else if cause != .announced {
            outbox.append(.signal(id, signal))
        }
    }

    /// Sends SIGKILL to workers whose time has expired. Remaining processes get it repeatedly,
    /// which is reported once.
    mutating func killLate(_ worker: Worker, at now: Instant) {
        guard let index = leavingIndex(of: worker.id) else { return }
        let again = now + Pool.killAgainAfter
        slots[worker.id.slot].leaving[index].endWatch()
        switch slots[worker.id.slot].leaving[index].state {
        case .retiring(var retirement):
            if !retirement.wasKilled { note(.killed(worker.id, retirement.cause)) }
            retirement.wasKilled = true
            retirement.killAt = again
            slots[worker.id.slot].leaving[index].state = .retiring(retirement)
        case .outlived(var remains):
            if !remains.wasKilled { note(.killedTree(worker.id)) }
            remains.wasKilled = true
            remains.killAt = again
            slots[worker.id.slot].leaving[index].state = .outlived(remains)
        case .starting, .booting, .ready:
            preconditionFailure("a worker that is not retiring has no deadline to be killed")
        }
        outbox.append(.kill(worker.id))
    }

    mutating func workerExited(
        _ id: WorkerID, _ status: ExitStatus, leavesTree: Bool, at now: Instant
    ) {
        if let worker = self[id] {
            let ending = ending(of: worker, status)
            reportHunt(of: id, .exited(status))
            note(.exited(id, status, ending, worker.facts(at: now)))
            runEnded(worker, ending, status, at: now)
            rememberGrowth(of: worker)
            self[id] = nil
            forkedWorkerExited(worker, status, at: now)
            if leavesTree {
                outlive(worker, Remains(killAt: now + policy(of: worker).gracefulTimeout))
            }
            if candidate?.isTrying(id) == true {
                candidateFailed(.ended(status))
            } else {
                follow(worker, ending, at: now)
            }
        } else if let index = leavingIndex(of: id) {
            let worker = slots[id.slot].leaving[index]
            guard case .retiring(let retirement) = worker.state else { return }
            judge(retirement, of: id, leavesTree: leavesTree)
            note(.exited(id, status, .retired(retirement.cause), worker.facts(at: now)))
            runEnded(worker, .retired(retirement.cause), status, at: now)
            slots[id.slot].leaving.remove(at: index)
            if leavesTree {
                outlive(
                    worker, Remains(killAt: retirement.killAt, draining: retirement.draining))
            }
            announcedEndCame(worker, status, at: now)
        }
    }

    private mutating func outlive(_ worker: Worker, _ remains: Remains) {
        var worker = worker
        worker.state = .outlived(remains)
        slots[worker.id.slot].leaving.append(worker)
        note(.leftProcesses(worker.id))
        // The processes that it left behind may still serve requests.
        if worker.isDraining { return }
        outbox.append(.signalTree(worker.id))
    }

    mutating func treeGone(_ id: WorkerID) {
        guard let index = leavingIndex(of: id), !slots[id.slot].leaving[index].hasProcess else {
            return
        }
        slots[id.slot].leaving.remove(at: index)
    }

    /// Ends a worker that must not continue, and counts it as a crash.
    mutating func endAbruptly(
        _ worker: Worker, because cause: RetireCause, with signal: StopSignal = .stop,
        within grace: TimeSpan, at now: Instant
    ) {
        retire(worker.id, because: cause, with: signal, within: grace, at: now)
        if candidate?.isTrying(worker.id) == true {
            candidateFailed(.left(cause))
        } else {
            follow(worker, worker.isReady ? .crashed : .bootFailed, at: now)
        }
    }

    private func ending(of worker: Worker, _ status: ExitStatus) -> Ending {
        // It may have announced its end before, so the state does not show whether it was ever
        // ready.
        let wasReady = worker.readyAt != nil
        if status == .code(0), wasReady || !policy(of: worker).hasListeners { return .finished }
        return wasReady ? .crashed : .bootFailed
    }

    /// Decides what follows in the slot of a worker whose end was not planned.
    mutating func follow(_ worker: Worker, _ ending: Ending, at now: Instant) {
        let slot = worker.id.slot
        guard stage == .running, slots[slot].isWanted, !isScheduled else { return }
        if ending == .bootFailed {
            slots[slot].setbacks.bootFailures += 1
            bootFailed(worker, at: now)
        }
        if slots[slot].incumbent != nil {
            // The replacement failed. The incumbent is still due and keeps serving.
            countFailure(in: slot, at: now)
            return
        }
        if promoteReplacement(in: slot, at: now) { return }
        slots[slot].due = nil
        switch (policy.restart, ending) {
        case (.never, _), (.onFailure, .finished):
            finish(slot, failed: ending != .finished)
        case (.always, .finished) where now - worker.startedAt >= Pool.briefLife:
            slots[slot].setbacks.failures = 0
            slots[slot].setbacks.notBefore = nil
        case (.always, _), (.onFailure, _):
            countEarlyEnd(of: worker, at: now)
        }
    }

    /// Fills the slot with the replacement of an incumbent that has exited. The canary of a
    /// generation on trial does not take over: until the commit, slots restart in the current
    /// generation.
    @discardableResult
    mutating func promoteReplacement(in slot: Int, at now: Instant) -> Bool {
        guard slots[slot].incumbent == nil, let replacement = slots[slot].replacement,
            candidate?.isTrying(replacement.id) != true
        else { return false }
        slots[slot].incumbent = replacement
        slots[slot].replacement = nil
        slots[slot].due = nil
        judgeRequests(of: replacement.id, at: now)
        return true
    }

    /// Handles `STOPPING=1`: the worker needs no stop-signal, its successor may start, and it has
    /// the graceful timeout to end. If the way it ends decides about a successor, the slot waits
    /// for that.
    mutating func workerAnnouncedEnd(_ id: WorkerID, at now: Instant) {
        guard let worker = self[id] else { return }
        let wasIncumbent = slots[id.slot].incumbent?.id == id
        retire(id, because: .announced, at: now)
        if candidate?.isTrying(id) == true {
            candidateFailed(.left(.announced))
        } else if !wasIncumbent {
            countFailure(in: id.slot, at: now)
        } else if !promoteReplacement(in: id.slot, at: now) {
            slots[id.slot].due = nil
            if isScheduled { return }
            if policy.restart == .always {
                let failsToBoot = !worker.isReady && policy(of: worker).hasListeners
                if failsToBoot { slots[id.slot].setbacks.bootFailures += 1 }
                if failsToBoot || now - worker.startedAt < Pool.briefLife {
                    countEarlyEnd(of: worker, at: now)
                } else {
                    slots[id.slot].setbacks.failures = 0
                    slots[id.slot].setbacks.notBefore = nil
                }
            } else {
                slots[id.slot].continuation = .awaitsExit(of: id.incarnation)
            }
        }
    }

    private mutating func announcedEndCame(
        _ worker: Worker, _ status: ExitStatus, at now: Instant
    ) {
        let slot = worker.id.slot
        guard slots[slot].continuation == .awaitsExit(of: worker.id.incarnation) else { return }
        let ending = ending(of: worker, status)
        if policy.restart == .never || ending == .finished {
            finish(slot, failed: ending != .finished)
        } else {
            slots[slot].continuation = .continues
            if ending == .bootFailed { slots[slot].setbacks.bootFailures += 1 }
            countEarlyEnd(of: worker, at: now)
        }
    }

    private mutating func finish(_ slot: Int, failed: Bool) {
        slots[slot].continuation = .done(failed: failed)
        slots[slot].setbacks.failures = 0
        slots[slot].setbacks.notBefore = nil
        note(.slotDone(pool: number, slot: slot))
    }
}
