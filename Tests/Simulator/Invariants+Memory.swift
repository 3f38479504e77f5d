import SuperviseCore

/// Invariants of memory.
extension Invariant {
    /// The next worker is recycled only after the last one and all its processes are gone.
    @Sendable static func oneRelief(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .due(let id, .poolMemory, _) = notice else { return nil }
        let pool = ledger.pools[id.pool]
        guard let last = pool.relief, last != id, ledger.worker(last) != nil else { return nil }
        return "\(id) is due although \(last) still runs"
    }

    @Sendable static func oneWarning(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .memoryWarning(let id, let facts, let mark) = notice else { return nil }
        guard let worker = ledger.worker(id), !worker.isWarned else {
            return "\(id) already caused a warning"
        }
        return facts.memoryBytes ?? 0 > mark ? nil : "\(id) does not exceed warn-rss"
    }

    @Sendable static func crossingIsReported(_ ledger: Ledger, _ service: Service) -> String? {
        // A worker that retires in the same step needs no warning.
        let missed = ledger.owesWarning.first { ledger.worker($0)?.isKept == true }
        return missed.map { "\($0) exceeds warn-rss without a warning" }
    }

    /// A young worker causes an alarm and stays.
    @Sendable static func alarmsRetireNobody(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .due(let id, .memory, _) = notice, let worker = ledger.worker(id),
            let alarmedAt = worker.alarmedAt, let cap = ledger.softCap(of: worker)
        else { return nil }
        guard alarmedAt < ledger.now, !ledger.isYoung(worker) || worker.hasOutgrown(cap) else {
            return "\(id) is due by its alarm"
        }
        return nil
    }

    /// The guard applies to workers whose own size is near the cap.
    @Sendable static func outgrownCapRecycles(_ ledger: Ledger, _ service: Service) -> String? {
        let missed = ledger.owesRecycle.compactMap(ledger.worker).first {
            $0.serves && $0.due == nil && $0.alarmedAt == nil
        }
        return missed.map { "\($0.id) exceeded its cap and is not due" }
    }

    /// A worker that is too large for the new caps must not be accepted as the canary.
    @Sendable static func canaryIsWeighed(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .canaryPassed(let number, _, _) = notice,
            let cap = ledger.pools[number].trial?.killRSSBytes,
            let canary = ledger.pools[number].canary.flatMap(ledger.worker),
            let readyAt = canary.readyAt
        else { return nil }
        let stay = min(ledger.pools[number].policy.stableAfter, .seconds(2))
        guard let at = canary.measuredAt, at - readyAt >= stay, let bytes = canary.memory else {
            return "\(canary.id) was not measured at the end of its trial"
        }
        return bytes <= cap ? nil : "\(canary.id) exceeds kill-rss"
    }

    @Sendable static func evidenceFirst(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, .recycle, _) = notice, let worker = ledger.worker(id),
            worker.isGathering, let since = worker.evidenceSince
        else { return nil }
        return ledger.now - since < worker.evidenceTime
            ? "\(id) stops before its evidence is complete" : nil
    }
}

extension RecycleCause {
    /// Whether waiting makes it worse.
    var isOfMemory: Bool {
        switch self {
        case .memory, .poolMemory, .pressure: true
        case .requests, .lifetime, .requestTimeout, .requested, .operator, .reload: false
        }
    }
}
