/// Draining a worker that would drop its requests: it finds no new connections any more, and gets
/// the stop-signal when those that it has are served. The master watches them. That takes part of
/// the graceful timeout; the rest is the program's, to end in.

/// What a program was seen to do with requests in flight when it got the stop-signal. It is taken
/// to do so again, also in a generation that changed it, until it shows otherwise.
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
        guard policy.hasListeners, grace > .zero, worker.hasProgram, cause.mayDrain else {
            return false
        }
        return switch policy.drain {
        case .signal: false
        case .observe: true
        case .auto: worker.claims?.knowsContract != true
        }
    }

    /// Whether the program was seen to finish its requests after the stop-signal.
    var finishesRequests: Bool { stopHabit == .finishes }

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
        outbox.append(.sampleConnections(worker.id, endsIdle: false))
    }

    /// Takes in a sample of a worker that drains, or that got its stop-signal; nil if none came in
    /// time, which shows nothing.
    mutating func connectionsSampled(
        _ sample: ConnectionSample?, of id: WorkerID, at now: Instant
    ) {
        guard let index = leavingIndex(of: id) else { return }
        if slots[id.slot].leaving[index].isDraining {
            judgeDrain(of: id, index, by: sample, at: now)
        } else if var watch = slots[id.slot].leaving[index].retirement?.stopWatch {
            if watch.record(sample, at: now) { learn(.finishes, from: id) }
            let isOver = watch.witness.remaining.isEmpty
            slots[id.slot].leaving[index].retirement?.stopWatch = isOver ? nil : watch
        }
    }

    private mutating func judgeDrain(
        of id: WorkerID, _ index: Int, by sample: ConnectionSample?, at now: Instant
    ) {
        let isReused = slots[id.slot].leaving[index].draining?.record(sample, at: now)
        guard let sample else { return }
        // A program that does not handle the stop-signal could do nothing with more time.
        if isReused == true, sample.handlesStopSignal {
            hastenDraining(of: id, at: now)
        }
        let isIdle =
            sample.endedIdle
            ? sample.isLull : sample.isIdle || finishesRequests && sample.isIdleIfFinished
        guard slots[id.slot].leaving[index].isDraining else { return }
        guard isIdle else {
            slots[id.slot].leaving[index].draining?.becameBusy()
            return
        }
        guard slots[id.slot].leaving[index].draining?.confirmsIdle(sample, at: now) == true else {
            return
        }
        if slots[id.slot].leaving[index].draining?.interrupts(sample, at: now) == true {
            outbox.append(.interruptAcceptors(id))
        } else {
            endDraining(of: id, because: sample.endedIdle ? .lull : .idle, at: now)
        }
    }

    /// The connections of this worker can't be sampled.
    mutating func connectionsUnreadable(of id: WorkerID, at now: Instant) {
        endDraining(of: id, because: .unwatchable, at: now)
        if let index = leavingIndex(of: id) {
            slots[id.slot].leaving[index].retirement?.stopWatch = nil
        }
    }

    /// The worker, which has ended by itself after its stop-signal, may have dropped its requests.
    mutating func judge(_ retirement: Retirement, of id: WorkerID, leavesTree: Bool) {
        guard let watch = retirement.stopWatch, !retirement.wasKilled, !leavesTree,
            watch.witness.hasDropped
        else { return }
        learn(.drops, from: id)
    }

    /// A connection that is used again and again may never be idle, and only the program can end
    /// it: at once, if it was seen to do so. Otherwise it gets half of the time, unless it was seen
    /// to make no use of it.
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
        slots[id.slot].leaving[index].killAt = slots[id.slot].leaving[index].killAt.map {
            max(min($0, longest), latest)
        }
        if slots[id.slot].leaving[index].hasProcess {
            slots[id.slot].leaving[index].retirement?.stopWatch = draining.stopWatch(at: now)
            outbox.append(.signal(id, .stop))
        } else {
            outbox.append(.signalTree(id))
        }
    }

    /// Those of a slot whose time to drain is over, or nearly, before the check for workers to
    /// kill; and those of which a sample is due.
    mutating func expireDraining(in slot: Int, at now: Instant) {
        for worker in slots[slot].leaving {
            if let draining = worker.draining, draining.until <= now {
                endDraining(of: worker.id, because: .timeout, at: now)
            }
            guard let index = leavingIndex(of: worker.id) else { continue }
            if let relaxAt = slots[slot].leaving[index].draining?.relaxAt, relaxAt <= now {
                slots[slot].leaving[index].draining?.relax(at: now)
            }
            if let sampleAt = slots[slot].leaving[index].sampleAt, sampleAt <= now {
                slots[slot].leaving[index].sampleAt = nil
                let endsIdle = slots[slot].leaving[index].draining?.isRelaxed ?? false
                outbox.append(.sampleConnections(worker.id, endsIdle: endsIdle))
            }
        }
    }
}

extension Worker {
    /// When its connections are to be sampled; nil while a sample is awaited, or none is needed.
    var sampleAt: Instant? {
        get { draining?.sampleAt ?? retirement?.stopWatch?.sampleAt }
        set {
            if draining != nil {
                draining?.sampleAt = newValue
            } else {
                retirement?.stopWatch?.sampleAt = newValue
            }
        }
    }

    /// Ends what is watched of its connections.
    mutating func endWatch() {
        draining = nil
        retirement?.stopWatch = nil
    }

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
