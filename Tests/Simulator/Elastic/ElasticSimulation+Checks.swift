import SuperviseCore

/// The checks of the simulation of elastic pools.
extension ElasticSimulation {
    mutating func prepare(for event: Service.Event) {
        switch event {
        case .stop, .stopSignal: ledger.isStopping = true
        case .park:
            ledger.isParked = true
            ledger.calmSince = now
        case .resize(_, let change):
            ledger.calmSince = now
            ledger.preparedAsleep = nil
            if ledger.isParked {
                if change > 0 { ledger.isParked = false }
            } else {
                ledger.bounds = WorkerBounds(
                    minimum: ledger.bounds.minimum + change,
                    maximum: ledger.bounds.maximum + change)
            }
        case .setBounds(_, let bounds):
            ledger.calmSince = now
            ledger.preparedAsleep = nil
            ledger.bounds = bounds
        case .reload(let plans):
            ledger.calmSince = now
            ledger.generation += 1
            ledger.pending[ledger.generation] = plans.first?.policy
            ledger.preparedAsleep = nil
            if pool?.size == 0, !ledger.isParked { ledger.preparedAsleep = ledger.generation }
            ledger.wasVisited = false
        case .connectionAnnounced: ledger.wasVisited = true
        case .worker(let id, let news):
            if case .exited = news { forget(id) }
            if case .startFailed = news {
                forget(id)
                ledger.calmSince = now
            }
            if case .ready = news { ledger.calmSince = now }
        case .start, .deadline, .late, .mold, .sampled, .memoryLimit, .recycle, .run, .hunt,
            .listeners:
            break
        }
    }

    private mutating func forget(_ id: WorkerID) {
        if ledger.removed.remove(id) != nil { ledger.lastRemoval = now }
        ledger.memory[id] = nil
        clients.forget(id, at: now)
    }

    mutating func observe(_ action: Service.Action) {
        switch action {
        case .exit(let code): ended(code)
        case .perform(.awaitConnection): ledger.isArmed = true
        case .perform(.drain(let id)): ledger.drained.insert(id)
        case .perform(.signal(let id, .stop)):
            if ledger.removed.contains(id), world.processes[id]?.hasExecuted == true,
                !ledger.drained.contains(id)
            {
                violate(.drainedFirst, "\(id) is not")
            }
        case .perform(.note(let notice)): observe(notice)
        case .perform, .activate, .discard, .closeListeners, .releaseListeners, .sampleListeners:
            break
        }
    }

    private mutating func observe(_ notice: Notice) {
        switch notice {
        case .scale(let notice):
            count(notice)
            observe(notice)
        case .retiring(let id, .scaledDown, _):
            checkLargest(id)
            ledger.removed.insert(id)
        case .exited(_, _, let ending, _):
            if case .retired = ending { return }
            ledger.calmSince = now
        case .bootTimedOut: ledger.calmSince = now
        case .canaryStarted(_, let generation): ledger.canaryOf.insert(generation)
        case .reloadCommitted(let generation):
            if ledger.preparedAsleep == generation, !ledger.canaryOf.contains(generation),
                !ledger.wasVisited, !ledger.isParked
            {
                violate(.reloadsTryACanary, "generation \(generation) has none")
            }
            if let policy = ledger.pending[generation] {
                ledger.policy = policy
                ledger.bounds = policy.bounds ?? ledger.bounds
            }
            ledger.isParked = false
            ledger.calmSince = now
            ledger.blockedAt = nil
        case .reloadAborted:
            ledger.calmSince = now
        default: break
        }
    }

    private mutating func observe(_ notice: ScaleNotice) {
        switch notice {
        case .up(_, let from, let to, let cause): observeUp(from, to, cause)
        case .down(_, let from, let to): observeDown(from, to)
        case .blocked: ledger.blockedAt = now
        case .bounds: ledger.blockedAt = nil
        }
    }

    private mutating func observeUp(_ from: Int, _ to: Int, _ cause: ScaleCause) {
        if to > max(1, 2 * from) { violate(.atMostDoubling, "from \(from) to \(to)") }
        if case .waitingTime = cause, let last = ledger.lastUp, now - last.at < .seconds(1) {
            violate(.atMostDoubling, "again after \((now - last.at).seconds) s")
        }
        if case .unserved = cause, let pool, pool.servingCount < from {
            violate(.bootingOnesCount, "\(pool.servingCount) of \(from) are ready")
        }
        if clients.queue.isEmpty { violate(.needsAReason, "none waits") }
        if let cap = ledger.policy.maxPoolRSSBytes, from > 0,
            let smallest = ledger.memory.values.min()
        {
            let known = ledger.memory.values.reduce(0, +)
            if known + UInt64(to - from) * smallest > cap {
                violate(.fitsIntoMemory, "\(to) workers do not")
            }
        }
        ledger.lastUp = ElasticLedger.Up(at: now, cause: cause)
        ledger.calmSince = now
        if to == ledger.bounds.maximum { ledger.blockedAt = nil }
    }

