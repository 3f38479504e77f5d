/// Workers that run and make no progress.

extension Pool {
    /// SIGKILL follows SIGABRT after this time.
    static let abortGrace = TimeSpan.seconds(2)

    /// The first `WATCHDOG=1` enables the watchdog.
    mutating func watchdogRepeated(by id: WorkerID, at now: Instant) {
        guard let timeout = self[id]?.watchdogTimeout else { return }
        self[id]?.claims?.watchdogAt = now + timeout
    }

    /// Extends the deadline of the worker's current phase (booting, serving or stopping) to at
    /// least this long from now, as systemd does (sd_notify(3)). It has no effect on a worker that
    /// is aborted, killed or stopped quickly.
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

    /// Extends every worker's deadlines by the time in which nothing could run.
    mutating func shiftDeadlines(by span: TimeSpan, at now: Instant) {
        emptyingUntil = emptyingUntil.map { $0 + span }
        if policy.requestTimeout != nil { stuckState.resumedAt = now }
        candidate?.shiftWeighing(by: span)
        molds.shiftDeadlines(by: span)
        if isElastic {
            elastic.window = LoadWindow()
            elastic.unservedSince = nil
            elastic.raisedAt = elastic.raisedAt.map { $0 + span }
        }
        hunt?.shiftDeadlines(by: span)
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

    /// Aborts hung workers: connections have waited at every poll for `stall-timeout`, and the
    /// worker could accept them and accepted none in that time. Listeners of other generations do
    /// not count. If nothing counts requests, hung workers cannot be distinguished from others.
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
            for worker in slots[slot].present {
                // A hunted worker takes one connection at a time.
                guard let serving = worker.serving, serving.claims.watchdogAt == nil,
                    !worker.isHunted,
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
    /// Returns whether the worker has the graceful timeout, and may extend it.
    fileprivate var isGraceful: Bool {
        switch self {
        case .recycle, .announced, .scaledDown, .parked, .huntEnded, .stop: true
        case .bootTimeout, .killMemory, .watchdog, .stalled, .superseded: false
        }
    }
}

extension Pool.Stage {
    /// The speed of the pool's stop; nil if it does not stop.
    var haste: Haste? {
        if case .stopping(let haste) = self { haste } else { nil }
    }
}
