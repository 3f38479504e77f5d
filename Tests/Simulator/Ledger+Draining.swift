import SuperviseCore

/// Workers that are emptied, as an observer sees them.
extension Ledger {
    struct Draining: Equatable {
        private var since: Instant
        /// When the stop-signal has to come at the latest, and not before while it is busy.
        private(set) var until: Instant
        /// When any moment without a known request has to do.
        private(set) var relaxAt: Instant
        var isRelaxed = false
        /// What the program gets at least from the stop-signal on.
        private(set) var share: TimeSpan
        /// Whether it was told that it is empty, or can't be watched.
        var isOver: Bool { end != nil }
        /// The one of these that it was told.
        var end: DrainEnd?

        init(since: Instant, killAt: Instant) {
            self.since = since
            let half = TimeSpan(nanoseconds: (killAt - since).nanoseconds / 2)
            share = min(.seconds(2), half)
            until = Instant(nanoseconds: killAt.nanoseconds - share.nanoseconds)
            relaxAt = until
            setRelaxation()
        }

        private mutating func setRelaxation() {
            let span = min(4_000_000_000, (until - since).nanoseconds / 4)
            relaxAt = Instant(nanoseconds: until.nanoseconds - span)
        }

        mutating func hasten(at now: Instant) {
            let half = TimeSpan(nanoseconds: (until - since + share).nanoseconds / 2)
            guard share < half else { return }
            until = max(now, since + half)
            share = half
            setRelaxation()
        }

        mutating func shift(by span: TimeSpan) {
            since = since + span
            until = until + span
            relaxAt = relaxAt + span
        }
    }

    mutating func drainBegun(_ id: WorkerID) {
        guard let killAt = worker(id)?.killAt else { return }
        let draining = Draining(since: now, killAt: killAt)
        change(id) { $0.draining = draining }
    }

    mutating func drainEnded(_ worker: Worker, _ end: DrainEnd) {
        guard worker.draining != nil else { return }
        change(worker.id) { $0.draining?.end = end }
        owesStopSignal = worker.id
    }

    mutating func reused(by worker: Worker) {
        let now = now
        guard worker.draining?.isOver == false, !isHurried(worker.id) else { return }
        switch pools[worker.id.pool].finishesRequests {
        case true: drainEnded(worker, .reused)
        case false: break
        case nil: change(worker.id) { $0.draining?.hasten(at: now) }
        }
    }

    mutating func stopShown(by worker: Worker, finishes: Bool) {
        pools[worker.id.pool].finishesRequests = finishes
    }

    mutating func signalled(_ id: WorkerID) {
        let now = now
        if owesStopSignal == id { owesStopSignal = nil }
        guard let draining = worker(id)?.draining, !isHurried(id) else {
            return change(id) { $0.draining = nil }
        }
        change(id) {
            // One that never was ready has the graceful timeout only for requests.
            let isEmpty =
                draining.end == .idle || draining.end == .unwatchable && $0.requests == 0
            let isShort = $0.readyAt == nil && isEmpty
            $0.killAt = $0.killAt.map { killAt in
                max(isShort ? min(killAt, now + .seconds(2)) : killAt, now + draining.share)
            }
            $0.draining = nil
        }
    }

    /// Whether the pool stops faster than gracefully, which nobody's requests put off.
    private func isHurried(_ id: WorkerID) -> Bool {
        switch pools[id.pool].stage {
        case .stopping(.quick), .stopping(.immediate): true
        case .stopping(.graceful), .running, .parked, .ended: false
        }
    }

    /// Whether this worker may be told to go only when its requests are served.
    func hasToDrain(_ worker: Worker) -> Bool {
        let policy = policy(of: worker)
        guard let told = worker.told, let killAt = worker.killAt, killAt > told.at,
            policy.hasListeners, worker.runsSince != nil, !isHurried(worker.id)
        else { return false }
        switch told.cause {
        case .recycle, .scaledDown, .parked, .stop, .superseded: break
        case .announced, .bootTimeout, .killMemory, .watchdog, .stalled: return false
        }
        return isDrained(worker, by: policy)
    }

    private func isDrained(_ worker: Worker, by policy: PoolPolicy) -> Bool {
        switch policy.drain {
        case .signal: false
        case .observe: true
        case .auto: !worker.usesContract
        }
    }

    /// Whether a worker whose generation is not in force may have requests, so that it has the
    /// graceful timeout.
    func mayHoldRequests(_ worker: Worker) -> Bool {
        let policy = policy(of: worker)
        return worker.readyAt != nil || worker.requests > 0
            || policy.hasListeners && worker.runsSince != nil && policy.gracefulTimeout > .zero
                && isDrained(worker, by: policy)
    }
}

/// What holds for them.
extension Invariant {
    @Sendable static func drainsWhoIsTold(_ ledger: Ledger, _ action: Service.Action) -> String? {
        guard case .perform(.drain(let id)) = action else { return nil }
        guard let worker = ledger.worker(id) else { return "\(id) is gone" }
        if worker.told == nil { return "\(id) was not told to go" }
        if worker.isSignalled || worker.isKilled { return "\(id) got its signal before" }
        if worker.draining != nil { return "\(id) is emptied already" }
        return ledger.hasToDrain(worker) ? nil : "\(id) need not be emptied"
    }

    @Sendable static func stopSignalWaits(_ ledger: Ledger, _ action: Service.Action) -> String? {
        let id: WorkerID
        switch action {
        case .perform(.signal(let worker, .stop)), .perform(.signalTree(let worker)): id = worker
        default: return nil
        }
        guard let worker = ledger.worker(id) else { return nil }
        if let draining = worker.draining {
            guard !draining.isOver, ledger.now < draining.until, ledger.hasToDrain(worker) else {
                return nil
            }
            return "\(id) gets the stop-signal at its requests"
        }
        guard !worker.isSignalled, !worker.hasExited, ledger.hasToDrain(worker)
        else { return nil }
        return "\(id) gets the stop-signal and was not emptied"
    }

    @Sendable static func relaxesLate(_ ledger: Ledger, _ action: Service.Action) -> String? {
        guard case .perform(.relaxDrain(let id)) = action else { return nil }
        guard let draining = ledger.worker(id)?.draining else { return "\(id) is not emptied" }
        if draining.isRelaxed { return "\(id) was told so before" }
        return ledger.now < draining.relaxAt ? "\(id) has time left" : nil
    }

    @Sendable static func emptyOnesGo(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.owesStopSignal.map { "\($0) has nothing to do and stays" }
    }

    @Sendable static func drainsNotForEver(_ ledger: Ledger, _ service: Service) -> String? {
        let armed = service.nextDeadline ?? Instant(nanoseconds: .max)
        return ledger.first { worker in
            guard let draining = worker.draining else { return nil }
            if draining.until <= ledger.now { return "\(worker.id) is emptied for too long" }
            if !draining.isRelaxed, draining.relaxAt <= ledger.now {
                return "no moment will do for \(worker.id)"
            }
            let next = draining.isRelaxed ? draining.until : draining.relaxAt
            return next < armed ? "nothing wakes to end the emptying of \(worker.id)" : nil
        }
    }
}