    private mutating func observeDown(_ from: Int, _ to: Int) {
        let span = ledger.policy.scaleDownAfter
        if let last = ledger.lastUp, now - last.at < span {
            violate(.oneReversal, "after \((now - last.at).seconds) s")
        }
        if from - to != 1 { violate(.oneAtATime, "from \(from) to \(to)") }
        if let other = ledger.removed.first(where: { world.present.contains($0) }) {
            violate(.oneAtATime, "\(other) has not ended")
        }
        if !clients.queue.isEmpty { violate(.spareOnesGo, "connections wait") }
        let busy = clients.meanBusy(over: min(span, .seconds(20)), until: now)
        // A worker that was removed before may have served until then.
        let isChain = ledger.lastRemoval.map { now - $0 < span } ?? false
        if !isChain, busy > Double(to) * 0.9 + 0.3 {
            violate(.spareOnesGo, "\(busy) were busy, \(to) stay")
        }
    }

    private mutating func checkLargest(_ id: WorkerID) {
        guard let pool, pool.isElastic, let own = ledger.memory[id], ledger.calmSince < now,
            pool.worker(id)?.readyAt != nil
        else { return }
        let others = ledger.memory.filter { other, bytes in
            other != id && bytes > own && pool.worker(other)?.isReady == true
        }
        if let other = others.first { violate(.largestFirst, "\(id) before \(other.key)") }
    }

    mutating func checkStep() {
        guard let pool, exitCode == nil, !ledger.isStopping, pool.stage == .running else { return }
        let isOnTrial = pool.trial != nil
        let least = isOnTrial ? 0 : ledger.bounds.minimum
        let most = max(ledger.bounds.maximum, isOnTrial ? 1 : 0)
        if pool.size < least || pool.size > most {
            violate(.withinBounds, "\(pool.size) of \(ledger.bounds.text)")
        }
        if let generation = ledger.preparedAsleep, pool.generation == generation, !isOnTrial {
            ledger.preparedAsleep = nil
            if !ledger.wasVisited, ledger.bounds.minimum == 0, pool.size > 0 {
                violate(.canaryStops, "\(pool.size) workers stay")
            }
        }
    }

    /// Checks what holds at the end of each turn.
    mutating func checkTurn() {
        guard let pool, !ledger.isStopping, pool.stage == .running else { return }
        checkQueue(pool)
        if ledger.policy.maxPoolRSSBytes == nil, pool.size == ledger.bounds.minimum,
            let emptySince = clients.emptySince, now - emptySince > .seconds(3),
            pool.trial == nil,
            pool.servingCount == pool.size, pool.liveCount == pool.size,
            now - ledger.calmSince > .seconds(15)
        {
            if !ledger.isArmed { violate(.idleOnesSleep, "no connection is awaited") }
            if let deadline = machine.nextDeadline, deadline > now + .milliseconds(200) {
                violate(.idleOnesSleep, "it wakes in \((deadline - now).seconds) s")
            }
        }
    }

    /// A queue gets workers unless all are there, they boot or fail, or memory limits them.
    private mutating func checkQueue(_ pool: Pool) {
        guard let oldest = clients.queue.first, pool.trial == nil,
            pool.size < ledger.bounds.maximum, pool.servingCount >= pool.size,
            now - oldest > ledger.policy.scaleUpAfter + .seconds(3),
            now - ledger.calmSince > ledger.policy.scaleUpAfter + .seconds(3)
        else { return }
        if ledger.policy.maxPoolRSSBytes == nil {
            violate(.queueIsServed, "one waits for \((now - oldest).seconds) s")
        } else if ledger.blockedAt == nil {
            violate(.blockIsReported, "one waits for \((now - oldest).seconds) s")
        }
    }

    /// Checks the state after a long time without load.
    mutating func checkRest() {
        guard let pool, pool.stage == .running, pool.trial == nil else { return }
        if pool.size != ledger.bounds.minimum {
            violate(.returnsToMinimum, "\(pool.size) of \(ledger.bounds.text)")
        }
    }
}
