/// Memory caps of single workers. The storm guard decides which workers a cap spares
/// (Pool+StormGuard.swift).

extension Pool {
    mutating func measure(_ bytes: UInt64, isServing: Bool, of id: WorkerID, at now: Instant) {
        if let index = leavingIndex(of: id) {
            let known = slots[id.slot].leaving[index].memory.largestLeavingBytes ?? 0
            slots[id.slot].leaving[index].memory.largestLeavingBytes = max(known, bytes)
            slots[id.slot].leaving[index].memory.bytes = bytes
            let cap = hardCap(of: slots[id.slot].leaving[index])
            sampler.pace.learn(bytes, since: nil, cap: cap)
            killLeavingOverMemory(index, of: id, cap: cap, at: now)
            return
        }
        guard var worker = self[id] else { return }
        let policy = policy(of: worker)
        sampler.pace.learn(bytes, since: worker.lastSample(at: now), cap: policy.cap(above: bytes))
        worker.memory.take(bytes, isServing: isServing, by: worker, at: now)
        if worker.memory.settledBytes == nil, let readyAt = worker.readyAt,
            now - readyAt >= policy.minLifetime
        {
            worker.memory.settledBytes = bytes
            earlyRecycles = EarlyRecycles()
        }
        warn(of: &worker, at: now)
        self[id] = worker
        learnGrowth(bytes, of: id, at: now)
        if let cap = hardCap(of: worker), isToBeKilled(id, cap: cap, at: now) {
            endAbruptly(self[id] ?? worker, because: .killMemory, within: .zero, at: now)
            return
        }
        if worker.isHunted {
            if let (cap, _) = softCap(of: worker), bytes > cap { endHunt(.memoryCap, at: now) }
            return
        }
        if let (cap, name) = softCap(of: worker), worker.isReady {
            judge(id, cap: cap, name, at: now)
        }
        canaryWasWeighed(id)
    }

    /// Warns once per crossing of the mark, which is reset 5 % below it.
    private mutating func warn(of worker: inout Worker, at now: Instant) {
        guard let mark = policy(of: worker).warnRSSBytes, let bytes = worker.memoryBytes else {
            return
        }
        if bytes > mark, !worker.memory.isWarned {
            worker.memory.isWarned = true
            note(.memoryWarning(worker.id, worker.facts(at: now), limitBytes: mark))
        } else if bytes < mark - mark / 20 {
            worker.memory.isWarned = false
        }
    }

    /// Returns `kill-rss` for this worker. A share that shrinks while the worker runs does not
    /// apply to it, because a kill would drop its requests. It is recycled instead (`softCap`).
    func hardCap(of worker: Worker) -> UInt64? {
        guard let current = policy(of: worker).killRSSBytes, let given = worker.killRSSBytes else {
            return nil
        }
        return max(current, given)
    }

    /// Returns `max-rss`, or `kill-rss` if that is lower than at the worker's start.
    private func softCap(of worker: Worker) -> (bytes: UInt64, name: AlarmedCap)? {
        let policy = policy(of: worker)
        guard let current = policy.killRSSBytes, current < worker.killRSSBytes ?? .max else {
            return policy.maxRSSBytes.map { ($0, .soft) }
        }
        guard let soft = policy.maxRSSBytes, soft <= current else { return (current, .lowered) }
        return (soft, .soft)
    }

    private mutating func judge(
        _ id: WorkerID, cap: UInt64, _ name: AlarmedCap, at now: Instant
    ) {
        guard var worker = self[id], let readyAt = worker.readyAt else { return }
        let policy = policy(of: worker)
        let isYoung = now - readyAt < policy.minLifetime
        guard let bytes = worker.memoryBytes, bytes > cap else {
            worker.memory.samplesOver = 0
            worker.memory.isAlarmed = false
            self[id] = worker
            if !isYoung || worker.requests > 0 && !worker.memory.isOwnSize(near: cap) {
                startAhead(of: worker, cap: cap, by: policy, at: now)
            }
            return
        }
        worker.memory.samplesOver += 1
        let isRecycled =
            worker.memory.samplesOver >= policy.memorySamples
            && mayRecycle(&worker, cap: cap, name, isYoung: isYoung, by: policy, at: now)
        self[id] = worker
        guard isRecycled else { return }
        let wasDue = slots[id.slot].due.map { $0.cause.isUrgent && !$0.isForeseen } ?? false
        setDue(id, .memory, at: now)
        guard !wasDue, slots[id.slot].due?.cause == .memory else { return }
        if isYoung { earlyRecycles.count += 1 }
        slots[id.slot].setbacks.alarmedRecycles =
            worker.memory.isAlarmed ? slots[id.slot].setbacks.alarmedRecycles + 1 : 0
    }

    private mutating func killLeavingOverMemory(
        _ index: Int, of id: WorkerID, cap: UInt64?, at now: Instant
    ) {
        let worker = slots[id.slot].leaving[index]
        guard let cap, let bytes = worker.memoryBytes, bytes > cap,
            !worker.memory.isHardAlarmed || worker.memory.exceedsTwice(cap),
            var retirement = worker.retirement, !retirement.wasKilled, retirement.killAt > now
        else { return }
        retirement.cause = .killMemory
        retirement.killAt = now
        slots[id.slot].leaving[index].state = .retiring(retirement)
        killLate(slots[id.slot].leaving[index], at: now)
    }
}
