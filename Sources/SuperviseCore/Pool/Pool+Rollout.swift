/// Tries a new generation with one worker, the canary, before anything else changes. The canary
/// must become ready and stay ready. When the canaries of all pools have passed, the generation is
/// committed, and the other slots follow within the budget.

/// A generation on trial.
struct Candidate: Equatable, Sendable, Codable {
    enum Phase: Equatable, Sendable, Codable {
        /// The mold of the generation loads the program. Exits: `waiting`, `takingSlot`, `passed`,
        /// `failed`.
        case warming(since: Instant)
        /// The canary waits for the budget, to start beside the incumbent of this slot.
        /// Exits: `trying`, `takingSlot`, `passed` (no worker serves).
        case waiting(slot: Int, since: Instant)
        /// The incumbent of this slot was stopped to make room. Exit: `trying`.
        case takingSlot(Int)
        /// The canary boots. Exits: `staying`, `failed`.
        case trying(WorkerID)
        /// The canary is ready and must stay so until this time. Exits: `weighing`, `passed`,
        /// `failed`.
        case staying(WorkerID, until: Instant)
        /// The canary stayed ready, and its memory is compared with its own caps. If it is not
        /// measured in time, it passes. Exits: `passed`, `failed`.
        case weighing(WorkerID, until: Instant)
        /// The canary passed, or none was needed. Exit: `failed` (the canary ended before the
        /// commit).
        case passed(WorkerID?)
        /// The trial failed.
        case failed(CanaryFailure)
    }

    let generation: Int
    var policy: PoolPolicy
    var phase: Phase
    /// The comparison of its responses with those of the old workers, if there is one.
    var check: CanaryCheck?

    var canary: WorkerID? {
        switch phase {
        case .trying(let id), .staying(let id, _), .weighing(let id, _): id
        case .passed(let id): id
        case .warming, .waiting, .takingSlot, .failed: nil
        }
    }

    var deadline: Instant? {
        switch phase {
        case .staying(_, let until), .weighing(_, let until): until
        case .warming, .waiting, .takingSlot, .trying, .passed, .failed: nil
        }
    }

    /// The response to `measure` arrives after the lost time.
    mutating func shiftWeighing(by span: TimeSpan) {
        if case .weighing(let id, let until) = phase { phase = .weighing(id, until: until + span) }
    }

    var isPending: Bool {
        switch phase {
        case .warming, .waiting, .takingSlot, .trying, .staying, .weighing, .passed: true
        case .failed: false
        }
    }

    /// Returns whether this worker is the canary and its trial has not failed.
    func isTrying(_ id: WorkerID) -> Bool { canary == id }

    /// Returns whether the next worker of this slot is the canary. A slot whose incumbent ended by
    /// itself while the canary waited restarts in the current generation.
    func takes(_ slot: Int, besideIncumbent: Bool) -> Bool {
        switch phase {
        case .waiting(slot, _): besideIncumbent
        case .takingSlot(slot): true
        case .warming, .waiting, .takingSlot, .trying, .staying, .weighing, .passed, .failed: false
        }
    }
}

/// The state of a generation's trial.
public enum Trial: Equatable, Sendable, Codable {
    /// Undecided.
    case pending
    /// The generation may be committed.
    case passed
    /// The generation must be abandoned.
    case failed(CanaryFailure)
}

extension Pool {
    /// The longest time that a canary must stay ready.
    static let longestTrial = TimeSpan.seconds(2)
    /// A canary whose memory is not measured within this time passes.
    static let longestWeighing = TimeSpan.seconds(1)

    /// The state of the prepared generation's trial; nil if none is prepared.
    public var trial: Trial? {
        switch candidate?.phase {
        case nil: nil
        case .warming, .waiting, .takingSlot, .trying, .staying, .weighing: .pending
        case .passed: .passed
        case .failed(let reason): .failed(reason)
        }
    }

