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
}

extension RecycleCause {
    /// Whether waiting makes it worse.
    var isOfMemory: Bool {
        switch self {
        case .memory, .poolMemory, .pressure: true
        case .requests, .lifetime, .requested, .reload: false
        }
    }
}
