/// Adding and removing slots.

extension Pool {
    /// Adds slots or removes the least useful ones, down to one.
    mutating func resize(by change: Int, at now: Instant) {
        guard isKept, !isScheduled else { return }
        resize(to: size(after: change), at: now)
    }

    /// Returns the number of workers after this change.
    func size(after change: Int) -> Int { max(1, tally.wanted + change) }

    mutating func resize(to size: Int, at now: Instant) {
        let before = tally.wanted
        guard size != before else { return }
        for slot in leastUsefulSlots(before - size) { takeAway(slot, at: now) }
        for slot in slots.indices where tally.wanted < size && !slots[slot].isWanted {
            slots[slot].isWanted = true
            refresh(slot, at: now)
        }
        if tally.wanted < size { addSlots(size - tally.wanted, at: now) }
        note(.resized(pool: number, from: before, to: tally.wanted))
    }

    private mutating func takeAway(_ slot: Int, at now: Instant) {
        let present = slots[slot].present
        if case .takingSlot(slot)? = candidate?.phase {
            candidate?.phase = .waiting(slot: slot, since: now)
        }
        for worker in present { retire(worker.id, because: .scaledDown, at: now) }
        let lastIncarnation = slots[slot].lastIncarnation
        let leaving = slots[slot].leaving
        let share = slots[slot].share
        slots[slot] = Slot()
        slots[slot].isWanted = false
        slots[slot].lastIncarnation = lastIncarnation
        slots[slot].leaving = leaving
        slots[slot].share = share
        refresh(slot, at: now)
    }

    /// Selects slots for removal. The order is: a slot without a ready worker, one whose worker is
    /// being replaced, the one with the oldest worker. The canary's slot is last, so that a smaller
    /// pool can still reload.
    private func leastUsefulSlots(_ count: Int) -> [Int] {
        guard count > 0 else { return [] }
        func rank(_ index: Int) -> (Int, Int64) {
            let slot = slots[index]
            if let canary = candidate?.canary, canary.slot == index { return (3, 0) }
            guard let incumbent = slot.incumbent, incumbent.isReady else { return (0, 0) }
            return (
                slot.replacement != nil || slot.due != nil ? 1 : 2,
                incumbent.startedAt.nanoseconds
            )
        }
        let ranked = slots.indices.filter { slots[$0].isWanted }.map { (rank($0), $0) }
        return ranked.sorted { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }.prefix(count).map(\.1)
    }
}
