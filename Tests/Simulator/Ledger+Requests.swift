import SuperviseCore

/// The responses of a canary and of the old workers, as an observer sees them.
extension Ledger {
    struct CanaryTrial: Equatable {
        enum Verdict: Equatable {
            case good
            case bad
            case doubtful
        }

        /// The counts when the canary became ready.
        let earlier: [WorkerID: ResponseCount]
        /// The time of the last sample, and what it shows
        var seenAt: Instant?
        var verdict = Verdict.good
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
        trial.verdict = Ledger.verdict(on: sample, canary, since: trial.earlier)
        pools[number].canaryTrial = trial
    }

    private static func verdict(
        on sample: [PoolSample.Responses], _ canary: WorkerID,
        since earlier: [WorkerID: ResponseCount]
    ) -> CanaryTrial.Verdict {
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
        switch trial.verdict {
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
        return trial?.seenAt == ledger.now && trial?.verdict == .bad
            ? nil : "the canary of pool \(number) is no worse than the others"
    }

    @Sendable static func badCanaryIsRejected(_ ledger: Ledger, _ service: Service) -> String? {
        for (number, pool) in ledger.pools.enumerated() {
            guard let trial = pool.canaryTrial, trial.verdict == .bad, trial.seenAt == ledger.now,
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

/// Requests that get no response, as an observer sees them.
extension Ledger {
    mutating func requestsSeen(_ sample: [WaitingRequests], inPool number: Int) {
        guard pools.indices.contains(number) else { return }
        pools[number].stuck = []
        guard pools[number].stage == .running, let timeout = pools[number].policy.requestTimeout
        else {
            pools[number].hangsSince = nil
            return
        }
        requestsSampledOf = number
        let quarter = TimeSpan(nanoseconds: timeout.nanoseconds / 4)
        let slow = sample.filter { longestWait(of: $0) >= quarter && mayWait($0.id) }
        let stuck = slow.filter { longestWait(of: $0) >= timeout }
        func mostHang(_ workers: [WaitingRequests], _ least: TimeSpan, since: Instant) -> Bool {
            let silent = workers.filter { worker in
                worker.respondedAt.map { $0 < since } ?? true
            }
            return areMost(silent, least, timeout, inPool: number)
        }
        if let since = pools[number].hangsSince {
            if !mostHang(slow, quarter, since: since) {
                pools[number].hangsSince = nil
                pools[number].resumedAt = now
            }
            return forgetStuck(inPool: number)
        }
        // The time at which a worker was stuck.
        func stuckAt(_ worker: WaitingRequests) -> Instant {
            let excess = longestWait(of: worker).nanoseconds - timeout.nanoseconds
            return now + TimeSpan(nanoseconds: -excess)
        }
        let hanging = stuck.filter { worker in
            worker.respondedAt.map { $0 < stuckAt(worker) } ?? true
        }
        owesHang = areMost(hanging, timeout, timeout, inPool: number)
        pools[number].hangsSince = owesHang ? now : nil
        pools[number].stuck = Set(owesHang ? [] : stuck.map(\.id))
        forgetStuck(inPool: number)
        // The others wait until it is known whether most workers hang.
        for worker in stuck where mostHang(slow, quarter, since: stuckAt(worker)) {
            pools[number].stuck.remove(worker.id)
        }
        for id in pools[number].stuck { change(id) { $0.isStuck = $0.serves } }
    }

    private func waits(of requests: WaitingRequests) -> [TimeSpan] {
        let resumedAt = pools[requests.id.pool].resumedAt
        return requests.slow.map { now - max($0.since, resumedAt ?? $0.since) }
    }

    private func longestWait(of requests: WaitingRequests) -> TimeSpan {
        waits(of: requests).max() ?? .zero
    }

    private func mayWait(_ id: WorkerID) -> Bool {
        worker(id).map { $0.serves || $0.stopsStuck } ?? false
    }

    /// Returns whether these workers are too many. A single worker needs several requests that have
    /// waited for at least this long, or a predecessor that was stuck.
    private func areMost(
        _ workers: [WaitingRequests], _ least: TimeSpan, _ timeout: TimeSpan, inPool number: Int
    ) -> Bool {
        let pool = pools[number]
        let all = pool.slots.reduce(0) { $0 + $1.workers.count { $0.serves || $0.stopsStuck } }
        guard pool.wanted == 1, all == 1, let one = workers.first else {
            return 2 * workers.count > all
        }
        let count = waits(of: one).count { $0 >= least }
        if count > 1, 2 * count > one.inFlight { return true }
        guard let stoppedAt = pool.stuckStoppedAt, let worker = worker(one.id), worker.serves,
            let readyAt = worker.readyAt
        else { return false }
        return readyAt < stoppedAt + TimeSpan(nanoseconds: timeout.nanoseconds * 10)
    }

    /// Records a cause. One of memory replaces a stuck request; others remain besides it.
    mutating func becameDue(_ id: WorkerID, _ cause: RecycleCause) {
        guard let worker = worker(id) else { return }
        let since = worker.due?.since ?? now
        let isExpected = cause == .memory && worker.samplesOver == 0
        let ahead = isExpected ? now..<now + longestWaitForCap(of: worker) : nil
        change(id) {
            if $0.due?.cause == .requestTimeout, !cause.isOfMemory {
                $0.other = OtherCause(cause: cause)
                return
            }
            $0.other =
                cause == .requestTimeout
                ? $0.due.map { [ahead = $0.aheadOfCap] in
                    OtherCause(cause: $0.cause, aheadOfCap: ahead)
                } : nil
            $0.due = Due(cause: cause, since: since)
            $0.aheadOfCap = ahead
        }
    }

    /// A worker that is no longer stuck is due only for another cause, unless its replacement has
    /// started.
    private mutating func forgetStuck(inPool number: Int) {
        let pool = pools[number]
        for slot in pool.slots {
            let pair = slot.pair(canary: pool.canary)
            guard let worker = pair.incumbent, worker.isStuck, !pool.stuck.contains(worker.id)
            else { continue }
            change(worker.id) {
                $0.isStuck = false
                guard let due = $0.due, due.cause == .requestTimeout,
                    pair.replacement == nil || pair.replacement?.id == pool.canary
                else { return }
                $0.due = $0.other.map { Due(cause: $0.cause, since: due.since) }
                $0.aheadOfCap = $0.other?.aheadOfCap
                $0.other = nil
            }
        }
    }

    func isOnlyStuck(_ worker: Worker, _ sample: ConnectionSample) -> Bool {
        guard worker.stopsStuck, pools[worker.id.pool].hangsSince == nil, sample.stuck > 0
        else { return false }
        if let inFlight = sample.inFlight { return sample.stuck == inFlight }
        var shown = 0
        for connection in sample.connections {
            switch connection.use {
            case .inFlight: shown += 1
            case .idle: break
            case .quiet, .unclear: if !connection.hasReader { return false }
            case .answered: return false
            }
        }
        return shown == sample.stuck
    }

    /// Returns whether a worker may get SIGABRT because of a stuck request.
    func mayAbort(_ id: WorkerID) -> Bool {
        guard let worker = worker(id), worker.stopsStuck, let draining = worker.draining else {
            return false
        }
        return draining.end == .stuck || now >= draining.until && draining.seen?.isStuck == true
    }
}

extension Ledger.Worker {
    /// Whether it is stopped because of a stuck request.
    var stopsStuck: Bool {
        retirement?.cause == .recycle(.requestTimeout) && !isKilled && !hasExited
    }

}

extension Invariant {
    @Sendable static func stuckIsNamed(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .requestStuck(let id, _, _, _) = notice else { return nil }
        return ledger.pools[id.pool].stuck.contains(id) ? nil : "\(id) is not stuck"
    }

    @Sendable static func outageIsSeen(_ ledger: Ledger, _ notice: Notice) -> String? {
        guard case .requestsHang(let number, _, _, _, _) = notice else { return nil }
        return ledger.owesHang && ledger.requestsSampledOf == number
            ? nil : "pool \(number) does not hang"
    }

    @Sendable static func outageIsReported(_ ledger: Ledger, _ service: Service) -> String? {
        ledger.owesHang ? "most workers wait, and it is not reported" : nil
    }

    @Sendable static func stuckIsDue(_ ledger: Ledger, _ service: Service) -> String? {
        guard let number = ledger.requestsSampledOf else { return nil }
        let pool = ledger.pools[number]
        for slot in pool.slots {
            guard let worker = slot.pair(canary: pool.canary).incumbent, worker.serves,
                worker.id != pool.canary, pool.stuck.contains(worker.id)
            else { continue }
            if worker.due == nil { return "\(worker.id) is stuck and not due" }
        }
        return nil
    }
}
