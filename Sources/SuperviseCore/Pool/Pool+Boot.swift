/// From the start order until ready.

/// Times of a boot that no setting changes.
enum BootTimes {
    /// With `ready = auto`, the age at which a worker of a pool without listeners is ready.
    static let withoutListeners = TimeSpan.seconds(1)
    /// With `ready = auto`, the age at which a worker without any possible evidence is assumed to
    /// be ready.
    static let assumed = TimeSpan.seconds(5)
    /// The time from the stop-signal of a failed boot to SIGKILL.
    static let grace = TimeSpan.seconds(2)

    /// Returns the time between two polls of the kernel's evidence: short at first, for programs
    /// that boot in milliseconds, and at most 100 ms. A ready worker is not polled.
    static func observationGap(_ observations: Int) -> TimeSpan {
        .milliseconds(min(100, 5 << Int64(min(observations, 5))))
    }
}

extension Pool {
    /// The number of workers for the slots that are not done.
    var expected: Int { tally.wanted - tally.done }

    /// The number of workers that no start may exceed.
    var ceiling: Int { expected + budget.surge }

    mutating func addSlots(_ count: Int, at now: Instant) {
        for _ in 0..<count {
            slots.append(Slot())
            if isScheduled { slots[slots.count - 1].continuation = .awaitsRun }
            refresh(slots.count - 1, at: now)
        }
    }

    mutating func fillVacancies(at now: Instant) {
        while let (slot, _) = vacancies.first, tally.live < ceiling, mayBoot(slot) {
            slots[slot].incumbent = makeWorker(in: slot, at: now)
            refresh(slot, at: now)
        }
    }

    /// Returns whether this slot may start its worker now. If many programs boot at the same time
    /// on few processors, all of them may reach their ready-timeout. Later workers of a slot do not
    /// wait, because a hanging boot must not prevent the replacement of a crashed worker.
    private func mayBoot(_ slot: Int) -> Bool {
        if tally.ordered >= Mold.ordersAtOnce { return false }
        if case .takingSlot(slot)? = candidate?.phase { return true }
        return slots[slot].lastIncarnation > 0 || tally.firstBoots < policy.bootParallel
    }

    /// Orders the next worker of a slot, of the generation on trial if the slot is the canary's.
    mutating func makeWorker(in slot: Int, at now: Instant) -> Worker {
        slots[slot].lastIncarnation += 1
        slots[slot].awaitsRoom = false
        let id = WorkerID(
            pool: number, slot: slot, incarnation: slots[slot].lastIncarnation)
        let isBeside = slots[slot].incumbent != nil
        let trial = candidate.flatMap { $0.takes(slot, besideIncumbent: isBeside) ? $0 : nil }
        var jitter = Jitter(seed: seed, slot: slot, incarnation: id.incarnation)
        var worker = Worker(
            id: id, generation: trial?.generation ?? generation, at: now,
            policy: trial?.policy ?? policy, jitter: &jitter)
        runStarts(id)
        let notifyThreshold = notificationThreshold(before: worker.requestLimit)
        worker.claims?.notifyThreshold = notifyThreshold
        if let trial {
            candidate?.phase = .trying(id)
            note(.canaryStarted(id, generation: trial.generation))
        }
        let mold = moldForStart(worker.generation)
        worker.forkedFrom = mold?.incarnation
        if mold == nil, let mold = molds[worker.generation], mold.wasWarm, !mold.isGivenUp {
            note(.mold(.execInstead(id)))
        }
        let order = StartOrder(
            generation: worker.generation, requestLimit: worker.requestLimit,
            notifyThreshold: notifyThreshold,
            mold: mold)
        // A replacement does not wait until the end of its predecessor is logged.
        outbox.insert(.start(id, order)) { action in
            if case .note(let notice) = action { notice.reportsEvent } else { false }
        }
        return worker
    }

    /// Returns the settings that a worker was started with.
    func policy(of worker: Worker) -> PoolPolicy { policy(ofGeneration: worker.generation) }

    /// Returns the settings of the generation on trial, or those in force.
    func policy(ofGeneration generation: Int) -> PoolPolicy {
        guard let candidate, candidate.generation == generation else { return policy }
        return candidate.policy
    }

    /// Returns the lowest memory cap of a worker, by the settings that it was started with; nil if
    /// it has none.
    public func lowestCapBytes(of id: WorkerID) -> UInt64? {
        worker(id).flatMap { policy(of: $0).lowestCapBytes }
    }

    mutating func workerRuns(_ id: WorkerID, at now: Instant) {
        hasRun = true
        guard var worker = self[id], case .starting(var boot) = worker.state else { return }
        forkSucceeded(worker)
        sampler.sampleSoon(by: self.policy, at: now)
        let policy = policy(of: worker)
        if policy.readiness == .auto, policy.hasListeners {
            boot.observeAt = now + BootTimes.observationGap(0)
        }
        worker.state = .booting(boot)
        self[id] = worker
        note(
            .started(
                id, generation: worker.generation, requestLimit: worker.requestLimit))
        if policy.readiness == .exec || policy.runs != nil { becomeReady(id, by: .exec, at: now) }
    }

