/// Dispatch of worker events to the part of the machine that handles them.

extension Pool {
    /// The incumbent or the replacement of its slot, which are not retiring. The setter stores the
    /// changed value in its place. An incumbent that is removed also clears its cause.
    subscript(id: WorkerID) -> Worker? {
        get {
            guard id.pool == number, slots.indices.contains(id.slot) else { return nil }
            let slot = slots[id.slot]
            if slot.incumbent?.id == id { return slot.incumbent }
            if slot.replacement?.id == id { return slot.replacement }
            return nil
        }
        set {
            if slots[id.slot].incumbent?.id == id {
                slots[id.slot].incumbent = newValue
                if newValue == nil { slots[id.slot].due = nil }
            } else if slots[id.slot].replacement?.id == id {
                slots[id.slot].replacement = newValue
            }
        }
    }

    /// Returns the index of a retiring worker in its slot's list.
    func leavingIndex(of id: WorkerID) -> Int? {
        guard id.pool == number, slots.indices.contains(id.slot) else { return nil }
        return slots[id.slot].leaving.firstIndex { $0.id == id }
    }

    /// Returns a worker of this pool, wherever it is stored.
    public func worker(_ id: WorkerID) -> Worker? {
        self[id] ?? leavingIndex(of: id).map { slots[id.slot].leaving[$0] }
    }

    mutating func handle(_ news: WorkerEvent, of id: WorkerID, at now: Instant) {
        guard worker(id) != nil else { return }
        switch news {
        case .running: workerRuns(id, at: now)
        case .startFailed(let failure): startFailed(id, failure, at: now)
        case .ready: workerSaidReady(id, at: now)
        case .listening: workerListens(id, at: now)
        case .unobservable(let mayReport):
            workerIsUnobservable(id, mayReport: mayReport, at: now)
        case .requests(let total):
            self[id]?.claims?.knowsContract = true
            count(total, by: .report, of: id, at: now)
        case .moreRequests(let more): countMore(more, of: id, at: now)
        case .responses(let total): count(total, by: .observed, of: id, at: now)
        case .connections(let total): count(total, by: .preload, of: id, at: now)
        case .memory(let bytes, let isServing):
            measure(bytes, isServing: isServing, of: id, at: now)
        case .evidenceGathered: evidenceGathered(of: id, at: now)
        case .connectionSample(let sample): connectionsSampled(sample, of: id, at: now)
        case .undrainable: connectionsUnreadable(of: id, at: now)
        case .stopping: workerAnnouncedEnd(id, at: now)
        case .recycleRequested:
            self[id]?.claims?.knowsContract = true
            self[id]?.claims?.asksForReplacement = true
            judgeRequests(of: id, at: now)
        case .hold(let span):
            self[id]?.claims?.knowsContract = true
            hold(id, for: span, at: now)
        case .watchdog: watchdogRepeated(by: id, at: now)
        case .watchdogTriggered: abortHung(id, because: .watchdog, at: now)
        case .extendTimeout(let span): extendTimeout(of: id, by: span, at: now)
        case .endedDuring(let requests):
            if let index = leavingIndex(of: id) {
                slots[id.slot].leaving[index].during = requests
            } else {
                self[id]?.during = requests
            }
        case .exited(let status, let leavesTree):
            workerExited(id, status, leavesTree: leavesTree, at: now)
        case .treeGone: treeGone(id)
        }
        refresh(id.slot, at: now)
    }

    private mutating func countMore(_ more: UInt64, of id: WorkerID, at now: Instant) {
        self[id]?.claims?.knowsContract = true
        let known = worker(id).map { $0.countSource == .report ? $0.requests : 0 } ?? 0
        let (total, overflow) = known.addingReportingOverflow(more)
        count(overflow ? .max : total, by: .report, of: id, at: now)
    }

    mutating func expire(_ slot: Int, at now: Instant) {
        expireDraining(in: slot, at: now)
        for worker in slots[slot].leaving {
            if let killAt = worker.killAt, killAt <= now { killLate(worker, at: now) }
        }
        guard stage == .running else { return }
        for worker in slots[slot].present {
            expireBoot(of: worker.id, at: now)
        }
        for worker in slots[slot].present {
            if let watchdogAt = worker.claims?.watchdogAt, watchdogAt <= now {
                abortHung(worker.id, because: .watchdog, at: now)
            }
        }
        if isScheduled { return endLateRun(in: slot, at: now) }
        guard let incumbent = slots[slot].incumbent else { return }
        if let end = incumbent.lifetimeEnd, end <= now, slots[slot].due == nil {
            setDue(incumbent.id, .lifetime, at: now)
        }
        // A hold may have expired while the replacement waited.
        if let replacement = slots[slot].replacement, replacement.isReady,
            candidate?.isTrying(replacement.id) != true
        {
            takeOver(slot, at: now)
        }
    }
}
