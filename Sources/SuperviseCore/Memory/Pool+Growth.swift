/// Leaks: detected while a worker runs, and recorded when it ends.

extension Pool {
    /// The usual growth of the pool's last workers, of every incarnation; nil until the first
    /// worker with an estimate has ended.
    public var growth: MemoryGrowth? { growthHistory.usual }

    mutating func learnGrowth(_ bytes: UInt64, of id: WorkerID, at now: Instant) {
        guard var worker = self[id], worker.isReady, !worker.isHunted else { return }
        let interval = policy(of: worker).memoryInterval
        let isNew = worker.memory.leak.add(
            bytes, requests: worker.requests, at: now, interval: interval)
        self[id] = worker
        if isNew { judgeGrowth(of: worker, at: now) }
    }

    /// Records the growth of a worker that has ended.
    mutating func rememberGrowth(of worker: Worker) {
        if let growth = worker.growth, !worker.isHunted { growthHistory.learn(growth) }
    }

    /// Raises an alarm if new workers reach their cap before all of them can be replaced, or exceed
    /// the hard cap after the soft one before their turn. It is raised once until the condition
    /// ends.
    private mutating func judgeGrowth(of worker: Worker, at now: Instant) {
        let policy = policy(of: worker)
        guard let growth = worker.growth, let replacing = timeToReplaceAll,
            let first = worker.memory.leak.firstBytes
        else { return }
        var soonest: (cap: UInt64, time: TimeSpan)?
        let ways = [
            (first, policy.maxRSSBytes ?? policy.killRSSBytes),
            (policy.maxRSSBytes, policy.killRSSBytes),
        ]
        for case (let from?, let cap?) in ways where cap > from {
            guard let time = growth.time(toGrowBy: cap - from) else { continue }
            if time < soonest?.time ?? TimeSpan(nanoseconds: .max) { soonest = (cap, time) }
        }
        guard let soonest, soonest.time < replacing.times(2) else {
            hasLeakAlarm = false
            return
        }
        guard soonest.time < replacing, !hasLeakAlarm else { return }
        hasLeakAlarm = true
        note(
            .leakAlarm(
                worker.id, worker.facts(at: now), limitBytes: soonest.cap, within: soonest.time,
                replacing: replacing))
    }

    /// The time to replace every worker, with the usual boot time and the budget.
    private var timeToReplaceAll: TimeSpan? {
        let budget = budget
        let atOnce = max(1, budget.surge + budget.unavailable)
        return pace.bootTime.map { $0.times(Int64((tally.wanted + atOnce - 1) / atOnce)) }
    }
}
