import SuperviseCore

/// Recording of the machine's events.
extension Ledger {
    mutating func record(_ event: Service.Event, at instant: Instant) {
        now = instant
        owesBackoff = nil
        owesKill = []
        mayKill = []
        owesRecycle = []
        hasJustReported = false
        owesWarning = []
        owesDone = nil
        owesShut = nil
        owesAbort = nil
        owesJudgement = nil
        owesStopSignal = nil
        owesInterrupt = nil
        owesHabit = nil
        owesStop = nil
        requestsSampledOf = nil
        owesHang = false
        switch event {
        case .listeners(let pool, let sample): listenersSampled(sample, ofPool: pool)
        case .mold(let id, let news): record(news, of: id)
        case .deadline, .recycle, .park, .memoryLimit, .run, .setBounds, .connectionAnnounced,
            .hunt:
            break
        case .sampled(let pool, let sample): record(sample, of: pool)
        case .start: for pool in pools.indices { pools[pool].polledAt = now }
        case .late(let span): lost(span)
        case .resize(let pool, let change):
            guard !stopWasRequested, pools.indices.contains(pool), pools[pool].stage == .running
            else {
                return
            }
            pools[pool].target = max(1, pools[pool].target + change)
        case .worker(let id, let news): record(news, of: id)
        case .reload(let plans):
            guard !stopWasRequested, exitCode == nil else { return }
            pendingPlans = plans
        case .stop(let haste): stopAsked(haste)
        case .stopSignal(let signal): stopSignalled(signal)
        }
    }

    private mutating func record(_ news: WorkerEvent, of id: WorkerID) {
        let now = now
        guard let worker = worker(id) else { return }
        switch news {
        case .running: change(id) { $0.runsSince = now }
        case .startFailed(let failure): startFailed(worker, failure)
        case .ready: change(id) { $0.reportedReady = true }
        case .listening: change(id) { $0.wasSeen = true }
        case .unobservable, .stopping, .endedDuring: break
        case .recycleRequested: change(id) { $0.usesContract = true }
        case .connectionSample(let sample): connectionsSampled(sample, of: worker)
        case .undrainable:
            drainEnded(worker, .unwatchable)
            change(id) { $0.stopping = nil }
        case .watchdog: watchdogHeard(of: worker)
        case .watchdogTriggered: if worker.isKept { owesAbort = id }
        case .extendTimeout(let span): extended(worker, by: span)
        case .requests(let total):
            change(id) { $0.usesContract = true }
            count(by: worker) { $0.report(max($0.reportedRequests, total)) }
        case .moreRequests(let more):
            change(id) { $0.usesContract = true }
            count(by: worker) { $0.report($0.reportedRequests + more) }
        case .connections(let total):
            count(by: worker) {
                if !$0.hasReported, !$0.isObserved { $0.requests = max($0.requests, total) }
            }
        case .responses(let total): count(by: worker) { $0.observe(total) }
        case .memory(let bytes, _): measured(worker, bytes)
        case .evidenceGathered: change(id) { $0.isGathering = false }
        case .hold(let span):
            change(id) {
                $0.usesContract = true
                $0.holdUntil = now + span
            }
        case .exited(let status, let leavesTree):
            exited(worker, status, leavesTree: leavesTree)
        case .treeGone: if worker.hasExited { remove(id) }
        }
    }

    private mutating func record(_ sample: PoolSample, of pool: Int) {
        if let room = sample.room {
            let sizes = pools[pool].slots.compactMap { slot in
                slot.pair(canary: pools[pool].canary).incumbent.flatMap {
                    $0.serves ? $0.memory : nil
                }
            }.sorted()
            pools[pool].isTight = !sizes.isEmpty && room.freeBytes < sizes[sizes.count / 2]
        }
        for figure in sample.memory ?? [] {
            if let worker = worker(figure.id) { measured(worker, figure.bytes) }
        }
        if let requests = sample.requests { requestsSeen(requests, inPool: pool) }
        if let responses = sample.responses { responsesSeen(responses, inPool: pool) }
        if let waiting = sample.waiting { queueSeen(inPool: pool, waiting) }
    }

