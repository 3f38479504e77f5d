import SuperviseCore

/// Recording of the machine's actions and notices.
extension Ledger {
    mutating func record(_ action: Service.Action) {
        hasJustReported = action.reportsEvent
        switch action {
        case .perform(let action): record(action)
        case .activate: break
        case .discard: endTrial()
        case .closeListeners(let pool): listenersClosed(pool)
        case .sampleListeners(let pool): pools[pool].closing?.awaitsSample = true
        case .releaseListeners(let pool): pools[pool].holdsListeners = false
        case .exit(let code): exitCode = code
        }
    }

    private mutating func record(_ action: Action) {
        let now = now
        switch action {
        case .start(let id, let order): started(id, order)
        case .signal(let id, let signal):
            signalled(id, aborts: signal == .abort)
            change(id) { $0.isSignalled = true }
        case .signalTree(let id):
            signalled(id, aborts: false)
            change(id) { $0.isSignalled = true }
        case .drain(let id): drainBegun(id)
        case .sampleConnections(let id, _): change(id) { $0.awaitsSample = true }
        case .interruptAcceptors(let id):
            if owesInterrupt == id { owesInterrupt = nil }
            change(id) { $0.draining?.interruptions += 1 }
        case .kill(let id):
            owesKill.remove(id)
            if owesStopSignal == id { owesStopSignal = nil }
            change(id) {
                $0.isKilled = true
                $0.draining = nil
                $0.stopping = nil
                $0.killAt = now + .seconds(1)
            }
        case .gatherEvidence(let id, _, _):
            let runsCommand = worker(id).map { policy(of: $0).runsBeforeRecycle } ?? false
            change(id) {
                $0.evidenceSince = now
                $0.evidenceTime = .seconds(runsCommand ? 30 : 2)
                $0.isGathering = true
            }
        case .sample(let pool, let contents):
            if contents.contains(.progress) { pools[pool].polledAt = now }
        case .setNotifyThreshold(let id, let requests):
            change(id) {
                $0.notifyThreshold = requests
                $0.notifiedAt = now
            }
        case .startMold(let id): moldStarted(id)
        case .endMold(let id): molds[id]?.endedAt = now
        case .killMold(let id): molds[id]?.killedAt = now
        case .observe, .measure, .planRun, .awaitConnection, .sampleHunt: break
        case .note(let notice): record(notice)
        }
    }

    private mutating func started(_ id: WorkerID, _ order: StartOrder) {
        guard pools.indices.contains(id.pool) else { return }
        while pools[id.pool].slots.count <= id.slot { pools[id.pool].slots.append(Slot()) }
        let pool = pools[id.pool]
        let isCanary = trial != nil && trial?.generation == order.generation
        let policy = isCanary ? pool.trial ?? pool.policy : pool.policy
        var worker = Worker(
            id: id, generation: order.generation, startedAt: now,
            lifetime: policy.maxLifetime.map { $0...$0 + policy.maxLifetimeJitter },
            requestLimit: order.requestLimit, readyBy: now + policy.readyTimeout,
            watchdogTimeout: policy.watchdogTimeout)
        worker.notifyThreshold = order.notifyThreshold
        worker.killRSS = policy.killRSSBytes
        worker.isCanary = isCanary
        worker.isBeside = pool.slots[id.slot].workers.contains { $0.isKept }
        pools[id.pool].slots[id.slot].workers.append(worker)
        pools[id.pool].slots[id.slot].lastIncarnation = id.incarnation
        pools[id.pool].slots[id.slot].awaitsRoom = false
        // A canary starts regardless of its slot's backoff, so its start proves nothing about the
        // slot.
        if !isCanary, pools[id.pool].slots[id.slot].isFresh {
            pools[id.pool].slots[id.slot].isFresh = false
            pools[id.pool].slots[id.slot].notBefore = nil
        }
    }