    mutating func prepare(_ generation: Int, _ policy: PoolPolicy, at now: Instant) {
        guard isKept else { return }
        endHunt(.reload, at: now)
        abort(at: now)
        candidate = Candidate(
            generation: generation, policy: policy, phase: .passed(nil))
        if stage == .running, needsCanary {
            molds.candidate = makeMold(generation, policy, at: now)
        }
        if molds.candidate != nil {
            candidate?.phase = .warming(since: now)
        } else {
            chooseCanarySlot(since: now, at: now)
        }
    }

    func isEligibleForCanary(_ index: Int, since: Instant, at now: Instant) -> Bool {
        let slot = slots[index]
        guard slot.isWanted, slot.incumbent?.isReady == true, slot.replacement == nil else {
            return false
        }
        guard budget.surge == 0 else { return true }
        let held = slot.heldUntil(maxHold: policy.maxHold, waiting: since)
        return held.map { $0 <= now } ?? true
    }

    /// A pool in which nobody serves has nothing to lose and needs no trial.
    mutating func chooseCanarySlot(since: Instant, at now: Instant) {
        let hasRuns = isScheduled || candidate?.policy.runs != nil
        guard stage == .running, needsCanary, !hasRuns else {
            candidate?.phase = .passed(nil)
            return
        }
        if isAsleep { return borrowSlot(at: now) }
        if let vacant = slotForLoneCanary() {
            candidate?.phase = .takingSlot(vacant)
            refresh(vacant, at: now)
            return
        }
        // If every slot's worker postpones its recycling or is being replaced, the canary waits for
        // the end of that, not for a slot that does not change.
        let eligible = slots.indices.first { isEligibleForCanary($0, since: since, at: now) }
        let serving = slots.indices.filter { slots[$0].isWanted && slots[$0].isServed }
        let held = serving.first { slots[$0].replacement == nil }
        guard let slot = eligible ?? held ?? serving.first ?? slots.indices.first else { return }
        candidate?.phase = .waiting(slot: slot, since: since)
        refresh(slot, at: now)
    }

    /// Returns a slot that waits for a worker. If no worker may run beside the others, or retiring
    /// workers take all the room, the canary uses this slot, and no worker must stop for it. The
    /// new program may also fix the slot.
    private func slotForLoneCanary() -> Int? {
        guard tally.vacant > 0, budget.surge == 0 || tally.live >= ceiling else { return nil }
        return slots.indices.first { slots[$0].isVacant }
    }

    mutating func candidateIsReady(_ id: WorkerID, at now: Instant) {
        let stay = min(policy.stableAfter, Pool.longestTrial)
        candidate?.phase = .staying(id, until: now + stay)
        beginCanaryCheck(until: now + stay)
    }

    mutating func candidateFailed(_ reason: CanaryFailure) {
        guard let generation = candidate?.generation else { return }
        candidate?.phase = .failed(reason)
        note(.canaryFailed(pool: number, generation: generation, reason))
    }

    /// Advances the trial if an event or the time allows it.
    mutating func advanceCandidate(at now: Instant) {
        guard let candidate else { return }
        switch candidate.phase {
        case .waiting(let slot, let since):
            guard
                !isEligibleForCanary(slot, since: since, at: now) || slotForLoneCanary() != nil
            else { return }
            chooseCanarySlot(since: since, at: now)
            refresh(slot, at: now)
            // The newly selected slot may start immediately.
            if self.candidate != candidate { advanceRecycles(at: now) }
        case .staying(let id, let until) where until <= now:
            if !ordersCanaryCheck(of: id, at: now) { canaryStayed(id, at: now) }
        case .weighing(let id, let until) where until <= now:
            candidatePassed(id)
        case .warming, .takingSlot, .trying, .staying, .weighing, .passed, .failed:
            break
        }
    }

    /// Handles a canary whose memory was measured and does not exceed its hard cap.
    mutating func canaryWasWeighed(_ id: WorkerID) {
        if case .weighing(id, _)? = candidate?.phase { candidatePassed(id) }
    }

