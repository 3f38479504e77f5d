/// Planned replacements: the causes that make a worker due, and the single budget for all of them.

extension Pool {
    /// Marks a ready incumbent as due. An earlier cause stays, unless the new one takes precedence.
    mutating func setDue(_ id: WorkerID, _ cause: RecycleCause, at now: Instant) {
        guard stage == .running, let worker = self[id], slots[id.slot].isWanted else { return }
        let slot = slots[id.slot]
        guard slot.incumbent?.id == id, worker.isReady else { return }
        if isScheduled, !cause.endsRun { return }
        if let due = slot.due, !due.isForeseen, due.cause.rank >= cause.rank {
            if cause != .requestTimeout { setOther(cause, besideStuck: worker, at: now) }
            return
        }
        // The longest hold counts from the first cause.
        slots[id.slot].due = Slot.Due(cause: cause, since: slot.due?.since ?? now)
        if cause == .requestTimeout {
            slots[id.slot].due?.other = slot.due.map {
                Slot.Due.Other(cause: $0.cause, aheadUntil: $0.aheadUntil)
            }
        }
        // An expected cause was reported when it was expected.
        if slot.due?.cause != cause { note(.due(id, cause, worker.facts(at: now))) }
        gatherEvidence(of: id, because: cause, at: now)
        // A replacement that was started ahead of a limit may be ready.
        takeOverUnlessOnTrial(id.slot, at: now)
    }

    /// Records a cause of a worker that is due for a stuck request. It remains if the request ends.
    private mutating func setOther(
        _ cause: RecycleCause, besideStuck worker: Worker, at now: Instant
    ) {
        guard let due = slots[worker.id.slot].due, due.lacksOther else { return }
        slots[worker.id.slot].due?.other = Slot.Due.Other(cause: cause)
        if due.other?.cause != cause { note(.due(worker.id, cause, worker.facts(at: now))) }
    }

    /// Handles an operator's request. Booting workers are new enough already.
    mutating func recycle(_ slot: Int?, at now: Instant) {
        for index in slots.indices where slot == nil || slot == index {
            guard let incumbent = slots[index].incumbent else { continue }
            setDue(incumbent.id, .operator, at: now)
            refresh(index, at: now)
        }
    }

    mutating func count(
        _ total: UInt64, by source: CountSource, of id: WorkerID, at now: Instant
    ) {
        if let index = leavingIndex(of: id) {
            let known = slots[id.slot].leaving[index].requests
            if slots[id.slot].leaving[index].count(total, by: source) {
                history.countRequests(from: known, to: total, in: source.unit)
            }
            return
        }
        guard var worker = self[id] else { return }
        let known = worker.requests
        guard worker.count(total, by: source) else { return }
        history.countRequests(from: known, to: total, in: source.unit)
        worker.serving?.progressAt = now
        hasCounted = true
        self[id] = worker
        judgeRequests(of: id, at: now)
    }

    /// Checks the requests of a worker. It notifies the master only once that it reached its limit
    /// or requests a replacement, possibly while it boots or is a replacement. So this is checked
    /// again when it becomes a ready incumbent.
    mutating func judgeRequests(of id: WorkerID, at now: Instant) {
        guard let worker = self[id] else { return }
        if let limit = worker.requestLimit, worker.requests >= limit {
            reachedLimit(worker, at: now)
        } else if let notifyThreshold = worker.claims?.notifyThreshold,
            worker.requests >= notifyThreshold
        {
            startAhead(of: id, at: now)
        } else if worker.claims?.asksForReplacement == true {
            setDue(id, .requested, at: now)
        }
    }

    /// Handles `X_HOLD`. A span of zero cancels an earlier one.
    mutating func hold(_ id: WorkerID, for span: TimeSpan, at now: Instant) {
        self[id]?.claims?.holdUntil = now + span
        if span <= .zero, slots[id.slot].replacement?.isReady == true {
            takeOverUnlessOnTrial(id.slot, at: now)
        }
    }

    /// Begins as many planned replacements as the budget allows, most urgent first.
    mutating func advanceRecycles(at now: Instant) {
        while let (slot, _) = recycles.first {
            // Room is reserved for the worker of a vacant slot, even while the slot backs off.
            let goesFirst = goesFirstForMemory(slot)
            if !goesFirst, tally.live + tally.vacant < ceiling {
                beginBeside(slot, at: now)
            } else if mayMissOneMore(evenOne: goesFirst), !isHeld(slot, at: now),
                slots[slot].due?.isAhead(at: now) != true,
                slots[slot].incumbent?.isGathering(at: now) != true
            {
                beginByStopping(slot, at: now)
            } else {
                return
            }
            refresh(slot, at: now)
        }
    }

    /// Returns whether a ready worker may be stopped before its successor is ready. A pool that
    /// fails to boot a worker stops no ready one. Slots are counted, not workers: of two ready
    /// workers in one slot, one is about to stop. `evenOne` allows one missing worker if two do not
    /// fit into memory.
    private func mayMissOneMore(evenOne: Bool) -> Bool {
        let unavailable = max(budget.unavailable, evenOne ? 1 : 0)
        return unavailable > 0 && tally.failing == 0
            && tally.covered - 1 >= expected - unavailable
    }

    private mutating func beginBeside(_ slot: Int, at now: Instant) {
        slots[slot].replacement = makeWorker(in: slot, at: now)
    }

    private mutating func beginByStopping(_ slot: Int, at now: Instant) {
        guard let incumbent = slots[slot].incumbent else { return }
        let cause = slots[slot].due?.cause ?? .reload
        slots[slot].awaitsRoom = goesFirstForMemory(slot)
        let due = slots[slot].due
        slots[slot].due = nil
        if case .waiting(slot, _)? = candidate?.phase {
            candidate?.phase = .takingSlot(slot)
        }
        retire(incumbent.id, because: .recycle(cause), at: now)
        countOwnRecycle(of: incumbent, due, at: now)
    }

    mutating func takeOverUnlessOnTrial(_ slot: Int, at now: Instant) {
        if let replacement = slots[slot].replacement, replacement.isReady,
            candidate?.isTrying(replacement.id) != true
        {
            takeOver(slot, at: now)
        }
    }

    /// Makes the ready replacement the incumbent, and retires the old one, unless it postpones its
    /// recycling.
    mutating func takeOver(_ slot: Int, at now: Instant) {
        guard let replacement = slots[slot].replacement, !isHeld(slot, at: now),
            slots[slot].incumbent == nil || slots[slot].due?.isAhead(at: now) != true,
            slots[slot].incumbent?.isGathering(at: now) != true
        else { return }
        let cause = slots[slot].due?.cause ?? .reload
        if cause == .memory { pace.believesGrowth = slots[slot].due?.isForeseen == false }
        let due = slots[slot].due
        slots[slot].due = nil
        slots[slot].replacement = nil
        let old = slots[slot].incumbent
        if let old { retire(old.id, because: .recycle(cause), at: now) }
        slots[slot].incumbent = replacement
        if let old { countOwnRecycle(of: old, due, at: now) }
        judgeRequests(of: replacement.id, at: now)
    }
}
