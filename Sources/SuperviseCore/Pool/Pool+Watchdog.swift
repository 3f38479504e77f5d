/// Workers that live and do nothing.

extension Pool {
    /// SIGKILL follows SIGABRT after this time.
    static let abortGrace = TimeSpan.seconds(2)

    /// The first `WATCHDOG=1` announces that more will come.
    mutating func watchdogRepeated(by id: WorkerID, at now: Instant) {
        guard let timeout = self[id]?.watchdogTimeout else { return }
        self[id]?.watchdogAt = now + timeout
    }

    /// As systemd has it (sd_notify(3)): the deadline of what the worker is doing, be it booting,
    /// serving or stopping, moves to at least so long from now. A worker that is being aborted or
    /// killed, or that was told to stop quickly, has no say.
    mutating func extendTimeout(of id: WorkerID, by span: TimeSpan, at now: Instant) {
        if let index = leavingIndex(of: id) {
            let worker = slots[id.slot].leaving[index]
            guard case .retiring(let cause, let killAt) = worker.state, cause.isGraceful,
                !worker.wasKilled, (stage.haste ?? .graceful) == .graceful, killAt > now
            else { return }
            slots[id.slot].leaving[index].state = .retiring(cause, killAt: max(killAt, now + span))
            return
        }
        guard let worker = self[id] else { return }
        if worker.isBooting {
            self[id]?.bootUntil = max(worker.bootUntil, now + span)
        } else if let watchdogAt = worker.watchdogAt {
            self[id]?.watchdogAt = max(watchdogAt, now + span)
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
                guard worker.isReady, worker.watchdogAt == nil, let progressAt = worker.progressAt,
                    now - progressAt >= timeout,
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
        watchdogAt = watchdogAt.map { $0 + span }
        progressAt = progressAt.map { $0 + span }
        draining?.shift(by: span)
        switch state {
        case .starting, .booting:
            bootUntil = bootUntil + span
        case .ready:
            break
        case .retiring(let cause, let killAt):
            state = .retiring(cause, killAt: killAt + span)
        case .outlived(let killAt):
            state = .outlived(killAt: killAt + span)
        }
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
