import SuperviseCore

/// Draining workers, as an observer sees them.
extension Ledger {
    struct Draining: Equatable {
        private var since: Instant
        /// The latest time of the stop-signal. While the worker is busy, the signal must not come
        /// earlier.
        private(set) var until: Instant
        /// The time from which any moment without a known request suffices.
        private(set) var relaxAt: Instant
        /// The number of times that threads had to leave accept(2).
        var interruptions = 0
        /// The result of the last sample.
        var seen: Seen?
        /// The traffic of each connection: the bytes sent when it was first sampled, and the bytes
        /// received when a response was sampled.
        var traffic: [UInt64: Traffic] = [:]
        var isReused = false
        /// The latest time of the next sample, unless one is awaited.
        var sampleBy: Instant
        /// The minimum time for the program from the stop-signal on.
        private(set) var share: TimeSpan
        /// Whether the drain was reported as complete or impossible.
        var isOver: Bool { end != nil }
        /// The reported end.
        var end: DrainEnd?

        struct Traffic: Equatable {
            let sent: UInt32
            var received: UInt32?
        }

        struct Seen: Equatable {
            let at: Instant
            /// The connections that may have a request in flight.
            let waiting: Set<UInt64>
            let isStuck: Bool
        }

        init(since: Instant, killAt: Instant) {
            self.since = since
            sampleBy = since
            let half = TimeSpan(nanoseconds: (killAt - since).nanoseconds / 2)
            share = min(.seconds(2), half)
            until = Instant(nanoseconds: killAt.nanoseconds - share.nanoseconds)
            relaxAt = until
            setRelaxation()
        }

        private mutating func setRelaxation() {
            let span = min(4_000_000_000, (until - since).nanoseconds / 4)
            relaxAt = Instant(nanoseconds: until.nanoseconds - span)
        }

        mutating func hasten(at now: Instant) {
            let half = TimeSpan(nanoseconds: (until - since + share).nanoseconds / 2)
            guard share < half else { return }
            until = max(now, since + half)
            share = half
            setRelaxation()
        }

        mutating func shift(by span: TimeSpan) {
            since = since + span
            until = until + span
            relaxAt = relaxAt + span
            sampleBy = sampleBy + span
        }

        /// Returns whether a client is seen to reuse a connection for the first time.
        mutating func reuses(_ sample: ConnectionSample) -> Bool {
            let before = isReused
            for connection in sample.connections {
                guard let first = traffic[connection.id] else {
                    traffic[connection.id] = Traffic(sent: connection.sent)
                    continue
                }
                if let received = first.received {
                    if connection.received != received { isReused = true }
                } else if connection.sent != first.sent {
                    traffic[connection.id]?.received = connection.received
                }
            }
            return isReused && !before
        }
    }

    /// Requests that were in flight when a worker got its stop-signal.
    struct Stopping: Equatable {
        var since: Instant
        var remaining: Set<UInt64>
        /// Whether some of them were still in flight a tenth of a second later.
        var hasLasted = false
        var sampleBy: Instant
    }

    mutating func drainBegun(_ id: WorkerID) {
        guard let killAt = worker(id)?.killAt else { return }
        let draining = Draining(since: now, killAt: killAt)
        change(id) { $0.draining = draining }
    }

    mutating func drainEnded(_ worker: Worker, _ end: DrainEnd) {
        guard worker.draining != nil else { return }
        change(worker.id) { $0.draining?.end = end }
        owesStopSignal = worker.id
    }

    mutating func connectionsSampled(_ sample: ConnectionSample?, of worker: Worker) {
        let now = now
        let id = worker.id
        change(id) { $0.awaitsSample = false }
        guard let draining = worker.draining else { return stopSampled(sample, of: worker) }
        guard !draining.isOver else { return }
        let isRelaxed = now >= draining.relaxAt
        change(id) { $0.draining?.sampleBy = now + Ledger.longestPause(sample, isRelaxed) }
        guard let sample else { return }
        var isReused = false
        change(id) {
            isReused = $0.draining?.reuses(sample) ?? false
            let waiting = sample.connections.filter { $0.use == .inFlight || $0.use == .unclear }
            $0.draining?.seen = .init(
                at: now, waiting: Set(waiting.map(\.id)), isStuck: sample.stuck > 0)
        }
        if isReused, sample.handlesStopSignal { reused(by: worker) }
        guard let draining = self.worker(id)?.draining, !draining.isOver else { return }
        if isOnlyStuck(worker, sample) { return drainEnded(worker, .stuck) }
        guard isIdle(sample, ofPool: id.pool) else { return }
        if sample.acceptors > 0, draining.interruptions < 20 {
            owesInterrupt = id
        } else {
            drainEnded(worker, sample.endedIdle ? .lull : .idle)
        }
    }

    private static func longestPause(_ sample: ConnectionSample?, _ isRelaxed: Bool) -> TimeSpan {
        guard let sample else { return .milliseconds(250) }
        let rest = TimeSpan(nanoseconds: sample.cost.nanoseconds * (isRelaxed ? 4 : 20))
        return max(.milliseconds(isRelaxed ? 5 : 50), rest)
    }

