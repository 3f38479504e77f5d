import SuperviseCore

/// Invariants of signals, failures and the end.
extension Invariant {
    @Sendable static func signalsToTheLiving(_ ledger: Ledger, _ action: Service.Action) -> String?
    {
        guard case .perform(let action) = action else { return nil }
        switch action {
        case .signal(let id, _), .drain(let id), .observe(let id), .measure(let id),
            .gatherEvidence(let id, _, _):
            guard let worker = ledger.worker(id), !worker.hasExited else { return "\(id) is gone" }
        case .signalTree(let id):
            guard ledger.worker(id)?.hasExited == true else { return "\(id) left nothing behind" }
        case .kill(let id), .sampleConnections(let id, _), .interruptAcceptors(let id):
            guard ledger.worker(id) != nil else { return "\(id) is gone" }
        case .startMold, .endMold, .killMold, .start, .sample, .setNotifyThreshold, .planRun,
            .awaitConnection, .sampleHunt, .note:
            break
        }
        return nil
    }

    @Sendable static func signalAfterRetirement(_ ledger: Ledger, _ action: Service.Action)
        -> String?
    {
        guard case .perform(.signal(let id, let signal)) = action else { return nil }
        guard let worker = ledger.worker(id), let retirement = worker.retirement else {
            return "\(id) is not retiring"
        }
        if signal == .stop, worker.isSignalled { return "\(id) gets a second stop-signal" }
        if signal == .stop, retirement.cause == .announced { return "\(id) goes of its own accord" }
        return nil
    }

    @Sendable static func killAfterGrace(_ ledger: Ledger, _ action: Service.Action) -> String? {
        guard case .perform(.kill(let id)) = action, let worker = ledger.worker(id) else {
            return nil
        }
        guard let killAt = worker.killAt else { return "\(id) is not retiring" }
        if ledger.now < killAt { return "\(id) had \((killAt - ledger.now).seconds) s more" }
        let grace = worker.retirement.map { killAt - $0.at } ?? .seconds(1)
        let needsSignal =
            worker.retirement?.cause != .announced && worker.retirement?.cause != .killMemory
            && grace > .zero && ledger.pools[id.pool].stage != .stopping(.immediate)
        if needsSignal, !worker.isSignalled { return "\(id) got no signal before" }
        return nil
    }

    @Sendable static func backoffWithinBounds(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .backoff(let number, let slot, let failures, let delay) = notice else {
            return nil
        }
        let policy = ledger.pools[number].policy
        var base = min(policy.backoff, policy.backoffMax)
        for _ in 0..<max(0, min(failures - 2, 40)) { base = min(base + base, policy.backoffMax) }
        let most = base + TimeSpan(nanoseconds: base.nanoseconds / 4)
        // A refused start waits at least 10 ms.
        guard failures > 1, base <= delay, delay <= max(most, .milliseconds(10)) else {
            return "slot \(slot) waits \(delay.seconds) s after \(failures) failures"
        }
        return nil
    }

    @Sendable static func givingUpHasReason(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .givingUp(let reason) = notice else { return nil }
        if ledger.wasEverReady { return "a worker was ready once" }
        switch reason {
        case .cannotStart: return ledger.wasRefused ? nil : "no start was refused"
        case .noWorkerBoots:
            for pool in ledger.pools where pool.isKept {
                let failed = pool.slots.count { $0.bootFailures >= pool.policy.bootAttempts }
                if failed < pool.wanted { return "a slot of \(pool.name) has attempts left" }
            }
            return nil
        }
    }

    @Sendable static func exitFits(_ ledger: Ledger, _ action: Service.Action) -> String? {
        if ledger.exitCode != nil { return "something comes after the exit" }
        guard case .exit(let code) = action else { return nil }
        if let left = ledger.pools.first(where: { $0.live > 0 }) {
            return "workers of \(left.name) are left"
        }
        let expected: [Int32] =
            switch ledger.givenUp {
            case .noWorkerBoots: [13]
            case .cannotStart: [14]
            case nil: ledger.stopWasRequested && !ledger.isAllDone ? [0] : [ledger.codeOfDone]
            }
        // The stop request may come before or after the end of the work; both codes are valid.
        if ledger.stopWasRequested, code == 0 { return nil }
        return expected.contains(code) ? nil : "the exit code is \(code), not \(expected)"
    }
}

extension Ledger {
    /// Whether every slot of every current pool is done.
    var isAllDone: Bool {
        pools.allSatisfy { pool in pool.slots.allSatisfy { $0.workers.isEmpty } }
            && pools.contains { $0.slots.contains { $0.isDone } }
    }

    /// The exit code when all work is done.
    var codeOfDone: Int32 {
        pools.contains { !$0.isRemoved && $0.slots.contains { $0.isDone && $0.hasFailed } } ? 15 : 0
    }
}
