import SuperviseCore

/// The line that `systemctl status` shows.
extension ServiceManagerReport {
    /// With more pools, only their totals are reported.
    private static let poolsByName = 4

    func status(of service: Service) -> String {
        let kept = service.members.filter { !$0.isRemoved }
        if service.haste != nil {
            let left = service.members.reduce(0) { $0 + $1.pool.liveCount }
            return "Stopping: \(left) \(left == 1 ? "worker" : "workers") left"
        }
        if isReloadUnderWay { return "Reloading: " + progress(of: service, kept) }
        if !kept.isEmpty, kept.allSatisfy({ $0.pool.stage == .parked }) {
            return "Parked: no workers until a reload"
        }
        let head = isStarting ? "Starting: " : ""
        return head + strength(of: kept) + (hasFailedReload ? "; the last reload failed" : "")
    }

    private func strength(of members: [Service.Member]) -> String {
        if (2...Self.poolsByName).contains(members.count) {
            let parts = members.map { "\($0.name) \(strength(of: $0))/\($0.pool.size)" }
            return "ready workers: " + parts.joined(separator: ", ")
        }
        let serving = members.reduce(0) { $0 + strength(of: $1) }
        let size = members.reduce(0) { $0 + $1.pool.size }
        let place = members.count > 1 ? " in \(members.count) pools" : ""
        return "\(serving) of \(size) workers ready\(place)"
    }

    /// The number of ready workers, without surplus replacements.
    private func strength(of member: Service.Member) -> Int {
        min(member.pool.servingCount, member.pool.size)
    }

    private func progress(of service: Service, _ kept: [Service.Member]) -> String {
        guard let rollout = service.rollout, rollout.endedAt == nil else {
            return "reading the configuration"
        }
        guard rollout.stage == .rolling else { return "waiting for the canaries" }
        let renewed = kept.reduce(0) { $0 + $1.pool.renewedCount }
        let size = kept.reduce(0) { $0 + $1.pool.size }
        return "\(renewed) of \(size) workers replaced"
    }
}
