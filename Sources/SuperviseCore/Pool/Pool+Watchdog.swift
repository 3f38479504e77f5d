/// Workers that live and do nothing.

extension Pool {
    /// SIGKILL follows SIGABRT after this time.
    static let abortGrace = TimeSpan.seconds(2)

    /// The first `WATCHDOG=1` announces that more will come.
    mutating func watchdogRepeated(by id: WorkerID, at now: Instant) {
        guard let timeout = self[id]?.watchdogTimeout else { return }
        self[id]?.claims?.watchdogAt = now + timeout
    }

    /// As systemd has it (sd_notify(3)): the deadline of what the worker is doing, be it booting,
    /// serving or stopping, moves to at least so long from now. A worker that is being aborted or
    /// killed, or that was told to stop quickly, has no say.
    mutating func extendTimeout(of id: WorkerID, by span: TimeSpan, at now: Instant) {
        if let index = leavingIndex(of: id) {
            let worker = slots[id.slot].leaving[index]
            guard let retirement = worker.retirement, retirement.cause.isGraceful,
                !retirement.wasKilled, (stage.haste ?? .graceful) == .graceful,
                retirement.killAt > now
            else { return }
            slots[id.slot].leaving[index].killAt = max(retirement.killAt, now + span)
            return
        }
        guard let worker = self[id] else { return }
        if let boot = worker.boot {
            self[id]?.boot?.until = max(boot.until, now + span)
        } else if let watchdogAt = worker.claims?.watchdogAt {
            self[id]?.claims?.watchdogAt = max(watchdogAt, now + span)
        }
    }

    /// Gives every worker back the time in which nobody could run.
    mutating func shiftDeadlines(by span: TimeSpan, at now: Instant) {
        emptyingUntil = emptyingUntil.map { $0 + span }
        candidate?.shiftWeighing(by: span)
        for index in queueWaits.indices { queueWaits[index].since = queueWaits[index].since + span }
        for slot in slots.indices {
            slots[slot].incumbent?.shiftDeadlines(by: span)
            slots[slot].replacement?.shiftDeadlines(by: span)
            for index in slots[slot].leaving.indices {
                slots[slot].leaving[index].shiftDeadlines(by: span)
            }
            refresh(slot, at: now)
        }
    }

    mutating func abortHung(_ id: WorkerID, because cause: RetireCause, at now: Instant) {
        guard let worker = self[id] else { return }
        endAbruptly(worker, because: cause, with: .abort, within: Pool.abortGrace, at: now)
    }

    /// If connections have waited at every look for `stall-timeout`, the workers that could take them and
    /// took none in all that time hang. The listeners of other generations are not theirs. Where
    /// nothing counts requests, nobody can be told from the others.
    mutating func judgeProgress(waiting generations: [Int], at now: Instant) {
        guard stage == .running, let timeout = policy.stallTimeout else {
            queueWaits = []
            return
        }
        let known = queueWaits
        queueWaits = generations.map { generation in
            known.first { $0.generation == generation }
                ?? QueueWait(generation: generation, since: now)
        }
        let overdue = queueWaits.filter { now - $0.since >= timeout }
        guard !overdue.isEmpty, hasCounted else { return }
        for slot in slots.indices {
            for worker in [slots[slot].incumbent, slots[slot].replacement].compactMap({ $0 }) {
                guard let serving = worker.serving, serving.claims.watchdogAt == nil,
                    now - serving.progressAt >= timeout,
                    overdue.contains(where: { $0.generation == worker.generation })
                else { continue }
                abortHung(worker.id, because: .stalled, at: now)
            }
            refresh(slot, at: now)
        }
    }
}

/// Connections that wait for the workers of one generation.
struct QueueWait: Equatable, Sendable, Codable {
    let generation: Int
    var since: Instant
}

extension Worker {
    fileprivate mutating func shiftDeadlines(by span: TimeSpan) {
        if let watchdogAt = claims?.watchdogAt { claims?.watchdogAt = watchdogAt + span }
        if let boot { self.boot?.until = boot.until + span }
        if let serving { self.serving?.progressAt = serving.progressAt + span }
        if let killAt { self.killAt = killAt + span }
        draining?.shift(by: span)
    }
}

extension RetireCause {
    /// Whether the worker has the graceful timeout, and may ask for more.
    fileprivate var isGraceful: Bool {
        switch self {
        case .recycle, .announced, .scaledDown, .parked, .stop: true
        case .bootTimeout, .killMemory, .watchdog, .stalled, .superseded: false
        }
    }
}

extension Pool.Stage {
    /// How fast the pool stops, if it does.
    var haste: Haste? {
        if case .stopping(let haste) = self { haste } else { nil }
    }
}
