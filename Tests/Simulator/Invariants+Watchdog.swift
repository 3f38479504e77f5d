import SuperviseCore

/// What holds for workers that live and do nothing.
extension Invariant {
    /// The machine looks so many times in `stall-timeout` whether connections wait.
    private static let looksPerTimeout: Int64 = 4

    @Sendable static func abortedForACause(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, let cause, _) = notice, let worker = ledger.worker(id)
        else { return nil }
        switch cause {
        case .watchdog:
            if ledger.owesAbort == id { return nil }
            guard let watchdogAt = worker.watchdogAt else { return "\(id) promised nothing" }
            guard ledger.now < watchdogAt else { return nil }
            return "\(id) had \((watchdogAt - ledger.now).seconds) s more to say that it is alive"
        case .stalled:
            return ledger.isStalled(worker)
                ? nil : "\(id) moved, or says that it is alive, or nobody waited for so long"
        case .recycle, .announced, .bootTimeout, .killMemory, .scaledDown, .parked, .superseded,
            .stop:
            return nil
        }
    }

    @Sendable static func abortsWhoHangs(_ ledger: Ledger, _ action: Service.Action) -> String? {
        guard case .perform(.signal(let id, let signal)) = action,
            let told = ledger.worker(id)?.told
        else { return nil }
        let hangs = told.cause == .watchdog || told.cause == .stalled
        // A quick stop hurries whoever is on the way.
        if signal == .quick || (signal == .abort) == hangs { return nil }
        return "\(id) gets \(signal) because of \(told.cause)"
    }

    @Sendable static func silenceIsNoticed(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.first { worker in
            guard worker.isKept, let watchdogAt = worker.watchdogAt, watchdogAt <= ledger.now
            else { return nil }
            return "\(worker.id) is silent and lives"
        }
    }

    @Sendable static func silenceIsWaitedFor(_ ledger: Ledger, _ service: Service) -> String? {
        let armed = service.nextDeadline ?? Instant(nanoseconds: .max)
        return ledger.first { worker in
            guard worker.isKept, let watchdogAt = worker.watchdogAt, watchdogAt < armed
            else { return nil }
            return "nothing wakes should \(worker.id) fall silent"
        }
    }

    @Sendable static func triggersAbort(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.owesAbort.map { "\($0) asked for its end and lives" }
    }

    @Sendable static func standstillIsNoticed(_ ledger: Ledger, _ service: Service) -> String? {
        guard let number = ledger.owesJudgement else { return nil }
        for slot in ledger.pools[number].slots {
            if let stalled = slot.workers.first(where: ledger.isStalled) {
                return "\(stalled.id) stands still while others wait"
            }
        }
        return nil
    }

    @Sendable static func queueIsLookedAt(_ ledger: Ledger, _ service: Service) -> String? {
        for (number, pool) in ledger.pools.enumerated() where pool.watchesQueue {
            guard let timeout = pool.policy.stallTimeout else { continue }
            let gap = max(10_000_000, timeout.nanoseconds / looksPerTimeout)
            if pool.lookedAt + TimeSpan(nanoseconds: gap) <= ledger.now {
                return "nobody looks whether connections wait at pool \(number)"
            }
        }
        return nil
    }
}