    private mutating func record(_ notice: Notice) {
        let now = now
        switch notice {
        case .started, .startFailed, .bootTimedOut, .exited, .drained, .leftProcesses,
            .killedTree,
            .leakAlarm, .memoryIsTight, .shortage, .reloadComplete, .rolledOut,
            .canaryFailed, .drainDelay, .closed, .run, .scale, .hunt, .requestStuck:
            break
        case .mold(.givenUp(let pool, let generation, _)):
            moldsGivenUp.insert(Generation(pool: pool, number: generation))
        case .mold(.doubted(let id)):
            moldFailures.insert(Generation(pool: id.pool, number: id.generation))
        case .mold: break
        case .requestsHang: owesHang = false
        case .stopHabit: owesHabit = nil
        case .memoryShared(let pool, let caps): pools[pool].policy.take(caps)
        case .memoryAlarm(let id, _, .soft, _), .memoryAlarm(let id, _, .lowered, _):
            change(id) { $0.alarmedAt = now }
        case .memoryAlarm(let id, _, .hard, _): change(id) { $0.isHardAlarmed = true }
        case .memoryWarning(let id, _, _):
            change(id) { $0.isWarned = true }
            owesWarning.remove(id)
        case .ready(let id, _, _):
            wasEverReady = true
            becameReady(id)
            pools[id.pool].slots[id.slot].bootFailures = 0
            pools[id.pool].slots[id.slot].isFailing = false
        case .due(let id, let cause, _):
            becameDue(id, cause)
            if cause == .poolMemory || cause == .pressure { pools[id.pool].relief = id }
        case .retiring(let id, let cause, _): retiring(id, cause)
        case .killed(let id, let cause):
            guard cause == .killMemory else { return }
            change(id) {
                $0.killAt = min($0.killAt ?? now, now)
                // The machine does not wait for anything, not even the requests of a draining
                // worker.
                if $0.draining != nil { $0.isSignalled = true }
            }
        case .backoff(let pool, let slot, _, let delay):
            pools[pool].slots[slot].notBefore = now + delay
            if owesBackoff?.pool == pool, owesBackoff?.slot == slot { owesBackoff = nil }
        case .slotDone(let pool, let slot):
            if owesDone?.pool == pool, owesDone?.slot == slot { owesDone = nil }
            pools[pool].slots[slot].isDone = true
            pools[pool].slots[slot].isFailing = false
            pools[pool].slots[slot].failedAt = nil
        case .resized(let pool, _, let to): resized(pool, to)
        case .parked(let pool): pools[pool].stage = .parked
        case .unparked(let pool): unparked(pool)
        case .canaryStarted(let id, _): pools[id.pool].canary = id
        case .canaryPassed(let pool, _, _): pools[pool].passedAt = now
        case .stopping(let pool, let haste): stopping(pool, haste)
        case .ended(let pool): pools[pool].stage = .ended
        case .reloadBegun(let generation): reloadBegun(generation)
        case .reloadCommitted(let generation): committed(generation)
        case .reloadAborted: endTrial()
        case .givingUp(let reason): givenUp = reason
        }
    }

