/// Keeps events cheap: after each change of a slot, its share of the sums and its positions in the
/// queues are updated.

/// The order in which planned replacements begin.
struct RecycleRank: Comparable, Sendable, Codable {
    enum Urgency: Int, Sendable, Codable {
        /// The canary of a new generation, which all pools wait for.
        case canary
        /// Memory, because it only grows while it waits.
        case memory
        /// All other causes.
        case ordinary
        /// An expected limit that is not reached yet.
        case ahead
    }

    var urgency: Urgency
    var since: Instant

    static func < (a: RecycleRank, b: RecycleRank) -> Bool {
        a.urgency == b.urgency
            ? a.since < b.since : a.urgency.rawValue < b.urgency.rawValue
    }
}

extension Pool {
    /// Updates everything that is derived from this slot. Must be called after every change of it.
    mutating func refresh(_ slot: Int, at now: Instant) {
        let share = share(of: slots[slot])
        tally.replace(slots[slot].share, by: share)
        slots[slot].share = share
        deadlines.set(slot, deadline(of: slot, after: now))
        vacancies.set(slot, vacancyKey(of: slot, at: now))
        recycles.set(slot, recycleRank(of: slot, at: now))
    }

    private func share(of slot: Slot) -> Share {
        var share = Share()
        func count(_ trait: Share.Traits, _ holds: Bool) {
            if holds { share.traits.insert(trait) }
        }
        let present = slot.present.filter { !$0.isHunted }
        for worker in slot.present + slot.leaving {
            // A pebibyte exceeds any real memory and cannot overflow the sums.
            share.memory += Int(min(worker.memoryBytes ?? 0, 1 << 50))
            guard !worker.isHunted else {
                share.hunted += 1
                continue
            }
            share.live += 1
            share.outdated += worker.generation < generation ? 1 : 0
        }
        share.serving = UInt8(present.count { $0.isReady })
        share.firstBoots = present.contains { $0.isBooting && $0.id.incarnation == 1 } ? 1 : 0
        share.ordered = UInt8(present.count { $0.isOrderedFromMold })
        count(.wanted, slot.isWanted)
        count(.covered, present.contains { $0.isReady && candidate?.isTrying($0.id) != true })
        guard slot.isWanted else { return share }
        count(.renewed, present.contains { $0.isReady && $0.generation == generation })
        count(.vacant, slot.isVacant)
        if case .done(let failed) = slot.continuation {
            count(.done, true)
            count(.doneFailed, failed)
        }
        count(.failing, slot.setbacks.failures > 0 && !(slot.incumbent?.isReady ?? false))
        count(.exhausted, slot.setbacks.bootFailures >= policy.bootAttempts)
        return share
    }

    private func vacancyKey(of index: Int, at now: Instant) -> Instant? {
        let slot = slots[index]
        guard stage == .running, slot.isVacant else { return nil }
        // The canary is first, and its program is not the one that the slot backs off for.
        if let candidate, case .takingSlot(index) = candidate.phase {
            return awaitsMold(candidate.generation) ? nil : Instant(nanoseconds: .min)
        }
        // A slot that was added for a canary has no other worker.
        guard !awaitsMold(generation), !elastic.isBorrowed else { return nil }
        guard !slot.isBackingOff(at: now), !slot.lacksRoom else { return nil }
        // Slots that have served before come first.
        if slot.lastIncarnation == 0 { return Instant(nanoseconds: .max) }
        return slot.setbacks.notBefore ?? Instant(nanoseconds: 0)
    }

    private func recycleRank(of index: Int, at now: Instant) -> RecycleRank? {
        let slot = slots[index]
        guard stage == .running, slot.isWanted, let incumbent = slot.incumbent, incumbent.isReady,
            slot.replacement == nil, candidate?.isTrying(incumbent.id) != true
        else { return nil }
        if let candidate, case .waiting(index, let since) = candidate.phase,
            !awaitsMold(candidate.generation),
            isEligibleForCanary(index, since: since, at: now)
        {
            return RecycleRank(urgency: .canary, since: since)
        }
        guard !awaitsMold(generation), let due = slot.due, !slot.isBackingOff(at: now),
            !isHeld(index, at: now)
        else {
            return nil
        }
        // A worker that stops first would only delay the others.
        if incumbent.isGathering(at: now), budget.surge == 0 { return nil }
        if due.isAhead(at: now) { return RecycleRank(urgency: .ahead, since: due.since) }
        return RecycleRank(urgency: due.cause.isUrgent ? .memory : .ordinary, since: due.since)
    }

    /// Returns the time until which the incumbent of this slot postpones its replacement.
    private func heldUntil(_ index: Int) -> Instant? {
        var waiting: Instant?
        if case .waiting(index, let since)? = candidate?.phase { waiting = since }
        let held = slots[index].heldUntil(maxHold: policy.maxHold, waiting: waiting)
        guard let emptyingUntil, slots[index].incumbent.map({ $0.generation < generation }) == true
        else { return held }
        return max(held ?? emptyingUntil, emptyingUntil)
    }

    func isHeld(_ index: Int, at now: Instant) -> Bool {
        if isScheduled { return false }
        return heldUntil(index).map { now < $0 } ?? false
    }

    private func deadline(of index: Int, after now: Instant) -> Instant? {
        let slot = slots[index]
        var earliest: Instant?
        func consider(_ candidate: Instant?) {
            guard let candidate else { return }
            earliest = earliest.map { min($0, candidate) } ?? candidate
        }
        for worker in slot.leaving {
            consider(worker.killAt)
            if let draining = worker.draining {
                consider(draining.until)
                consider(draining.relaxAt)
            }
            consider(worker.sampleAt)
        }
        guard stage == .running else { return earliest }
        for worker in slot.present {
            consider(bootDeadline(of: worker))
            consider(worker.boot?.observeAt)
            consider(worker.claims?.watchdogAt)
        }
        if isScheduled {
            consider(slot.incumbent?.runEnd)
        } else if slot.due == nil, let incumbent = slot.incumbent {
            consider(incumbent.lifetimeEnd)
        }
        if slot.isVacant || slot.due != nil, let wake = slot.setbacks.notBefore, wake > now {
            consider(wake)
        }
        let evidenceUntil = slot.due.flatMap { _ in slot.incumbent?.evidence?.until }
        let waits = [heldUntil(index), slot.due?.aheadUntil, evidenceUntil].compactMap { $0 }
        for wake in waits where wake > now { consider(wake) }
        // A late turn handles events of this worker before the deadline that passed meanwhile. A
        // ready replacement must still take over then.
        if let last = waits.max(), let replacement = slot.replacement, replacement.isReady,
            candidate?.isTrying(replacement.id) != true
        {
            consider(last)
        }
        return earliest
    }
}
