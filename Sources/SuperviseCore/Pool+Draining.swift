/// Emptying a worker that would drop its requests: it finds no new connections any more, and gets the
/// stop-signal when those that it has are served. Who watches them is the master; that takes a part
/// of the graceful timeout, and leaves the program a share to end in.

/// How far a worker that was told to go is from its stop-signal.
struct Draining: Equatable, Sendable, Codable {
    /// Since when it finds no new connections.
    var since: Instant
    /// When the stop-signal comes at the latest.
    var until: Instant
    /// What is left to the program after the stop-signal, also when that turn comes late.
    var share: TimeSpan

    mutating func shift(by span: TimeSpan) {
        since = since + span
        until = until + span
    }
}

/// Why a worker that was to be emptied gets its stop-signal.
public enum DrainEnd: String, Hashable, Sendable, Codable {
    /// It has no connection that waits for an answer.
    case idle
    /// Its connections can't be watched.
    case unwatchable
    /// The time for it is over.
    case timeout
}

extension Pool {
    /// Whether this worker is emptied before its stop-signal. One that never ran holds nothing, and
    /// who says `READY=1` knows the contract: it finishes its requests.
    func drains(_ worker: Worker, because cause: RetireCause, within grace: TimeSpan) -> Bool {
        let policy = policy(of: worker)
        guard policy.hasListeners, grace > .zero, worker.state != .starting, cause.mayDrain
        else { return false }
        return switch policy.drain {
        case .signal: false
        case .observe: true
        case .auto: !worker.knowsContract
        }
    }

    /// Orders it. `worker` is about to be told to go.
    mutating func beginDraining(_ worker: inout Worker, within grace: TimeSpan, at now: Instant) {
        let share = min(Pool.quickGrace.nanoseconds, grace.nanoseconds / 2)
        worker.draining = Draining(
            since: now, until: now + TimeSpan(nanoseconds: grace.nanoseconds - share),
            share: TimeSpan(nanoseconds: share))
        outbox.append(.drain(worker.id))
    }

    /// The stop-signal, to the worker or to what it left behind meanwhile.
    mutating func endDraining(of id: WorkerID, because end: DrainEnd, at now: Instant) {
        guard let index = leavingIndex(of: id),
            let draining = slots[id.slot].leaving[index].draining
        else { return }
        slots[id.slot].leaving[index].draining = nil
        let latest = now + draining.share
        // One that never was ready, and has no request, needs no graceful timeout.
        let longest =
            slots[id.slot].leaving[index].mayHoldRequests(after: end)
            ? Instant(nanoseconds: .max) : now + BootTimes.grace
        note(.drained(id, end, after: now - draining.since))
        switch slots[id.slot].leaving[index].state {
        case .retiring(let cause, let killAt):
            slots[id.slot].leaving[index].state = .retiring(
                cause, killAt: max(min(killAt, longest), latest))
            outbox.append(.signal(id, .stop))
        case .outlived(let killAt):
            slots[id.slot].leaving[index].state = .outlived(
                killAt: max(min(killAt, longest), latest))
            outbox.append(.signalTree(id))
        case .starting, .booting, .ready:
            preconditionFailure("who is emptied was told to go")
        }
    }

    /// Those of a slot whose time to be emptied is over, before it is looked who has to be killed.
    mutating func expireDraining(in slot: Int, at now: Instant) {
        for worker in slots[slot].leaving {
            if let draining = worker.draining, draining.until <= now {
                endDraining(of: worker.id, because: .timeout, at: now)
            }
        }
    }
}

extension Worker {
    /// Whether it may still have requests when its draining has ended in this way.
    fileprivate func mayHoldRequests(after end: DrainEnd) -> Bool {
        switch end {
        case .idle: readyAt != nil
        case .unwatchable: readyAt != nil || requests > 0
        case .timeout: true
        }
    }
}

extension RetireCause {
    /// Whether the worker may have requests that it can be waited for.
    fileprivate var mayDrain: Bool {
        switch self {
        case .recycle, .scaledDown, .parked, .superseded, .stop: true
        case .announced, .bootTimeout, .killMemory, .watchdog, .stalled: false
        }
    }
}
