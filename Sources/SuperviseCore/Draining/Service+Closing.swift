/// A graceful stop that loses no connected client: it first closes the listeners, then the workers
/// empty the accept queues, and only then they are stopped.

extension Service {
    /// The progress of one pool's stop. Until its end the pool runs normally: crashed workers are
    /// replaced, because the waiting connections must be served.
    struct Closing: Equatable, Sendable, Codable {
        enum Phase: Equatable, Sendable, Codable {
            /// Load balancers can detect that the service stops. Exit: `emptying`.
            case serving(until: Instant)
            /// No new connections are accepted. Exit: the stop of the pool.
            case emptying(until: Instant)
        }

        var phase: Phase
        /// The time at which remaining workers are killed.
        var killAt: Instant
        /// The minimum time of the workers after the stop-signal, even if the turn is late.
        var share = TimeSpan.zero

        var deadline: Instant {
            switch phase {
            case .serving(let until), .emptying(let until): until
            }
        }

        mutating func shift(by span: TimeSpan) {
            killAt = killAt + span
            switch phase {
            case .serving(let until): phase = .serving(until: until + span)
            case .emptying(let until): phase = .emptying(until: until + span)
            }
        }
    }

    /// Begins the graceful stop of a pool, which keeps serving for `delay`.
    mutating func close(_ index: Int, after delay: TimeSpan, at now: Instant) {
        let member = members[index]
        guard member.isServing else { return }
        guard member.pool.policy.hasListeners, member.pool.servingCount > 0 else {
            send(index, .stop(.graceful), at: now)
            return
        }
        if delay > .zero {
            let until = now + delay
            members[index].closing = Closing(phase: .serving(until: until), killAt: until)
            note(.drainDelay(pool: member.pool.number, delay))
        } else {
            beginEmptying(index, at: now)
        }
    }

    /// Reserves a share of the graceful timeout for the workers, even if the queue never becomes
    /// empty.
    private mutating func beginEmptying(_ index: Int, at now: Instant) {
        let grace = members[index].pool.policy.gracefulTimeout
        let share = min(Pool.quickGrace.nanoseconds, grace.nanoseconds / 2)
        let emptying = TimeSpan(nanoseconds: grace.nanoseconds - share)
        guard grace > .zero else {
            members[index].closing = nil
            send(index, .stop(.graceful), at: now)
            return
        }
        members[index].closing = Closing(
            phase: .emptying(until: now + emptying), killAt: now + grace,
            share: TimeSpan(nanoseconds: share))
        closeListeners(of: index, until: now + emptying)
        note(.closed(pool: members[index].pool.number))
    }

    /// Closes those listeners of a pool that no other pool needs, and samples their queues until
    /// they are empty or the time is reached.
    mutating func closeListeners(of index: Int, until: Instant) {
        members[index].closingListeners = ClosingListeners(until: until)
        let number = members[index].pool.number
        outbox.append(.closeListeners(pool: number))
        outbox.append(.sampleListeners(pool: number))
    }

    mutating func endClosingListeners(of index: Int) {
        guard members[index].closingListeners != nil else { return }
        members[index].closingListeners = nil
        outbox.append(.releaseListeners(pool: members[index].pool.number))
    }

    /// Handles a sample of the listeners of a pool.
    mutating func listenersSampled(_ sample: ListenerSample, ofPool number: Int, at now: Instant) {
        guard let index = index(ofPool: number),
            members[index].closingListeners?.record(sample, at: now) == true
        else { return }
        endClosingListeners(of: index)
        if case .emptying? = members[index].closing?.phase {
            finishClosing(index, at: now)
        } else {
            send(index, .emptied, at: now)
        }
    }

    mutating func expireClosings(at now: Instant) {
        for index in members.indices {
            if let listeners = members[index].closingListeners, listeners.until <= now {
                endClosingListeners(of: index)
            }
            if let sampleAt = members[index].closingListeners?.sampleAt, sampleAt <= now {
                members[index].closingListeners?.sampleAt = nil
                outbox.append(.sampleListeners(pool: members[index].pool.number))
            }
            guard let closing = members[index].closing, closing.deadline <= now else { continue }
            switch closing.phase {
            case .serving: beginEmptying(index, at: now)
            case .emptying: finishClosing(index, at: now)
            }
        }
    }

    private mutating func finishClosing(_ index: Int, at now: Instant) {
        guard let closing = members[index].closing else { return }
        members[index].closing = nil
        endClosingListeners(of: index)
        send(index, .stop(.graceful, within: max(closing.killAt - now, closing.share)), at: now)
    }
}