    /// Handles `READY=1`, if the readiness rule uses it. With `auto` and listeners there must also
    /// be evidence, if it is available: gunicorn sends `READY=1` before any of its workers has
    /// loaded the program.
    mutating func workerSaidReady(_ id: WorkerID, at now: Instant) {
        guard let worker = self[id], var boot = worker.boot else { return }
        let policy = policy(of: worker)
        switch policy.readiness {
        case .exec, .after: return
        case .notify: becomeReady(id, by: .notify, at: now)
        case .auto where !policy.hasListeners || boot.evidence == .none:
            becomeReady(id, by: .notify, at: now)
        case .auto:
            guard !boot.reportedReady else { return }
            boot.reportedReady = true
            boot.observations = 0
            boot.observeAt = now + BootTimes.observationGap(0)
            self[id]?.boot = boot
            outbox.append(.observe(id))
        }
    }

    mutating func workerIsUnobservable(_ id: WorkerID, mayReport: Bool, at now: Instant) {
        self[id]?.boot?.evidence = mayReport ? .report : .none
        if self[id]?.boot?.reportedReady == true, !mayReport {
            becomeReady(id, by: .notify, at: now)
        }
    }

    /// Evidence counts only under `ready = auto`. For a worker that is already assumed to be ready,
    /// it confirms the assumption.
    mutating func workerListens(_ id: WorkerID, at now: Instant) {
        guard let worker = self[id], policy(of: worker).readiness == .auto else { return }
        self[id]?.serving?.isUnproven = false
        becomeReady(id, by: worker.boot?.reportedReady == true ? .notify : .listening, at: now)
    }

    mutating func becomeReady(
        _ id: WorkerID, by rule: ReadyRule, isUnproven: Bool = false, at now: Instant
    ) {
        guard var worker = self[id], let boot = worker.boot else { return }
        worker.state = .ready(
            Serving(progressAt: now, isUnproven: isUnproven, claims: boot.claims))
        worker.readyAt = now
        self[id] = worker
        // A run shows nothing about the pools that must serve.
        hasBeenReady = hasBeenReady || !isScheduled
        if worker.isHunted { huntIsReady(id, at: now) } else { learnBootTime(of: worker) }
        bootSucceeded(worker)
        readyWorkerChangesLoad()
        slots[id.slot].setbacks.bootFailures = 0
        note(.ready(id, by: rule, after: now - worker.startedAt))
        // Growth by serving is measured against the size at this time.
        if policy(of: worker).lowestCapBytes != nil { outbox.append(.measure(id)) }
        if candidate?.isTrying(id) == true {
            candidateIsReady(id, at: now)
        } else if slots[id.slot].replacement?.id == id {
            takeOver(id.slot, at: now)
        }
        judgeRequests(of: id, at: now)
    }

    /// Returns the next time-dependent step of a booting worker.
    func bootDeadline(of worker: Worker) -> Instant? {
        guard let boot = worker.boot else { return nil }
        guard let (readyAt, _) = readyByTime(worker) else { return boot.until }
        return min(boot.until, readyAt)
    }

    private func readyByTime(_ worker: Worker) -> (at: Instant, rule: ReadyRule)? {
        let policy = policy(of: worker)
        guard case .booting(let boot) = worker.state else { return nil }
        switch policy.readiness {
        case .notify, .exec: return nil
        case .after(let span): return (worker.startedAt + span, .time)
        case .auto where !policy.hasListeners:
            return (worker.startedAt + BootTimes.withoutListeners, .time)
        case .auto:
            // Missing evidence means no evidence only if none is possible. If it is possible, the
            // boot has failed. A report may also be missing because the library is not loaded.
            switch (boot.evidence, boot.reportedReady) {
            case (.kernel, false): return nil
            case (.kernel, true), (.report, true): return (boot.until, .notify)
            case (.report, false): return (boot.until, .assumed)
            case (.none, true): return (worker.startedAt + BootTimes.assumed, .notify)
            case (.none, false): return (worker.startedAt + BootTimes.assumed, .assumed)
            }
        }
    }

    mutating func expireBoot(of id: WorkerID, at now: Instant) {
        guard let worker = self[id], var boot = worker.boot else { return }
        if let (readyAt, rule) = readyByTime(worker), readyAt <= now {
            becomeReady(id, by: rule, isUnproven: rule != .time, at: now)
        } else if boot.until <= now {
            bootTimedOut(worker, at: now)
        } else if let observeAt = boot.observeAt, observeAt <= now {
            outbox.append(.observe(id))
            boot.observations += 1
            boot.observeAt = now + BootTimes.observationGap(boot.observations)
            self[id]?.boot = boot
        }
    }

    private mutating func bootTimedOut(_ worker: Worker, at now: Instant) {
        note(.bootTimedOut(worker.id, after: now - worker.startedAt))
        retire(worker.id, because: .bootTimeout, within: BootTimes.grace, at: now)
        if candidate?.isTrying(worker.id) == true {
            candidateFailed(.bootTimeout)
            return
        }
        follow(worker, .bootFailed, at: now)
    }
}
