import SuperviseCore

/// Workers that are emptied, as an observer sees them.
extension Ledger {
    struct Draining: Equatable {
        /// When the stop-signal has to come at the latest, and not before while it is busy.
        private(set) var until: Instant
        /// What the program gets at least from the stop-signal on.
        let share: TimeSpan
        /// Whether it was told that it is empty, or can't be watched.
        var isOver: Bool { end != nil }
        /// The one of these that it was told.
        var end: DrainEnd?

        init(until: Instant, share: TimeSpan) {
            self.until = until
            self.share = share
        }

        mutating func shift(by span: TimeSpan) { until = until + span }
    }

    mutating func drainBegun(_ id: WorkerID) {
        guard let killAt = worker(id)?.killAt else { return }
        let share = TimeSpan(
            nanoseconds: min(2_000_000_000, (killAt - now).nanoseconds / 2))
        let until = Instant(nanoseconds: killAt.nanoseconds - share.nanoseconds)
        change(id) { $0.draining = Draining(until: until, share: share) }
    }

    mutating func drainEnded(_ worker: Worker, _ end: DrainEnd) {
        guard worker.draining != nil else { return }
        change(worker.id) { $0.draining?.end = end }
        owesStopSignal = worker.id
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
        case .auto: !worker.saidReady
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

    @Sendable static func emptyOnesGo(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.owesStopSignal.map { "\($0) has nothing to do and stays" }
    }

    @Sendable static func drainsNotForEver(_ ledger: Ledger, _ service: Service) -> String? {
        let armed = service.nextDeadline ?? Instant(nanoseconds: .max)
        return ledger.first { worker in
            guard let draining = worker.draining else { return nil }
            if draining.until <= ledger.now { return "\(worker.id) is emptied for too long" }
            return draining.until < armed
                ? "nothing wakes to end the emptying of \(worker.id)" : nil
        }
    }
}
