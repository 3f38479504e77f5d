import SuperviseCore

/// The responses of a canary and of the old workers, as an observer sees them.
extension Ledger {
    struct CanaryTrial: Equatable {
        enum Look: Equatable {
            case good
            case bad
            case doubtful
        }

        /// The counts when the canary became ready.
        let earlier: [WorkerID: ResponseCount]
        /// The time of the last sample, and what it shows.
        var seenAt: Instant?
        var look = Look.good
    }

    mutating func responsesSeen(_ sample: [PoolSample.Responses], inPool number: Int) {
        guard pools.indices.contains(number), pools[number].trial?.checksCanary == true,
            let canary = pools[number].canary
        else { return }
        guard var trial = pools[number].canaryTrial else {
            let counts = sample.map { ($0.id, $0.count) }
            pools[number].canaryTrial = CanaryTrial(
                earlier: Dictionary(counts) { first, _ in first })
            return
        }
        trial.seenAt = now
        trial.look = Ledger.look(at: sample, canary, since: trial.earlier)
        pools[number].canaryTrial = trial
    }

    private static func look(
        at sample: [PoolSample.Responses], _ canary: WorkerID,
        since earlier: [WorkerID: ResponseCount]
    ) -> CanaryTrial.Look {
        var own: (all: UInt64, bad: UInt64) = (0, 0)
        var recent: (all: UInt64, bad: UInt64) = (0, 0)
        var ever: (all: UInt64, bad: UInt64) = (0, 0)
        for worker in sample {
            let (all, bad) = (worker.count.responses, worker.count.errors)
            if worker.id == canary {
                own = (all, bad)
                continue
            }
            let before = earlier[worker.id] ?? ResponseCount()
            ever = (ever.all + all, ever.bad + bad)
            recent = (recent.all + all - before.responses, recent.bad + bad - before.errors)
        }
        guard own.bad > 0, 2 * own.bad >= own.all else { return .good }
        if recent.all > 0, 10 * recent.bad >= recent.all { return .good }
        let others = recent.all < 10 ? ever : recent
        if own.all < 10 || others.all < 10 { return .doubtful }
        return 10 * others.bad < others.all ? .bad : .good
    }
}

/// Invariants of the requests that workers serve.
extension Invariant {
    private static let longestDoubt = TimeSpan.seconds(10)

    @Sendable static func canaryIsCompared(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .canaryPassed(let number, _, _) = notice else { return nil }
        let pool = ledger.pools[number]
        guard pool.trial?.checksCanary == true,
            let readyAt = pool.canary.flatMap(ledger.worker)?.readyAt
        else { return nil }
        let stay = min(pool.policy.stableAfter, .seconds(2))
        guard let trial = pool.canaryTrial, let seenAt = trial.seenAt, seenAt >= readyAt + stay
        else { return "the responses of pool \(number) were not compared" }
        switch trial.look {
        case .good: return nil
        case .bad: return "the canary of pool \(number) responds with errors"
        case .doubtful:
            return ledger.now >= readyAt + stay + longestDoubt
                ? nil : "the canary of pool \(number) may respond with errors"
        }
    }

    @Sendable static func canaryIsRejectedForErrors(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .canaryFailed(let number, _, .responses) = notice else { return nil }
        let trial = ledger.pools[number].canaryTrial
        return trial?.seenAt == ledger.now && trial?.look == .bad
            ? nil : "the canary of pool \(number) is no worse than the others"
    }

    @Sendable static func badCanaryIsRejected(_ ledger: Ledger, _ service: Service) -> String? {
        for (number, pool) in ledger.pools.enumerated() {
            guard let trial = pool.canaryTrial, trial.look == .bad, trial.seenAt == ledger.now,
                pool.passedAt == nil, pool.canary.flatMap(ledger.worker)?.serves == true
            else { continue }
            return "the canary of pool \(number) responds with errors and stays"
        }
        return nil
    }

    @Sendable static func doubtEnds(_ ledger: Ledger, _ service: Service) -> String? {
        for (number, pool) in ledger.pools.enumerated() {
            guard let policy = pool.trial, policy.checksCanary, policy.killRSSBytes == nil,
                pool.passedAt == nil, let canary = pool.canary.flatMap(ledger.worker),
                canary.serves, let readyAt = canary.readyAt
            else { continue }
            let stay = min(pool.policy.stableAfter, .seconds(2))
            if ledger.now > readyAt + stay + longestDoubt {
                return "the canary of pool \(number) is undecided for too long"
            }
        }
        return nil
    }
}