    private mutating func retiring(_ id: WorkerID, _ cause: RetireCause) {
        let now = now
        guard let worker = worker(id) else { return }
        let graceful = policy(of: worker).gracefulTimeout
        let grace: TimeSpan =
            switch cause {
            case .bootTimeout, .watchdog, .stalled: .seconds(2)
            case .superseded: mayHoldRequests(worker) ? graceful : .seconds(2)
            case .killMemory: .zero
            case .recycle, .announced, .scaledDown, .parked, .huntEnded: graceful
            case .stop:
                switch pools[id.pool].stage {
                case .stopping(.quick): .seconds(2)
                case .stopping(.immediate): .zero
                case .stopping(.graceful), .running, .parked, .ended:
                    pools[id.pool].closing.flatMap { closing in
                        closing.killAt.map { max(closing.share, $0 - now) }
                    } ?? graceful
                }
            }
        if cause == .recycle(.requestTimeout) { pools[id.pool].stuckStoppedAt = now }
        let pair = pools[id.pool].slots[id.slot].pair(canary: pools[id.pool].canary)
        let isFollowed = pair.replacement.map { $0.id != pools[id.pool].canary } ?? false
        if cause == .announced, pair.incumbent?.id == id, !isFollowed, !isOnTrial(id),
            pools[id.pool].policy.restart != .always
        {
            pools[id.pool].slots[id.slot].awaited = id.incarnation
        }
        if cause == .announced, pair.incumbent?.id == id, !isFollowed, !isOnTrial(id),
            pools[id.pool].policy.restart == .always
        {
            // A delay of its replacement does not apply to the replacement's successor.
            pools[id.pool].slots[id.slot].notBefore = nil
            let hasServed = worker.readyAt != nil || !policy(of: worker).hasListeners
            if hasServed, now - worker.startedAt >= .seconds(1) {
                pools[id.pool].slots[id.slot].failedAt = nil
                pools[id.pool].slots[id.slot].isFailing = false
            }
        }
        if worker.readyAt == nil, cause == .announced, !isOnTrial(id) {
            pools[id.pool].slots[id.slot].bootFailures += 1
        }
        if cause == .recycle(.reload), trial != nil, worker.generation == generation {
            pools[id.pool].tookSlots += 1
        }
        if case .recycle(let why) = cause, why.isOfMemory, pools[id.pool].isTight,
            pair.replacement?.readyAt == nil
        {
            pools[id.pool].slots[id.slot].awaitsRoom = true
        }
        if cause == .recycle(.memory), pair.replacement?.readyAt != nil {
            pools[id.pool].wasMisledByGrowth =
                worker.aheadOfCap != nil && !hasReachedCap(worker)
        }
        change(id) {
            $0.retirement = Retirement(cause: cause, at: now)
            $0.killAt = now + grace
        }
        if owesAbort == id { owesAbort = nil }
        countOwnRecycle(of: worker, cause)
        if cause.isAbrupt, !isOnTrial(id) {
            endedAbruptly(worker, wasIncumbent: pair.incumbent?.id == id)
        }
    }

    private mutating func resized(_ pool: Int, _ size: Int) {
        let isShrinking = size < pools[pool].wanted
        pools[pool].wanted = size
        guard isShrinking else { return }
        // The slot that made room for the canary may be among the removed ones.
        if pools[pool].canary == nil { pools[pool].tookSlots = 0 }
        for slot in pools[pool].slots.indices
        where !pools[pool].slots[slot].workers.contains(where: \.isKept) {
            pools[pool].slots[slot].isFresh = true
            pools[pool].slots[slot].failedAt = nil
            pools[pool].slots[slot].isFailing = false
            pools[pool].slots[slot].awaited = nil
        }
    }

    private mutating func unparked(_ pool: Int) {
        pools[pool].stage = .running
        pools[pool].polledAt = now
        for slot in pools[pool].slots.indices {
            pools[pool].slots[slot].notBefore = nil
            pools[pool].slots[slot].failedAt = nil
            pools[pool].slots[slot].isFailing = false
        }
    }

    private mutating func stopping(_ pool: Int, _ haste: Haste) {
        pools[pool].stage = .stopping(haste)
        let latest: Instant? =
            switch haste {
            case .graceful: nil
            case .quick: now + .seconds(2)
            case .immediate: now
            }
        guard let latest else { return }
        for slot in pools[pool].slots.indices {
            for place in pools[pool].slots[slot].workers.indices {
                if let killAt = pools[pool].slots[slot].workers[place].killAt {
                    pools[pool].slots[slot].workers[place].killAt = min(killAt, latest)
                }
            }
        }
    }
}

extension RetireCause {
    /// Whether it was unplanned, so that the slot continues as after a crash.
    var isAbrupt: Bool {
        switch self {
        case .bootTimeout, .killMemory, .watchdog, .stalled: true
        case .recycle, .announced, .scaledDown, .parked, .huntEnded, .superseded, .stop: false
        }
    }
}