    private mutating func measured(_ worker: Worker, _ bytes: UInt64) {
        let now = now
        let id = worker.id
        let policy = policy(of: worker)
        let soft = softCap(of: worker)
        let hard = hardCap(of: worker)
        if let last = worker.memory, let at = worker.measuredAt, bytes > last {
            let growth = at < now ? Double(bytes - last) / (now - at).seconds : .infinity
            pools[id.pool].steepestGrowth = max(pools[id.pool].steepestGrowth, growth)
        }
        change(id) {
            $0.memory = bytes
            $0.measuredAt = now
            if $0.serves, $0.firstMemory == nil { $0.firstMemory = bytes }
            if $0.serves { $0.leastMemory = min($0.leastMemory ?? bytes, bytes) }
            if $0.ownMemory == nil || $0.requests == 0 { $0.ownMemory = bytes }
            let isOver = $0.serves && soft.map { bytes > $0 } ?? false
            $0.samplesOver = isOver ? $0.samplesOver + 1 : 0
            if let soft, bytes <= soft, $0.serves { $0.alarmedAt = nil }
            if let hard, bytes <= hard { $0.isHardAlarmed = false }
            if let mark = policy.warnRSSBytes, bytes < mark - mark / 20 { $0.isWarned = false }
        }
        guard worker.isKept else { return }
        // The memory may shrink again, but the cap was actually reached.
        if let measured = self.worker(id), hasReachedCap(measured) {
            change(id) { $0.aheadOfCap = nil }
        }
        if let mark = policy.warnRSSBytes, bytes > mark, !worker.isWarned { owesWarning.insert(id) }
        if let hard, bytes > hard { judgeHardCap(hard, of: id) }
        if let soft, bytes > soft { judgeSoftCap(soft, of: id) }
    }

    private mutating func startFailed(_ worker: Worker, _ failure: StartFailure) {
        if !failure.isTransient { wasRefused = true }
        remove(worker.id)
        guard worker.isKept, !isOnTrial(worker.id) else { return }
        if !failure.isTransient { pools[worker.id.pool].slots[worker.id.slot].bootFailures += 1 }
        countFailure(in: worker.id, of: worker)
    }

    private mutating func exited(_ worker: Worker, _ status: ExitStatus, leavesTree: Bool) {
        let now = now
        guard !worker.hasExited else { return }
        let id = worker.id
        stopShown(byEndOf: worker, leavesTree: leavesTree)
        let isUnplanned = worker.isKept && pools[id.pool].stage == .running
        let wasIncumbent =
            pools[id.pool].slots[id.slot].pair(canary: pools[id.pool].canary).incumbent?.id == id
        if leavesTree {
            change(id) {
                $0.hasExited = true
                $0.isSignalled = false
                $0.isKilled = false
                $0.stopping = nil
            }
            if worker.killAt == nil {
                let grace = policy(of: worker).gracefulTimeout
                change(id) { $0.killAt = now + grace }
            }
        } else {
            remove(id)
        }
        let isAwaited = pools[id.pool].slots[id.slot].awaited == id.incarnation
        if worker.isKept && !isOnTrial(id) || isAwaited {
            let policy = policy(of: worker)
            let isFinish = worker.readyAt != nil || !policy.hasListeners
            pools[id.pool].slots[id.slot].hasFailed = status != .code(0) || !isFinish
        }
        if pools[id.pool].slots[id.slot].awaited == id.incarnation {
            // If another worker follows, it follows as after a crash.
            pools[id.pool].slots[id.slot].awaited = nil
            pools[id.pool].slots[id.slot].notBefore = nil
        }
        guard isUnplanned, !isOnTrial(id) else { return }
        let policy = policy(of: worker)
        let isFinish = status == .code(0) && (worker.readyAt != nil || !policy.hasListeners)
        if worker.readyAt == nil, !isFinish {
            pools[id.pool].slots[id.slot].bootFailures += 1
            if wasIncumbent { pools[id.pool].slots[id.slot].isFailing = true }
        }
        judgeEnd(of: worker, isFinish: isFinish, wasIncumbent: wasIncumbent)
    }

