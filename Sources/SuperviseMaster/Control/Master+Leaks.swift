import SuperviseControl
import SuperviseCore

/// The response to `/leaks`, created on request.
extension Master {
    /// The evidence about routes that retain memory.
    var leaks: LeakWatch { sampler.leaks }

    /// Returns a report about the pool of this name, or about all pools.
    func leaksReport(ofPool name: String?) throws(ControlRefusal) -> LeaksReport {
        if let name { return LeaksReport(pools: [report(about: try pool(name))]) }
        return LeaksReport(pools: service.members.filter { !$0.isRemoved }.map(report))
    }

    private func report(about member: Service.Member) -> LeaksReport.Pool {
        let pool = member.pool
        var report = LeaksReport.Pool(name: member.name, generation: pool.generation)
        report.bytesPerHour = pool.growth?.bytesPerHour ?? usualGrowth(ofPool: pool)
        if let (evidence, since) = leaks.report(ofPool: pool.number, at: now) {
            report.report = evidence
            report.age = now - since
        }
        guard report.report.observations == 0 else { return report }
        report.obstacle = obstacle(to: member)
        return report
    }

    /// The median growth of the running workers, in bytes per hour.
    private func usualGrowth(ofPool pool: Pool) -> Int64? {
        let growth = workers.ofPool(pool.number)
            .compactMap { pool.worker($0.id)?.growth?.bytesPerHour }.sorted()
        return growth.isEmpty ? nil : growth[growth.count / 2]
    }

    private func obstacle(to member: Service.Member) -> LeaksReport.Obstacle? {
        let pool = member.pool
        if pool.isScheduled { return .schedule }
        guard let blueprint = generations[pool.generation]?.blueprints[member.name] else {
            return nil
        }
        if blueprint.listeners.isEmpty { return .noListeners }
        if blueprint.settings.requestInfo == .off { return .requestInfoOff }
        let running = workers.ofPool(pool.number).filter { !$0.hasExited }
        let hasResponses = running.contains { $0.responses?.responses ?? 0 > 0 }
        if blueprint.ledger == .program, !hasResponses { return .notObserved }
        if !running.isEmpty, running.allSatisfy({ $0.hasVisibleRequests == false }) {
            return .notVisible
        }
        if leaks.isUnreadable(pool: pool.number) { return .memoryUnreadable }
        return pool.isSampled || pool.policy.memoryLogInterval != nil ? nil : .notSampled
    }
}
