/// Draining of a worker that would drop its requests: it finds no new connections, and gets the
/// stop-signal when its existing ones are served. The master samples them. The drain uses a part of
/// the graceful timeout; the program ends in the rest.

/// The observed behaviour of a program with requests in flight when it gets the stop-signal. It is
/// assumed to be unchanged, also in a generation with a new program, until a worker shows
/// otherwise.
enum StopHabit: Equatable, Sendable, Codable {
    /// It responded to them before it ended.
    case finishes
    /// It ended immediately.
    case drops
}

/// The reason for which a draining worker gets its stop-signal.
public enum DrainEnd: String, Hashable, Sendable, Codable {
    /// No connection waits for a response.
    case idle
    /// Only stuck requests are left.
    case stuck
    /// Late in the drain, no request was known to be in flight.
    case lull
    /// A client keeps reusing a connection, and the program ends such connections itself.
    case reused
    /// Its connections cannot be sampled.
    case unwatchable
    /// The time limit of the drain was reached.
    case timeout
}

extension Pool {
    /// Returns whether this worker is drained before its stop-signal. One that never ran has no
    /// requests.
    func drains(_ worker: Worker, because cause: RetireCause, within grace: TimeSpan) -> Bool {
        let policy = policy(of: worker)
        guard policy.hasListeners, grace > .zero, worker.hasProgram, cause.mayDrain else {
            return false
        }
        // Its other requests are finished in any case.
        if cause == .recycle(.requestTimeout) { return true }
        return switch policy.drain {
        case .signal: false
        case .observe: true
        case .auto: worker.claims?.knowsContract != true
        }
    }

    /// Whether the program was observed to finish its requests after the stop-signal.
    var finishesRequests: Bool { stopHabit == .finishes }

    /// Records the behaviour of the program that the end of this worker showed.
    mutating func learn(_ habit: StopHabit, from id: WorkerID) {
        guard stopHabit != habit else { return }
        stopHabit = habit
        note(.stopHabit(id, finishesRequests: habit == .finishes))
    }

    /// Begins the drain of `worker`, which is about to retire.
    mutating func beginDraining(_ worker: inout Worker, within grace: TimeSpan, at now: Instant) {
        let share = min(Pool.quickGrace.nanoseconds, grace.nanoseconds / 2)
        worker.draining = Draining(
            since: now, within: grace, share: TimeSpan(nanoseconds: share))
        outbox.append(.drain(worker.id))
        outbox.append(.sampleConnections(worker.id, endsIdle: false))
    }

    /// Handles a sample of a worker that drains or that got its stop-signal; nil if none arrived in
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
        // A program without a handler for the stop-signal could not use more time.
        if isReused == true, sample.handlesStopSignal {
            hastenDraining(of: id, at: now)
        }
        if isOnlyStuck(slots[id.slot].leaving[index], sample) {
            return endDraining(of: id, because: .stuck, at: now)
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

    /// Handles that the connections of this worker cannot be sampled.
    mutating func connectionsUnreadable(of id: WorkerID, at now: Instant) {
        endDraining(of: id, because: .unwatchable, at: now)
        if let index = leavingIndex(of: id) {
            slots[id.slot].leaving[index].retirement?.stopWatch = nil
        }
    }

    /// Decides whether the worker, which ended by itself after its stop-signal, may have dropped
    /// its requests.
    mutating func judge(_ retirement: Retirement, of id: WorkerID, leavesTree: Bool) {
        guard let watch = retirement.stopWatch, !retirement.wasKilled, !leavesTree,
            watch.witness.hasDropped
        else { return }
        learn(.drops, from: id)
    }

    /// Shortens the drain of a worker with a reused connection. That connection may never be idle,
    /// and only the program can end it: immediately, if it was observed to do so. Otherwise the
    /// program gets half of the time, unless it was observed not to use it.
    mutating func hastenDraining(of id: WorkerID, at now: Instant) {
        guard let index = leavingIndex(of: id) else { return }
        switch stopHabit {
        case .finishes: endDraining(of: id, because: .reused, at: now)
        case .drops: return
        case nil: slots[id.slot].leaving[index].draining?.hasten(at: now)
        }
    }

    /// Ends the drain: sends the stop-signal to the worker, or to the processes that it has left
    /// behind.
    mutating func endDraining(of id: WorkerID, because end: DrainEnd, at now: Instant) {
        guard let index = leavingIndex(of: id),
            let draining = slots[id.slot].leaving[index].draining
        else { return }
        slots[id.slot].leaving[index].draining = nil
        let latest = now + draining.share
        // A worker that was never ready and has no request needs no graceful timeout.
        let longest =
            end == .stuck
            ? now + Pool.abortGrace
            : slots[id.slot].leaving[index].mayHoldRequests(after: end)
                ? Instant(nanoseconds: .max) : now + BootTimes.grace
        let aborts =
            end == .stuck
            || end == .timeout && draining.seen?.isStuck == true
                && slots[id.slot].leaving[index].isStoppedAsStuck
        note(.drained(id, end, after: now - draining.since))
        slots[id.slot].leaving[index].killAt = slots[id.slot].leaving[index].killAt.map {
            max(min($0, longest), latest)
        }
        if slots[id.slot].leaving[index].hasProcess {
            slots[id.slot].leaving[index].retirement?.stopWatch =
                aborts ? nil : draining.stopWatch(at: now)
            outbox.append(.signal(id, aborts ? .abort : .stop))
        } else {
            outbox.append(.signalTree(id))
        }
    }

    /// Ends the drains of a slot whose time has expired, or nearly, before workers to kill are
    /// checked. Requests samples that are due.
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
    /// The time of the next sample of its connections; nil if a sample is awaited or none is
    /// needed.
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

    /// Stops sampling its connections.
    mutating func endWatch() {
        draining = nil
        retirement?.stopWatch = nil
    }

    /// Returns whether it may still have requests after its drain ended in this way.
    fileprivate func mayHoldRequests(after end: DrainEnd) -> Bool {
        switch end {
        case .idle: readyAt != nil
        case .unwatchable: readyAt != nil || requests > 0
        case .lull, .reused, .timeout, .stuck: true
        }
    }
}

extension RetireCause {
    /// Whether the worker may have requests that it can be drained of.
    fileprivate var mayDrain: Bool {
        switch self {
        case .recycle, .scaledDown, .parked, .huntEnded, .superseded, .stop: true
        case .announced, .bootTimeout, .killMemory, .watchdog, .stalled: false
        }
    }
}
