/// Draining a worker that would drop its requests: it finds no new connections any more, and gets the
/// stop-signal when those that it has are served. The master watches them. That takes part of the
/// graceful timeout; the rest is the program's, to end in.

/// How far a draining worker is from its stop-signal.
struct Draining: Equatable, Sendable, Codable {
    /// Since when it finds no new connections.
    var since: Instant
    /// When the stop-signal comes at the latest.
    var until: Instant
    /// What is left to the program after the stop-signal, also when that turn comes late.
    var share: TimeSpan
    /// When it begins to count as idle at any moment without a known request; nil from then on.
    var relaxAt: Instant?

    /// How long before `until` a moment without a known request is taken.
    private static let longestRelaxation = TimeSpan.seconds(4)

    init(since: Instant, within grace: TimeSpan, share: TimeSpan) {
        self.since = since
        self.share = share
        until = since + TimeSpan(nanoseconds: grace.nanoseconds - share.nanoseconds)
        relaxAt = until
        setRelaxation()
    }

    /// What it has in all.
    private var grace: TimeSpan { until - since + share }

    /// Gives the program half of the time, if it has less.
    mutating func hasten(at now: Instant) {
        let half = TimeSpan(nanoseconds: grace.nanoseconds / 2)
        guard share < half else { return }
        until = max(now, since + half)
        share = half
        if relaxAt != nil { setRelaxation() }
    }

    private mutating func setRelaxation() {
        let quarter = (until - since).nanoseconds / 4
        let relaxation = min(Draining.longestRelaxation.nanoseconds, quarter)
        relaxAt = Instant(nanoseconds: until.nanoseconds - relaxation)
    }

    mutating func shift(by span: TimeSpan) {
        since = since + span
        until = until + span
        relaxAt = relaxAt.map { $0 + span }
    }
}

/// What a program was seen to do with requests in flight when it got the stop-signal. It is taken to do
/// so again, also in a generation that changed it, until it shows otherwise.
enum StopHabit: Equatable, Sendable, Codable {
    /// It responded to them before it ended.
    case finishes
    /// It ended at once.
    case drops
}

/// Why a worker that was to be emptied gets its stop-signal.
public enum DrainEnd: String, Hashable, Sendable, Codable {
    /// It has no connection that waits for an answer.
    case idle
    /// Late in the wait, no request was known to be in flight.
    case lull
    /// A client uses a connection again and again, and the program ends such connections itself.
    case reused
    /// Its connections can't be watched.
    case unwatchable
    /// The time for it is over.
    case timeout
}

extension Pool {
    /// Whether this worker is drained before its stop-signal. One that never ran holds nothing.
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

    /// Whether the program was seen to finish its requests after the stop-signal.
    public var finishesRequests: Bool { stopHabit == .finishes }

    /// What the end of this worker showed of its program.
    mutating func learn(_ habit: StopHabit, from id: WorkerID) {
        guard stopHabit != habit else { return }
        stopHabit = habit
        note(.stopHabit(id, finishesRequests: habit == .finishes))
    }

    /// Orders it. `worker` is about to be told to go.
    mutating func beginDraining(_ worker: inout Worker, within grace: TimeSpan, at now: Instant) {
        let share = min(Pool.quickGrace.nanoseconds, grace.nanoseconds / 2)
        worker.draining = Draining(
            since: now, within: grace, share: TimeSpan(nanoseconds: share))
        outbox.append(.drain(worker.id))
    }

    /// A connection that is used again and again may never be idle, and only the program can end it: at
    /// once, if it was seen to do so. Otherwise it gets half of the time, unless it was seen to make no
    /// use of it.
    mutating func hastenDraining(of id: WorkerID, at now: Instant) {
        guard let index = leavingIndex(of: id) else { return }
        switch stopHabit {
        case .finishes: endDraining(of: id, because: .reused, at: now)
        case .drops: return
        case nil: slots[id.slot].leaving[index].draining?.hasten(at: now)
        }
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

    /// Those of a slot whose time to drain is over, or nearly, before it is looked who has to be killed.
    mutating func expireDraining(in slot: Int, at now: Instant) {
        for worker in slots[slot].leaving {
            guard let draining = worker.draining else { continue }
            if draining.until <= now {
                endDraining(of: worker.id, because: .timeout, at: now)
            } else if let relaxAt = draining.relaxAt, relaxAt <= now,
                let index = leavingIndex(of: worker.id)
            {
                slots[slot].leaving[index].draining?.relaxAt = nil
                outbox.append(.relaxDrain(worker.id))
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
        case .lull, .reused, .timeout: true
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
