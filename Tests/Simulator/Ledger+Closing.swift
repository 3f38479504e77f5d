import SuperviseCore

/// The closing of listeners, as an observer sees it: before a stop, or since a reload removed them.
extension Ledger {
    struct ClosingQueues: Equatable {
        /// The current generation since then.
        let generation: Int
        /// The time at which the listeners are closed, even if connections wait.
        private(set) var until: Instant
        /// The time at which the remaining workers are killed; nil if none has to stop.
        private(set) var killAt: Instant?
        /// The minimum time for the workers from the stop-signal on.
        var share = TimeSpan.zero
        var isEmpty = false
        /// The time since which the queue has been empty.
        var emptySince: Instant?
        var awaitsSample = false

        mutating func shift(by span: TimeSpan) {
            until = until + span
            killAt = killAt.map { $0 + span }
            emptySince = nil
        }
    }

    mutating func listenersClosed(_ number: Int) {
        if owesShut == number { owesShut = nil }
        pools[number].holdsListeners = true
        let pool = pools[number]
        let grace = pool.policy.gracefulTimeout
        if stopWasRequested || pool.isRemoved || givenUp != nil {
            let share = min(2_000_000_000, grace.nanoseconds / 2)
            let emptying = TimeSpan(nanoseconds: grace.nanoseconds - share)
            pools[number].closing = ClosingQueues(
                generation: generation, until: now + emptying, killAt: now + grace,
                share: TimeSpan(nanoseconds: share))
        } else {
            // The replaced settings determine the time.
            pools[number].closing = ClosingQueues(
                generation: generation, until: now + (pool.formerGrace ?? grace), killAt: nil)
        }
    }

    mutating func listenersSampled(_ sample: ListenerSample, ofPool number: Int) {
        guard pools.indices.contains(number), pools[number].holdsListeners,
            var closing = pools[number].closing
        else { return }
        closing.awaitsSample = false
        let since = closing.emptySince ?? now
        closing.emptySince = sample == .waiting ? nil : since
        // A connection whose handshake has just ended is temporarily in no table.
        closing.isEmpty =
            switch sample {
            case .waiting: false
            case .empty: now - since >= .milliseconds(20)
            case .emptyAsFarAsSeen: now - since >= .milliseconds(200)
            case .none: true
            }
        if closing.isEmpty, closing.killAt != nil, pools[number].stage == .running {
            owesStop = number
        }
        pools[number].closing = closing
    }

    /// Returns whether a connection actually waits there although there is time left.
    fileprivate func isLeftWaiting(_ closing: ClosingQueues, ofPool number: Int) -> Bool {
        now < closing.until && waitingPools.contains(number)
    }
}

/// Invariants of closing listeners.
extension Invariant {
    @Sendable static func stopsBehindShutDoors(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .stopping(let number, .graceful) = notice else { return nil }
        let pool = ledger.pools[number]
        guard pool.policy.hasListeners, pool.serving > 0, pool.stage == .running,
            pool.policy.gracefulTimeout > .zero
        else { return nil }
        guard let closing = pool.closing, closing.killAt != nil else {
            return "\(pool.name) serves and its listeners are open"
        }
        guard closing.isEmpty || ledger.now >= closing.until else {
            return "a connection may wait at the listeners of \(pool.name)"
        }
        return ledger.isLeftWaiting(closing, ofPool: number)
            ? "a connection waits at the listeners of \(pool.name)" : nil
    }

    @Sendable static func oldOnesServeTheirDoors(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, .recycle, _) = notice, let worker = ledger.worker(id),
            let closing = ledger.pools[id.pool].closing, worker.generation < closing.generation,
            closing.killAt == nil, ledger.now < closing.until,
            !closing.isEmpty || ledger.isLeftWaiting(closing, ofPool: id.pool)
        else { return nil }
        return "\(id) stops while a connection waits at a listener that it alone has"
    }

    @Sendable static func droppedDoorsAreShut(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.owesShut.map { "the listeners of pool \($0) that nobody needs are open" }
    }

    @Sendable static func drainDelayPasses(_ ledger: Ledger, _ action: Service.Action) -> String? {
        guard case .closeListeners(let number) = action, let toldAt = ledger.stopRequestedAt else {
            return nil
        }
        let pool = ledger.pools[number]
        guard !pool.isRemoved, ledger.now < toldAt + pool.policy.drainDelay else { return nil }
        return "\(pool.name) closes before its drain-delay is over"
    }

    @Sendable static func emptyPoolsStop(_ ledger: Ledger, _ service: Service) -> String? {
        guard let number = ledger.owesStop, ledger.pools[number].stage == .running else {
            return nil
        }
        return "no connection waits at \(ledger.pools[number].name), and it does not stop"
    }

    @Sendable static func emptyListenersAreReleased(
        _ ledger: Ledger, _ service: Service
    ) -> String? {
        ledger.pools.first { $0.holdsListeners && $0.closing?.isEmpty == true }
            .map { "the listeners of \($0.name) are held and empty" }
    }

    @Sendable static func listenersAreSampled(_ ledger: Ledger, _ service: Service) -> String? {
        let armed = service.nextDeadline ?? Instant(nanoseconds: .max)
        for pool in ledger.pools where pool.holdsListeners {
            guard let closing = pool.closing else { continue }
            if closing.until <= ledger.now {
                return "the listeners of \(pool.name) are held for too long"
            }
            let next = closing.awaitsSample ? closing.until : ledger.now + .milliseconds(5)
            if next < armed { return "no timer to sample the listeners of \(pool.name)" }
        }
        return nil
    }
}
