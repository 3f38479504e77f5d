/// Memory, which the pools of one master share.

extension Service {
    /// Recalculates the percentages of memory: each worker that may exist has its share. A pool
    /// that is about to be resized counts with its new size.
    mutating func shareMemory(resizing resized: (index: Int, size: Int)? = nil) {
        let kept = members.indices.filter { !members[$0].isRemoved && members[$0].isServing }
        let count = PoolPolicy.workersAtOnce(
            kept.map { index in
                let pool = members[index].pool
                let size = resized?.index == index ? resized?.size : nil
                return (pool.policy, size ?? pool.mostWorkers)
            })
        for index in members.indices {
            guard members[index].pool.shareMemory(amongWorkers: count) else { continue }
            let pool = members[index].pool
            note(.memoryShared(pool: pool.number, MemoryCapBytes(pool.policy)))
        }
    }

    /// Recomputes the percentages for a limit that has changed while the service runs, such as that
    /// of a container that is resized in place.
    mutating func setMemoryLimit(_ bytes: UInt64) {
        for index in members.indices { members[index].pool.setMemoryLimit(bytes) }
        shareMemory()
    }

    /// Returns the plans with the shares of memory that apply once all of them are current, so that
    /// the first worker of each has its share from the start.
    static func sharingMemory(_ plans: [Plan]) -> [Plan] {
        let count = PoolPolicy.workersAtOnce(plans.map { ($0.policy, $0.policy.workers) })
        return plans.map { plan in
            var plan = plan
            plan.policy.shareMemory(amongWorkers: count)
            return plan
        }
    }

    mutating func take(_ sample: PoolSample, ofPool number: Int, at now: Instant) {
        guard let index = index(ofPool: number) else { return }
        let isShort = sample.room?.isNearLimit ?? false
        send(
            index, .sampled(sample, mayRelieve: !isShort || mayRelieve(index, at: now)), at: now)
    }

    /// Selects the one pool that releases memory for the others: the one with the largest worker to
    /// recycle.
    private func mayRelieve(_ index: Int, at now: Instant) -> Bool {
        guard members.count > 1 else { return true }
        let own = members[index].pool.reliefBytes(at: now)
        return members.indices.allSatisfy { other in
            other == index
                || !members[other].pool.isRelieving
                    && members[other].pool.reliefBytes(at: now) <= own
        }
    }
}

extension Pool {
    /// Calculates the percentages. Returns whether they differ from the last reported ones.
    mutating func shareMemory(amongWorkers count: Int) -> Bool {
        guard policy.hasMemoryPercentages else { return false }
        policy.shareMemory(amongWorkers: count)
        defer { reportedCaps = MemoryCapBytes(policy) }
        return MemoryCapBytes(policy) != reportedCaps
    }

    fileprivate mutating func setMemoryLimit(_ bytes: UInt64) {
        if policy.usesMemoryLimit { policy.memoryLimitBytes = bytes }
        if candidate?.policy.usesMemoryLimit == true { candidate?.policy.memoryLimitBytes = bytes }
    }

    /// The caps of a worker that starts now.
    public var memoryCaps: MemoryCapBytes { MemoryCapBytes(policy) }
}