    mutating func candidatePassed(_ id: WorkerID) {
        guard let generation = candidate?.generation else { return }
        candidate?.phase = .passed(id)
        note(.canaryPassed(pool: number, generation: generation, candidate?.check?.figures))
    }

    /// Commits the prepared generation: its policy and size apply, its canary takes its slot, and
    /// every other worker becomes due.
    mutating func commit(isEmptying: Bool, at now: Instant) {
        guard let candidate else { return }
        emptyingUntil = isEmptying ? now + policy.gracefulTimeout : nil
        self.candidate = nil
        let rule = policy.runs
        policy = candidate.policy
        generation = candidate.generation
        commitMold(at: now)
        isRollingOut = true
        if stage == .parked { stage = .running }
        for slot in slots.indices {
            if isScheduled || rule != nil {
                renewRuns(in: slot, after: rule, at: now)
            } else {
                renew(slot, canary: candidate.canary, at: now)
            }
            refresh(slot, at: now)
        }
        if !isScheduled { endSchedule() }
        beginSchedule(after: runs.isWithdrawn ? nil : rule)
        runs.isWithdrawn = false
        applySize(at: now)
        scheduleSampling(at: now)
        scheduleProgress(at: now)
        scheduleRequests(at: now)
    }

    private mutating func renew(_ slot: Int, canary: WorkerID?, at now: Instant) {
        slots[slot].continuation = .continues
        slots[slot].setbacks.failures = 0
        slots[slot].setbacks.bootFailures = 0
        slots[slot].setbacks.notBefore = nil
        if let canary, slots[slot].replacement?.id == canary {
            if slots[slot].due == nil { slots[slot].due = Slot.Due(cause: .reload, since: now) }
            if slots[slot].incumbent?.isReady != true, let old = slots[slot].incumbent {
                supersede(old, at: now)
            }
            takeOver(slot, at: now)
            return
        }
        // A replacement may already be ready, beside an incumbent that postpones its recycling.
        if let replacement = slots[slot].replacement, replacement.generation < generation {
            supersede(replacement, at: now)
        }
        guard let incumbent = slots[slot].incumbent, incumbent.generation < generation else {
            return
        }
        if incumbent.isReady {
            setDue(incumbent.id, .reload, at: now)
        } else {
            supersede(incumbent, at: now)
        }
    }

    /// Retires a worker whose generation is not current. A program accepts connections before it is
    /// known to be ready, so a booting worker gets the graceful timeout as well if it may have any.
    mutating func supersede(_ worker: Worker, at now: Instant) {
        let policy = policy(of: worker)
        let mayHoldRequests =
            worker.isReady || worker.requests > 0
            || drains(worker, because: .superseded, within: policy.gracefulTimeout)
        let grace = mayHoldRequests ? policy.gracefulTimeout : BootTimes.grace
        retire(worker.id, because: .superseded, within: grace, at: now)
    }

    /// Ends the wait for listeners that only older workers have: no connection waits there any
    /// longer, so these workers may stop.
    mutating func endEmptying(at now: Instant) {
        guard emptyingUntil != nil else { return }
        emptyingUntil = nil
        for slot in slots.indices {
            takeOverUnlessOnTrial(slot, at: now)
            refresh(slot, at: now)
        }
    }

    /// Abandons the prepared generation: its canary stops, and nothing else has changed.
    mutating func abort(at now: Instant) {
        guard let given = candidate else { return }
        // It stops under its own settings, which are then deleted.
        if let canary = given.canary, let worker = self[canary] {
            supersede(worker, at: now)
        }
        candidate = nil
        returnBorrowedSlot(at: now)
        abortMold(at: now)
        if let canary = given.canary { refresh(canary.slot, at: now) }
        switch given.phase {
        case .waiting(let slot, _), .takingSlot(let slot): refresh(slot, at: now)
        case .warming, .trying, .staying, .weighing, .passed, .failed: break
        }
    }
}
