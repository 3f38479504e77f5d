import SuperviseCore

/// Stop requests, as an observer counts them.
extension Ledger {
    mutating func stopAsked(_ haste: Haste) {
        stopRequestedAt = stopRequestedAt ?? now
        askedHaste = max(haste, askedHaste ?? haste)
    }

    /// A launcher may send a signal twice at the same time. An operator who repeats it takes a
    /// second.
    mutating func stopSignalled(_ signal: Service.StopSignal) {
        let last = signalledAt[signal]
        if let last, now < last + .seconds(1) { return }
        signalledAt[signal] = now
        switch signal {
        case .terminate: stopAsked(last == nil ? .graceful : .quick)
        case .interrupt, .quit:
            let isQuick = askedHaste.map { $0 >= .quick } ?? false
            stopAsked(isQuick ? .immediate : .quick)
        }
    }
}

extension Invariant {
    @Sendable static func noMoreHasteThanAsked(
        _ ledger: Ledger, _ notice: Notice
    ) -> String? {
        guard case .stopping(let number, let haste) = notice, haste > .graceful else { return nil }
        guard let asked = ledger.askedHaste, asked >= haste else {
            return "pool \(number) stops in mode \(haste), which was not requested"
        }
        return nil
    }

    @Sendable static func hasteReachesAll(_ ledger: Ledger, _ service: Service) -> String? {
        guard let asked = ledger.askedHaste, asked > .graceful else { return nil }
        for member in service.members {
            let stage = member.pool.stage
            guard stage == .ended || stage == .stopping(asked) else {
                return "\(member.name) is \(stage), and must stop in mode \(asked)"
            }
        }
        return nil
    }
}
