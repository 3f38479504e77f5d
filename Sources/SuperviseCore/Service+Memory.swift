/// What the pools of one master share: memory.

extension Service {
    /// Works out anew what percentages of memory come to: each worker that may exist has its share.
    /// While a generation is on trial, its canary is judged by the shares that it is to have.
    mutating func shareMemory() {
        let kept = members.filter { !$0.isRemoved && $0.isServing }.map(\.pool)
        let count = PoolPolicy.workersAtOnce(kept.map { ($0.policy, $0.intendedSize) })
        let planned = (reload?.plans ?? []).map { ($0.policy, $0.policy.workers) }
        let plannedCount = PoolPolicy.workersAtOnce(planned)
        for index in members.indices {
            members[index].pool.shareCandidatesMemory(amongWorkers: plannedCount)
            guard members[index].pool.shareMemory(amongWorkers: count) else { continue }
            let pool = members[index].pool
            note(.memoryShared(pool: pool.number, MemoryCapBytes(pool.policy)))
        }
    }

    /// One pool at a time gives memory back to the others: the one with the largest worker to give.
    mutating func tellRoom(_ room: MemoryRoom, toPool number: Int, at now: Instant) {
        guard let index = index(ofPool: number) else { return }
        var mayRelieve = true
        if room.isNearLimit, members.count > 1 {
            let own = members[index].pool.reliefBytes(at: now)
            mayRelieve = members.indices.allSatisfy { other in
                other == index
                    || !members[other].pool.isRelieving
                        && members[other].pool.reliefBytes(at: now) <= own
            }
        }
        tell(index, .room(room, mayRelieve: mayRelieve), at: now)
    }
}

extension Pool {
    /// Works out the percentages; whether they come to anything that was not told before.
    mutating func shareMemory(amongWorkers count: Int) -> Bool {
        guard policy.hasMemoryPercentages else { return false }
        policy.shareMemory(amongWorkers: count)
        defer { toldCaps = MemoryCapBytes(policy) }
        return MemoryCapBytes(policy) != toldCaps
    }

    mutating func shareCandidatesMemory(amongWorkers count: Int) {
        candidate?.policy.shareMemory(amongWorkers: count)
    }

    /// The number of workers, which a pool that has not started yet is still to get.
    fileprivate var intendedSize: Int { stage == .idle ? policy.workers : size }
}
