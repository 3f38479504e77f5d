/// Runs by a schedule, as far as they concern the whole service.

extension Service {
    /// The pools with a schedule whose next run is known, with that time.
    public var plannedRuns: [(pool: Int, next: PlannedRun)] {
        members.compactMap { member in
            member.pool.runs.next.map { (member.pool.number, $0) }
        }
    }

    /// Handles an event about the runs of a pool. A service that stops starts none.
    mutating func handle(_ event: RunEvent, ofPool number: Int, at now: Instant) {
        guard exitCode == nil, let index = index(ofPool: number) else { return }
        send(index, .run(event), at: now)
    }

    /// Removes a pool that the new configuration lacks. A run in progress ends first.
    mutating func remove(_ index: Int, at now: Instant) {
        members[index].isRemoved = true
        if members[index].pool.isScheduled { send(index, .run(.withdrawn), at: now) }
    }
}

extension Service.Member {
    /// Returns whether a new configuration continues this pool. A removed pool whose run has not
    /// ended is continued if it is configured again, because a second pool would run the command a
    /// second time.
    func isContinued(by plan: Service.Plan) -> Bool {
        let mayReturn = isServing && pool.hasRunInProgress && plan.policy.runs != nil
        return name == plan.name && (isWanted || mayReturn)
    }
}
