import SuperviseCore

/// What holds of memory.
extension Invariant {
    /// The next one only when the last one is gone with all that was its.
    @Sendable static func oneRelief(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .due(let id, .poolMemory, _) = notice else { return nil }
        let pool = ledger.pools[id.pool]
        guard let last = pool.relief, last != id, ledger.worker(last) != nil else { return nil }
        return "\(id) is due although \(last) is not gone"
    }

    @Sendable static func oneWarning(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .memoryWarning(let id, let facts, let mark) = notice else { return nil }
        guard let worker = ledger.worker(id), !worker.isWarned else {
            return "\(id) was warned of before"
        }
        return facts.memoryBytes ?? 0 > mark ? nil : "\(id) is not over warn-rss"
    }

    @Sendable static func crossingIsTold(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.owesWarning.map { "\($0) is over warn-rss and nobody says so" }
    }

    /// What is young is told of, and stays.
    @Sendable static func alarmsRetireNobody(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .due(let id, .memory, _) = notice, let worker = ledger.worker(id),
            let alarmedAt = worker.alarmedAt, let readyAt = worker.readyAt
        else { return nil }
        let least = ledger.policy(of: worker).minLifetime
        guard alarmedAt < ledger.now, ledger.now - readyAt >= least else {
            return "\(id) is due by its alarm"
        }
        return nil
    }

    @Sendable static func evidenceFirst(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, .recycle, _) = notice, let worker = ledger.worker(id),
            worker.isGathering, let since = worker.evidenceSince
        else { return nil }
        return ledger.now - since < worker.evidenceTime
            ? "\(id) goes before its evidence is there" : nil
    }
}

extension RecycleCause {
    /// Whether waiting makes it worse.
    var isOfMemory: Bool {
        switch self {
        case .memory, .poolMemory, .pressure: true
        case .requests, .lifetime, .requested, .operator, .reload: false
        }
    }
}
