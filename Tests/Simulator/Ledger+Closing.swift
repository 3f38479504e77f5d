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

        mutating func shift(by span: TimeSpan) {
            until = until + span
            killAt = killAt.map { $0 + span }
        }
    }

    mutating func doorsShut(_ number: Int) {
        if owesShut == number { owesShut = nil }
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

    mutating func doorsEmptied(_ number: Int) {
        guard pools.indices.contains(number) else { return }
        pools[number].doors?.isEmpty = true
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
            return "somebody waits at the doors of \(pool.name)"
        }
        return nil
    }

    @Sendable static func oldOnesServeTheirDoors(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .retiring(let id, .recycle, _) = notice, let worker = ledger.worker(id),
            let doors = ledger.pools[id.pool].doors, worker.generation < doors.generation,
            doors.killAt == nil, !doors.isEmpty, ledger.now < doors.until
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
}
