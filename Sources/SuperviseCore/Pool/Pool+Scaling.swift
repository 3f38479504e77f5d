/// Adding and removing slots.

extension Pool {
    /// Adds slots or removes the least useful ones, down to one. Moves both bounds of an elastic
    /// pool.
    mutating func resize(by change: Int, at now: Instant) {
        guard isKept, !isScheduled else { return }
        if let bounds = elastic.bounds {
            setBounds(bounds.moved(by: change), at: now)
        } else {
            resize(to: max(1, tally.wanted + change), at: now)
        }
    }

    /// Returns the number of workers that the pool may have after this change.
    func mostWorkers(after change: Int) -> Int {
        elastic.bounds?.moved(by: change).maximum ?? max(1, tally.wanted + change)
    }

    /// Moves the bounds of an elastic pool, and its size into them.
    mutating func setBounds(_ bounds: WorkerBounds, at now: Instant) {
        guard isKept, let before = elastic.bounds, before != bounds else { return }
        elastic.bounds = bounds
        elastic.blocked = nil
        note(.scale(.bounds(pool: number, from: before, to: bounds)))
        // A canary keeps the slot that was added for it until its trial ends.
        if elastic.isBorrowed, bounds.minimum == 0 { return }
        elastic.isBorrowed = false
        if bounds.clamp(size) > size { elastic.raisedAt = now }
        resize(to: bounds.clamp(size), at: now)
        resumeScaling(at: now)
    }

    mutating func resize(to size: Int, at now: Instant) {
        let before = tally.wanted
        guard size != before else { return }
        setSize(size, at: now)
        note(.resized(pool: number, from: before, to: tally.wanted))
    }

    /// Adds slots or removes the least useful ones.
    mutating func setSize(_ size: Int, at now: Instant) {
        let before = tally.wanted
        for slot in leastUsefulSlots(before - size) { takeAway(slot, at: now) }
        for slot in slots.indices
        where tally.wanted < size && !slots[slot].isWanted && slots[slot].incumbent == nil {
            slots[slot].isWanted = true
            refresh(slot, at: now)
        }
        if tally.wanted < size { addSlots(size - tally.wanted, at: now) }
    }

    mutating func takeAway(_ slot: Int, at now: Instant) {
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
    /// being replaced, the one with the oldest worker or, in an elastic pool, with the most memory.
    /// The canary's slot is last, so that a smaller pool can still reload.
    private func leastUsefulSlots(_ count: Int) -> [Int] {
        guard count > 0 else { return [] }
        func rank(_ index: Int) -> (Int, Int64, Int64) {
            let slot = slots[index]
            if let canary = candidate?.canary, canary.slot == index { return (3, 0, 0) }
            guard let incumbent = slot.incumbent, incumbent.isReady else { return (0, 0, 0) }
            return (
                slot.replacement != nil || slot.due != nil ? 1 : 2,
                isElastic ? -Int64(clamping: incumbent.memoryBytes ?? 0) : 0,
                incumbent.startedAt.nanoseconds
            )
        }
        let ranked = slots.indices.filter { slots[$0].isWanted }.map { (rank($0), $0) }
        return ranked.sorted { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }.prefix(count).map(\.1)
    }
}
