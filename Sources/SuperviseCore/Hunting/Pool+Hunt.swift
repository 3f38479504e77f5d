/// The hunted worker. It has a slot beyond the pool's size, so it replaces none and none replaces
/// it. It is never counted among the workers that serve or may exist, and its memory counts.
/// Whatever stops it ends the hunt.

extension Pool {
    /// The reason for which no hunt can begin now; nil if one can.
    public var huntObstacle: HuntObstacle? {
        if isScheduled { return .schedule }
        if !policy.hasListeners { return .noListeners }
        if stage != .running { return .notRunning }
        if hunt != nil { return .hunt }
        return candidate != nil || isRollingOut ? .reload : nil
    }

    /// The hunted worker; nil if none is hunted.
    public var huntedWorker: WorkerID? { hunt?.id }

    mutating func handle(_ event: HuntEvent, at now: Instant) {
        switch event {
        case .begin(let order): if huntObstacle == nil { beginHunt(order, at: now) }
        case .sampled(let id, let progress): huntSampled(id, progress, at: now)
        case .end(let reason): endHunt(reason, at: now)
        }
    }

    private mutating func beginHunt(_ order: HuntOrder, at now: Instant) {
        let slot = slotForHunt()
        slots[slot].lastIncarnation += 1
        let id = WorkerID(pool: number, slot: slot, incarnation: slots[slot].lastIncarnation)
        // Limits that only replace a worker would end the hunt.
        var unlimited = policy
        unlimited.maxRequests = 0
        unlimited.maxLifetime = nil
        var jitter = Jitter(seed: seed, slot: slot, incarnation: id.incarnation)
        var worker = Worker(
            id: id, generation: generation, at: now, policy: unlimited, jitter: &jitter)
        worker.isHunted = true
        slots[slot].incumbent = worker
        hunt = Hunt(id: id, order: order)
        note(.hunt(.begun(id, order)))
        outbox.append(.start(id, StartOrder(generation: generation, hunt: order)))
        refresh(slot, at: now)
    }

    /// The slot of a removed worker, or a new one.
    private mutating func slotForHunt() -> Int {
        if let free = slots.lastIndex(where: {
            !$0.isWanted && $0.present.isEmpty && $0.leaving.isEmpty
        }) {
            return free
        }
        slots.append(Slot())
        slots[slots.count - 1].isWanted = false
        return slots.count - 1
    }

    mutating func huntIsReady(_ id: WorkerID, at now: Instant) {
        guard var hunt, hunt.id == id else { return }
        hunt.sampleAt = now + Hunt.sampleGap
        hunt.until = now + hunt.order.time
        hunt.patientUntil = now + Hunt.patience
        self.hunt = hunt
    }

    mutating func expireHunt(at now: Instant) {
        guard var hunt else { return }
        if let until = hunt.until, until <= now { return endHunt(.timeout, at: now) }
        guard let sampleAt = hunt.sampleAt, sampleAt <= now else { return }
        hunt.sampleAt = now + Hunt.sampleGap
        self.hunt = hunt
        outbox.append(.sampleHunt(hunt.id))
    }

    private mutating func huntSampled(_ id: WorkerID, _ progress: HuntProgress, at now: Instant) {
        guard var hunt, hunt.id == id else { return }
        // The worker writes what the samples read.
        hunt.progress.requests = max(hunt.progress.requests, progress.requests)
        hunt.progress.measured = max(hunt.progress.measured, progress.measured)
        self.hunt = hunt
        if hunt.progress.measured >= hunt.order.requests {
            endHunt(.finished, at: now)
        } else if hunt.progress.requests == 0, let until = hunt.patientUntil, until <= now {
            endHunt(.noRequests, at: now)
        }
    }

    /// Ends the hunt, if there is one, and stops its worker.
    mutating func endHunt(_ reason: HuntEnd, at now: Instant) {
        guard let hunt else { return }
        reportHunt(of: hunt.id, reason)
        guard self[hunt.id] != nil else { return }
        retire(hunt.id, because: .huntEnded, at: now)
        refresh(hunt.id.slot, at: now)
    }

    /// Reports the end of the hunt of a worker that has ended or is about to. Must come before
    /// everything that releases the worker.
    mutating func reportHunt(of id: WorkerID, _ reason: HuntEnd) {
        guard let hunt, hunt.id == id else { return }
        self.hunt = nil
        note(.hunt(.ended(id, reason, hunt.progress)))
    }
}

extension Slot {
    /// Whether its incumbent is ready.
    var isServed: Bool { incumbent?.isReady == true }
}

extension Service {
    /// Handles an event about the hunt of a pool. A service that stops begins none.
    mutating func handle(_ event: HuntEvent, ofPool number: Int, at now: Instant) {
        guard exitCode == nil, let index = index(ofPool: number) else { return }
        send(index, .hunt(event), at: now)
    }

    /// Ends all hunts.
    mutating func endHunts(_ reason: HuntEnd, at now: Instant) {
        for index in members.indices where members[index].pool.huntedWorker != nil {
            send(index, .hunt(.end(reason)), at: now)
        }
    }
}
