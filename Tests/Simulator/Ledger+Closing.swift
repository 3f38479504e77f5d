import SuperviseCore

/// The closing of listeners, as an observer sees it: before a stop, or since a reload removed them.
extension Ledger {
    struct Doors: Equatable {
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

    mutating func doorsShut(_ number: Int) {
        if owesShut == number { owesShut = nil }
        pools[number].holdsListeners = true
        let pool = pools[number]
        let grace = pool.policy.gracefulTimeout
        if stopWasTold || pool.isRemoved || givenUp != nil {
            let share = min(2_000_000_000, grace.nanoseconds / 2)
            let emptying = TimeSpan(nanoseconds: grace.nanoseconds - share)
            pools[number].doors = Doors(
                generation: generation, until: now + emptying, killAt: now + grace,
                share: TimeSpan(nanoseconds: share))
        } else {
            // The replaced settings determine the time.
            pools[number].doors = Doors(
                generation: generation, until: now + (pool.formerGrace ?? grace), killAt: nil)
        }
    }

    mutating func listenersSampled(_ sample: ListenerSample, ofPool number: Int) {
        guard pools.indices.contains(number), pools[number].holdsListeners,
            var doors = pools[number].doors
        else { return }
        doors.awaitsSample = false
        let since = doors.emptySince ?? now
        doors.emptySince = sample == .waiting ? nil : since
        // A connection whose handshake has just ended is temporarily in no table.
        doors.isEmpty =
            switch sample {
            case .waiting: false
            case .empty: now - since >= .milliseconds(20)
            case .emptyAsFarAsSeen: now - since >= .milliseconds(200)
            case .none: true
            }
        if doors.isEmpty, doors.killAt != nil, pools[number].stage == .running { owesStop = number }
        pools[number].doors = doors
    }

    /// Returns whether a connection actually waits there although there is time left.
    fileprivate func isLeftWaiting(_ doors: Doors, ofPool number: Int) -> Bool {
        now < doors.until && waitingPools.contains(number)
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
        guard let doors = pool.doors, doors.killAt != nil else {
            return "\(pool.name) serves and its listeners are open"
        }
        guard doors.isEmpty || ledger.now >= doors.until else {
            return "a connection may wait at the listeners of \(pool.name)"
        }
        return ledger.isLeftWaiting(doors, ofPool: number)
            ? "a connection waits at the listeners of \(pool.name)" : nil
    }

    @Sendable static func oldOnesServeTheirDoors(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, .recycle, _) = notice, let worker = ledger.worker(id),
            let doors = ledger.pools[id.pool].doors, worker.generation < doors.generation,
            doors.killAt == nil, ledger.now < doors.until,
            !doors.isEmpty || ledger.isLeftWaiting(doors, ofPool: id.pool)
        else { return nil }
        return "\(id) stops while a connection waits at a listener that it alone has"
    }

    @Sendable static func droppedDoorsAreShut(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.owesShut.map { "the listeners of pool \($0) that nobody needs are open" }
    }

    @Sendable static func drainDelayPasses(_ ledger: Ledger, _ action: Service.Action) -> String? {
        guard case .shut(let number) = action, let toldAt = ledger.stopToldAt else { return nil }
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
        ledger.pools.first { $0.holdsListeners && $0.doors?.isEmpty == true }
            .map { "the listeners of \($0.name) are held and empty" }
    }

    @Sendable static func listenersAreSampled(_ ledger: Ledger, _ service: Service) -> String? {
        let armed = service.nextDeadline ?? Instant(nanoseconds: .max)
        for pool in ledger.pools where pool.holdsListeners {
            guard let doors = pool.doors else { continue }
            if doors.until <= ledger.now {
                return "the listeners of \(pool.name) are held for too long"
            }
            let next = doors.awaitsSample ? doors.until : ledger.now + .milliseconds(5)
            if next < armed { return "no timer to sample the listeners of \(pool.name)" }
        }
        return nil
    }
}
