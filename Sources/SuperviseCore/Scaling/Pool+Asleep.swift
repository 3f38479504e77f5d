/// Reloads of an elastic pool. One without workers borrows a slot for the canary, because a program
/// that cannot start must not become current.

extension Pool {
    /// Whether it has no worker because there is no load.
    var isAsleep: Bool { isElastic && tally.wanted == 0 }

    /// Whether a new generation is tried with a canary. A pool in which nobody serves has nothing
    /// to lose, unless it has no worker because there is no load.
    var needsCanary: Bool { tally.serving > 0 || isAsleep }

    /// The smallest number of workers that the pool keeps.
    var kept: Int { elastic.bounds.map { min(expected, $0.minimum) } ?? expected }

    /// Adds the slot in which the canary of the generation on trial starts.
    mutating func borrowSlot(at now: Instant) {
        setSize(1, at: now)
        guard let slot = slots.firstIndex(where: \.isWanted) else { return }
        elastic.isBorrowed = true
        elastic.wasVisited = false
        candidate?.phase = .takingSlot(slot)
        refresh(slot, at: now)
    }

    /// Removes the slot whose canary failed.
    mutating func returnBorrowedSlot(at now: Instant) {
        guard elastic.isBorrowed else { return }
        elastic.isBorrowed = false
        setSize(0, at: now)
        resumeScaling(at: now)
    }

    /// Applies the number of workers of new settings. An elastic pool keeps its size within the new
    /// bounds. The canary of one without workers stops, unless a connection arrived meanwhile.
    mutating func applySize(at now: Instant) {
        guard let bounds = policy.bounds else {
            elastic = Elastic()
            sampler.endLoad()
            return resize(to: policy.workers, at: now)
        }
        let isUnused = elastic.isBorrowed && !elastic.wasVisited
        if elastic.raisedAt == nil || elastic.isBorrowed { elastic.raisedAt = now }
        elastic.bounds = bounds
        elastic.blocked = nil
        elastic.isBorrowed = false
        // The listeners may be others.
        elastic.isArmed = false
        if isUnused, bounds.minimum <= 1 {
            setSize(bounds.minimum, at: now)
        } else {
            resize(to: bounds.clamp(size), at: now)
        }
        resumeScaling(at: now)
    }
}
