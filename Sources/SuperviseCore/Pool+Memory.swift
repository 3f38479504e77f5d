/// Memory caps.

extension Pool {
    mutating func measure(_ bytes: UInt64, of id: WorkerID, at now: Instant) {
        if let index = leavingIndex(of: id) {
            slots[id.slot].leaving[index].memoryBytes = bytes
            samplingPace.learn(bytes, since: nil, cap: policy.killRSSBytes)
            killLeavingOverMemory(index, of: id, at: now)
            return
        }
        guard var worker = self[id] else { return }
        let policy = policy(of: worker)
        samplingPace.learn(bytes, since: worker.lastSample(at: now), cap: policy.cap(above: bytes))
        worker.memoryBytes = bytes
        worker.measuredAt = now
        if worker.settledBytes == nil, let readyAt = worker.readyAt,
            now - readyAt >= policy.minLifetime
        {
            worker.settledBytes = bytes
        }
        self[id] = worker
        if let cap = policy.killRSSBytes, bytes > cap {
            endAbruptly(worker, because: .killMemory, within: .zero, at: now)
        } else if let cap = policy.maxRSSBytes, worker.isReady {
            judge(worker, cap: cap, by: policy, at: now)
        }
    }

    private mutating func judge(
        _ sampled: Worker, cap: UInt64, by policy: PoolPolicy, at now: Instant
    ) {
        var worker = sampled
        guard let bytes = worker.memoryBytes, bytes > cap else {
            self[worker.id]?.samplesOver = 0
            return
        }
        worker.samplesOver += 1
        defer { self[worker.id] = worker }
        if let alarmedUntil = worker.alarmedUntil, now < alarmedUntil { return }
        guard worker.samplesOver >= policy.memorySamples else { return }
        if now - worker.startedAt < policy.minLifetime {
            // A cap below the program's own size would recycle for ever.
            worker.alarmedUntil = now + policy.backoffMax
            note(.memoryAlarm(worker.id, worker.facts(at: now), limitBytes: cap))
        } else {
            setDue(worker.id, .memory, at: now)
        }
    }

    private mutating func killLeavingOverMemory(_ index: Int, of id: WorkerID, at now: Instant) {
        let worker = slots[id.slot].leaving[index]
        guard let cap = policy.killRSSBytes, let bytes = worker.memoryBytes, bytes > cap,
            case .retiring(let cause, let killAt) = worker.state, cause != .killMemory,
            killAt > now
        else { return }
        slots[id.slot].leaving[index].state = .retiring(.killMemory, killAt: now)
        killLate(slots[id.slot].leaving[index], at: now)
    }
}