    /// Counts a worker that must be stopped unexpectedly as a crash or as a failed boot.
    mutating func endedAbruptly(_ worker: Worker, wasIncumbent: Bool) {
        let id = worker.id
        pools[id.pool].slots[id.slot].hasFailed = true
        if worker.readyAt == nil {
            pools[id.pool].slots[id.slot].bootFailures += 1
            if wasIncumbent { pools[id.pool].slots[id.slot].isFailing = true }
        }
        judgeEnd(of: worker, isFinish: false, wasIncumbent: wasIncumbent)
    }

    /// Counts a worker that requests its replacement as soon as it is ready, or immediately reports
    /// all its requests as served, as one that ended too soon.
    mutating func countOwnRecycle(of worker: Worker, _ cause: RetireCause) {
        guard let due = worker.due, let readyAt = worker.readyAt else { return }
        let life: TimeSpan
        let isTooSoon: Bool
        switch cause {
        case .recycle(.requested):
            life = due.since - worker.startedAt
            isTooSoon = life < .seconds(1)
        case .recycle(.requests):
            life = now - worker.startedAt
            isTooSoon = now - readyAt < .milliseconds(100)
        default: return
        }
        let slot = pools[worker.id.pool].slots[worker.id.slot]
        let isStable = now - readyAt >= pools[worker.id.pool].policy.stableAfter
        if isTooSoon, !isStable {
            countFailure(in: worker.id, of: worker)
        } else if isStable || life >= .seconds(1) {
            if let failedAt = slot.failedAt, failedAt > readyAt { return }
            pools[worker.id.pool].slots[worker.id.slot].failedAt = nil
            pools[worker.id.pool].slots[worker.id.slot].notBefore = nil
        }
    }

    /// Decides whether the end of a worker counts as too soon.
    private mutating func judgeEnd(of worker: Worker, isFinish: Bool, wasIncumbent: Bool) {
        let id = worker.id
        let pool = pools[id.pool]
        if wasIncumbent {
            // If the slot already has another worker, that one takes over.
            let follower = pool.slots[id.slot].workers.contains {
                $0.isKept && !($0.id == pool.canary && $0.isBeside)
            }
            if follower { return }
            pools[id.pool].slots[id.slot].notBefore = nil
            if pool.policy.restart == .never || pool.policy.restart == .onFailure && isFinish {
                owesDone = Place(pool: id.pool, slot: id.slot)
                return
            }
            if isFinish, now - worker.startedAt >= .seconds(1) {
                pools[id.pool].slots[id.slot].failedAt = nil
                pools[id.pool].slots[id.slot].isFailing = false
                return
            }
        }
        countFailure(in: id, of: worker)
    }

    /// After two failures without a stable worker in between, the slot has to back off.
    private mutating func countFailure(in id: WorkerID, of worker: Worker) {
        let pool = pools[id.pool]
        let slot = pool.slots[id.slot]
        let stable = pool.policy.stableAfter
        func isStable(_ worker: Worker?) -> Bool {
            worker?.readyAt.map { now - $0 >= stable } ?? false
        }
        var isForgiven = isStable(worker)
        if let incumbent = slot.pair(canary: pool.canary).incumbent, let readyAt = incumbent.readyAt
        {
            isForgiven =
                isForgiven || isStable(incumbent) && slot.failedAt.map { readyAt >= $0 } ?? true
        }
        if slot.failedAt != nil, !isForgiven, pool.policy.backoff > .zero {
            owesBackoff = Place(pool: id.pool, slot: id.slot)
        }
        pools[id.pool].slots[id.slot].failedAt = now
    }
}
