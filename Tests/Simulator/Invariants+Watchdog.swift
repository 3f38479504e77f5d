import SuperviseCore

/// Invariants of workers that run and make no progress.
extension Invariant {
    /// The number of times per `stall-timeout` that the machine polls the queue.
    private static let pollsPerTimeout: Int64 = 4

    @Sendable static func abortedForACause(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, let cause, _) = notice, let worker = ledger.worker(id)
        else { return nil }
        switch cause {
        case .watchdog:
            if ledger.owesAbort == id { return nil }
            guard let watchdogAt = worker.watchdogAt else { return "\(id) has no watchdog" }
            guard ledger.now < watchdogAt else { return nil }
            return "\(id) had \((watchdogAt - ledger.now).seconds) s left for WATCHDOG=1"
        case .stalled:
            return ledger.isStalled(worker)
                ? nil
                : "\(id) made progress, or sends WATCHDOG=1, or no connection waited that long"
        case .recycle, .announced, .bootTimeout, .killMemory, .scaledDown, .parked, .huntEnded,
            .superseded,
            .stop:
            return nil
        }
    }

    @Sendable static func abortsWhoHangs(_ ledger: Ledger, _ action: Service.Action) -> String? {
        guard case .perform(.signal(let id, let signal)) = action,
            let retirement = ledger.worker(id)?.retirement
        else { return nil }
        let hangs = retirement.cause == .watchdog || retirement.cause == .stalled
        // A quick stop also signals workers that are already stopping.
        if signal == .quick || (signal == .abort) == hangs { return nil }
        if signal == .abort, ledger.mayAbort(id) { return nil }
        return "\(id) gets \(signal) for cause \(retirement.cause)"
    }

    @Sendable static func silenceIsNoticed(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.first { worker in
            guard worker.isKept, let watchdogAt = worker.watchdogAt, watchdogAt <= ledger.now
            else { return nil }
            return "\(worker.id) missed its watchdog and still runs"
        }
    }

    @Sendable static func silenceIsWaitedFor(_ ledger: Ledger, _ service: Service) -> String? {
        let armed = service.nextDeadline ?? Instant(nanoseconds: .max)
        return ledger.first { worker in
            guard worker.isKept, let watchdogAt = worker.watchdogAt, watchdogAt < armed
            else { return nil }
            return "no timer for the watchdog of \(worker.id)"
        }
    }

    @Sendable static func triggersAbort(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.owesAbort.map { "\($0) requested its end and still runs" }
    }

    @Sendable static func standstillIsNoticed(_ ledger: Ledger, _ service: Service) -> String? {
        guard let number = ledger.owesJudgement else { return nil }
        for slot in ledger.pools[number].slots {
            if let stalled = slot.workers.first(where: ledger.isStalled) {
                return "\(stalled.id) makes no progress while connections wait"
            }
        }
        return nil
    }

    @Sendable static func queueIsPolled(_ ledger: Ledger, _ service: Service) -> String? {
        for (number, pool) in ledger.pools.enumerated() where pool.watchesQueue {
            guard let timeout = pool.policy.stallTimeout else { continue }
            let gap = max(10_000_000, timeout.nanoseconds / pollsPerTimeout)
            if pool.polledAt + TimeSpan(nanoseconds: gap) <= ledger.now {
                return "the queue of pool \(number) is not polled"
            }
        }
        return nil
    }
}
