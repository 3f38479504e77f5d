/// Memory caps of single workers, and the storm guard of the soft one.
///
/// A cap below a program's own size would recycle for ever. A worker that is past its cap before it
/// has been ready for `min-lifetime` is therefore not recycled but raises an alarm, once. From that age
/// on it is recycled if it *still grows*, as a leak does: its floor rose over the second half of its
/// time. A program that is merely larger than the cap has stopped growing by then, and stays. One whose
/// start takes longer than `min-lifetime` would look like a leak each time, so every fourth worker of
/// such a slot is given `backoff-max`, to see whether it stops by itself; a start may take half of that.

extension Pool {
    /// Every so many workers of a slot that grows past its cap at once, one is given more time.
    private static let trialEvery = 4

    mutating func measure(_ bytes: UInt64, of id: WorkerID, at now: Instant) {
        if let index = leavingIndex(of: id) {
            let known = slots[id.slot].leaving[index].memory.largestLeavingBytes ?? 0
            slots[id.slot].leaving[index].memory.largestLeavingBytes = max(known, bytes)
            slots[id.slot].leaving[index].memory.bytes = bytes
            samplingPace.learn(bytes, since: nil, cap: policy.killRSSBytes)
            killLeavingOverMemory(index, of: id, at: now)
            return
        }
        guard var worker = self[id] else { return }
        let policy = policy(of: worker)
        samplingPace.learn(bytes, since: worker.lastSample(at: now), cap: policy.cap(above: bytes))
        worker.memory.bytes = bytes
        worker.memory.measuredAt = now
        if worker.memory.settledBytes == nil, let readyAt = worker.readyAt,
            now - readyAt >= policy.minLifetime
        {
            worker.memory.settledBytes = bytes
        }
        warn(of: &worker, at: now)
        self[id] = worker
        learnGrowth(bytes, of: id, at: now)
        if let cap = policy.killRSSBytes, bytes > cap {
            endAbruptly(worker, because: .killMemory, within: .zero, at: now)
        } else if let cap = policy.maxRSSBytes, worker.isReady {
            judge(id, cap: cap, by: policy, at: now)
        }
    }

    /// Once for each time that it comes up to the mark, which counts again from 5 % below.
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

    private mutating func judge(
        _ id: WorkerID, cap: UInt64, by policy: PoolPolicy, at now: Instant
    ) {
        guard var worker = self[id], let readyAt = worker.readyAt else { return }
        guard let bytes = worker.memoryBytes, bytes > cap else {
            self[id]?.memory.samplesOver = 0
            if now - readyAt >= policy.minLifetime, !worker.memory.isAlarmed {
                startAhead(of: worker, cap: cap, by: policy, at: now)
            }
            return
        }
        worker.memory.samplesOver += 1
        defer { self[id] = worker }
        guard worker.memory.samplesOver >= policy.memorySamples else { return }
        let age = now - readyAt
        if age < policy.minLifetime {
            guard !worker.memory.isAlarmed else { return }
            worker.memory.isAlarmed = true
            note(.memoryAlarm(id, worker.facts(at: now), limitBytes: cap))
            return
        }
        let recycles = slots[id.slot].setbacks.alarmedRecycles
        if worker.memory.isAlarmed {
            let isTrial = recycles % Pool.trialEvery == Pool.trialEvery - 1
            let least = isTrial ? max(policy.minLifetime, policy.backoffMax) : policy.minLifetime
            guard age >= least, worker.memory.leak.isStillGrowing(at: now) else { return }
        }
        let wasDue = slots[id.slot].due.map { $0.cause.isUrgent && !$0.isForeseen } ?? false
        setDue(id, .memory, at: now)
        guard !wasDue, slots[id.slot].due?.cause == .memory else { return }
        slots[id.slot].setbacks.alarmedRecycles = worker.memory.isAlarmed ? recycles + 1 : 0
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
