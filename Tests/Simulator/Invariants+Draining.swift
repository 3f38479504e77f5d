import SuperviseCore

/// Invariants of workers that drain.
extension Invariant {
    @Sendable static func drainsOnlyRetiring(_ ledger: Ledger, _ action: Service.Action) -> String?
    {
        guard case .perform(.drain(let id)) = action else { return nil }
        guard let worker = ledger.worker(id) else { return "\(id) has exited" }
        if worker.retirement == nil { return "\(id) is not retiring" }
        if worker.isSignalled || worker.isKilled { return "\(id) already got its signal" }
        if worker.draining != nil { return "\(id) already drains" }
        return ledger.hasToDrain(worker) ? nil : "\(id) need not be drained"
    }

    @Sendable static func stopSignalWaits(_ ledger: Ledger, _ action: Service.Action) -> String? {
        let id: WorkerID
        switch action {
        case .perform(.signal(let worker, .stop)), .perform(.signalTree(let worker)): id = worker
        default: return nil
        }
        guard let worker = ledger.worker(id) else { return nil }
        if let draining = worker.draining {
            guard ledger.now < draining.until, ledger.hasToDrain(worker) else { return nil }
            guard let end = draining.end else {
                return "\(id) gets the stop-signal with requests in flight"
            }
            return ledger.requestsInFlight(of: worker, at: end)
        }
        guard !worker.isSignalled, !worker.hasExited, ledger.hasToDrain(worker)
        else { return nil }
        return "\(id) gets the stop-signal before its drain ended"
    }

    @Sendable static func samplesInTurn(_ ledger: Ledger, _ action: Service.Action) -> String? {
        guard case .perform(.sampleConnections(let id, let endsIdle)) = action else { return nil }
        guard let worker = ledger.worker(id) else { return "\(id) has exited" }
        if worker.awaitsSample { return "a sample of \(id) is already awaited" }
        guard let draining = worker.draining else {
            return worker.stopping == nil || endsIdle ? "\(id) is not watched" : nil
        }
        if endsIdle, ledger.now < draining.relaxAt { return "\(id) has time left" }
        return !endsIdle && ledger.now >= draining.relaxAt
            ? "\(id) has no valid moment to stop" : nil
    }

    @Sendable static func interruptsTheIdle(_ ledger: Ledger, _ action: Service.Action) -> String? {
        guard case .perform(.interruptAcceptors(let id)) = action else { return nil }
        return ledger.owesInterrupt == id ? nil : "\(id) has no accepting thread, or is busy"
    }

    @Sendable static func acceptorsAreInterrupted(
        _ ledger: Ledger, _ service: Service
    ) -> String? {
        ledger.owesInterrupt.map { "threads of \($0) accept, and are not interrupted" }
    }

    @Sendable static func habitsAreSeen(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .stopHabit(let id, let finishes) = notice else { return nil }
        let isSeen =
            ledger.owesHabit == id.pool && ledger.pools[id.pool].finishesRequests == finishes
        return isSeen ? nil : "\(id) did not show this"
    }

    @Sendable static func habitsAreLearnt(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.owesHabit.map { "the stop of pool \($0) showed whether requests finish" }
    }

    @Sendable static func emptyOnesGo(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.owesStopSignal.map { "\($0) is drained and does not stop" }
    }

    @Sendable static func drainsNotForEver(_ ledger: Ledger, _ service: Service) -> String? {
        let armed = service.nextDeadline ?? Instant(nanoseconds: .max)
        return ledger.first { worker in
            var next = worker.draining?.until ?? Instant(nanoseconds: .max)
            if next <= ledger.now { return "\(worker.id) drains for too long" }
            let sampleBy = worker.draining?.sampleBy ?? worker.stopping?.sampleBy
            if !worker.awaitsSample, let sampleBy { next = min(next, sampleBy) }
            return next < armed ? "no timer to sample \(worker.id), or to end its drain" : nil
        }
    }
}

extension Ledger {
    /// Returns the actual requests in flight at a worker whose drain ended in this way, or nil if
    /// no request can be lost.
    fileprivate func requestsInFlight(of worker: Worker, at end: DrainEnd) -> String? {
        let truth = inFlight[worker.id] ?? InFlight()
        let finishes = pools[worker.id.pool].finishesRequests == true
        let isLost =
            switch end {
            case .idle: !finishes && truth.isAny
            case .lull: truth.isShown
            case .reused, .unwatchable, .timeout, .stuck: false
            }
        return isLost ? "\(worker.id) has requests in flight, and time left" : nil
    }
}