    /// Returns whether the worker may get its stop-signal. Some programs finish their requests in
    /// flight. Late in the drain, requests that may be in flight no longer count.
    private func isIdle(_ sample: ConnectionSample, ofPool pool: Int) -> Bool {
        let finishes = pools[pool].finishesRequests == true
        return sample.connections.allSatisfy { connection in
            switch connection.use {
            case .inFlight: false
            case .unclear:
                finishes && !sample.endedIdle || connection.hasReader && !sample.endedIdle
            case .answered: finishes || sample.endedIdle
            case .quiet: finishes || sample.endedIdle || connection.hasReader
            case .idle: true
            }
        }
    }

    private mutating func reused(by worker: Worker) {
        let now = now
        guard worker.draining?.isOver == false, !isHurried(worker.id) else { return }
        switch pools[worker.id.pool].finishesRequests {
        case true: drainEnded(worker, .reused)
        case false: break
        case nil: change(worker.id) { $0.draining?.hasten(at: now) }
        }
    }

    private mutating func stopSampled(_ sample: ConnectionSample?, of worker: Worker) {
        let now = now
        guard var stopping = worker.stopping else { return }
        stopping.sampleBy = now + Ledger.longestPause(sample, true)
        if let sample {
            stopping.remaining.formIntersection(sample.connections.map(\.id))
            let isLate = now - stopping.since >= .milliseconds(100)
            if isLate, !stopping.remaining.isEmpty { stopping.hasLasted = true }
        }
        let isOver = stopping.remaining.isEmpty
        change(worker.id) { $0.stopping = isOver ? nil : stopping }
        if isOver, stopping.hasLasted { stopShown(inPool: worker.id.pool, finishes: true) }
    }

    /// A worker that ends immediately, and not by SIGKILL, drops its requests in flight.
    mutating func stopShown(byEndOf worker: Worker, leavesTree: Bool) {
        guard let stopping = worker.stopping, !stopping.hasLasted, !worker.isKilled, !leavesTree
        else { return }
        stopShown(inPool: worker.id.pool, finishes: false)
    }

    private mutating func stopShown(inPool pool: Int, finishes: Bool) {
        guard pools[pool].finishesRequests != finishes else { return }
        pools[pool].finishesRequests = finishes
        owesHabit = pool
    }

    mutating func signalled(_ id: WorkerID, aborts: Bool) {
        let now = now
        if owesStopSignal == id { owesStopSignal = nil }
        guard let draining = worker(id)?.draining, !isHurried(id) else {
            return change(id) {
                $0.draining = nil
                $0.stopping = nil
            }
        }
        change(id) {
            if !aborts, !$0.hasExited, let seen = draining.seen, !seen.waiting.isEmpty,
                now - seen.at <= .milliseconds(100)
            {
                $0.stopping = Stopping(
                    since: now, remaining: seen.waiting, sampleBy: now + .milliseconds(5))
            }
            // A worker that was never ready has the graceful timeout only for requests.
            let isEmpty =
                draining.end == .idle || draining.end == .unwatchable && $0.requests == 0
            let isShort = $0.readyAt == nil && isEmpty || draining.end == .stuck
            $0.killAt = $0.killAt.map { killAt in
                max(isShort ? min(killAt, now + .seconds(2)) : killAt, now + draining.share)
            }
            $0.draining = nil
        }
    }

    /// Returns whether the pool stops in a mode that does not wait for requests.
    private func isHurried(_ id: WorkerID) -> Bool {
        switch pools[id.pool].stage {
        case .stopping(.quick), .stopping(.immediate): true
        case .stopping(.graceful), .running, .parked, .ended: false
        }
    }

    /// Returns whether this worker may be stopped only after its requests are served.
    func hasToDrain(_ worker: Worker) -> Bool {
        let policy = policy(of: worker)
        guard let retirement = worker.retirement, let killAt = worker.killAt,
            killAt > retirement.at,
            policy.hasListeners, worker.runsSince != nil, !isHurried(worker.id)
        else { return false }
        switch retirement.cause {
        case .recycle(.requestTimeout): return true
        case .recycle, .scaledDown, .parked, .huntEnded, .stop, .superseded: break
        case .announced, .bootTimeout, .killMemory, .watchdog, .stalled: return false
        }
        return isDrained(worker, by: policy)
    }

    private func isDrained(_ worker: Worker, by policy: PoolPolicy) -> Bool {
        switch policy.drain {
        case .signal: false
        case .observe: true
        case .auto: !worker.usesContract
        }
    }

    /// Returns whether a worker of a generation that is not current may have requests, so that it
    /// has the graceful timeout.
    func mayHoldRequests(_ worker: Worker) -> Bool {
        let policy = policy(of: worker)
        return worker.readyAt != nil || worker.requests > 0
            || policy.hasListeners && worker.runsSince != nil && policy.gracefulTimeout > .zero
                && isDrained(worker, by: policy)
    }
}
