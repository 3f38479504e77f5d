import SuperviseCore

/// The doors as an observer sees them: shut before a stop, or since a reload does without them.
extension Ledger {
    struct Doors: Equatable {
        /// The generation in force since then.
        let generation: Int
        /// By when they are given up, whoever waits.
        private(set) var until: Instant
        /// What still runs then is killed; nil where nobody has to go.
        private(set) var killAt: Instant?
        /// What the workers get at least from the stop-signal on.
        var share = TimeSpan.zero
        var isEmpty = false
        /// Since when nothing was found there.
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
            // The settings that the reload replaced said how long.
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
        // One whose handshake has just ended is in no table for a moment.
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

    /// Whether somebody waits there in truth, though there is time left.
    fileprivate func isLeftWaiting(_ doors: Doors, ofPool number: Int) -> Bool {
        now < doors.until && waitingPools.contains(number)
    }
}

/// What holds for doors.
extension Invariant {
    @Sendable static func stopsBehindShutDoors(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .stopping(let number, .graceful) = notice else { return nil }
        let pool = ledger.pools[number]
        guard pool.policy.hasListeners, pool.serving > 0, pool.stage == .running,
            pool.policy.gracefulTimeout > .zero
        else { return nil }
        guard let doors = pool.doors, doors.killAt != nil else {
            return "\(pool.name) serves and its doors are open"
        }
        guard doors.isEmpty || ledger.now >= doors.until else {
            return "somebody may wait at the doors of \(pool.name)"
        }
        return ledger.isLeftWaiting(doors, ofPool: number)
            ? "somebody waits at the doors of \(pool.name)" : nil
    }

    @Sendable static func oldOnesServeTheirDoors(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, .recycle, _) = notice, let worker = ledger.worker(id),
            let doors = ledger.pools[id.pool].doors, worker.generation < doors.generation,
            doors.killAt == nil, ledger.now < doors.until,
            !doors.isEmpty || ledger.isLeftWaiting(doors, ofPool: id.pool)
        else { return nil }
        return "\(id) goes while somebody waits at a door that it alone has"
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
        return "nothing waits at \(ledger.pools[number].name), and it does not stop"
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
            if next < armed { return "nothing wakes to sample the listeners of \(pool.name)" }
        }
        return nil
    }
}
