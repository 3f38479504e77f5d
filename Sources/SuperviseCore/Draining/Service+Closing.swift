/// A graceful stop loses no client that is connected already: first the doors are shut, then the
/// workers empty the queues behind them, and only then are they told to go.

extension Service {
    /// How far the way of one pool to its stop has come. Until its end the pool runs as ever:
    /// who crashes meanwhile is replaced, since somebody has to serve those that wait.
    struct Closing: Equatable, Sendable, Codable {
        enum Phase: Equatable, Sendable, Codable {
            /// Load balancers learn that the service is going. Exit: `emptying`.
            case serving(until: Instant)
            /// Nobody new comes in. Exit: the stop of the pool.
            case emptying(until: Instant)
        }

        var phase: Phase
        /// What still runs then is killed.
        var killAt: Instant
        /// The least that the workers get from the stop-signal on, also when the turn comes late.
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

    /// Begins the graceful stop of a pool, which serves on for `delay` first.
    mutating func close(_ index: Int, after delay: TimeSpan, at now: Instant) {
        let member = members[index]
        guard member.isServing else { return }
        guard member.pool.policy.hasListeners, member.pool.servingCount > 0 else {
            tell(index, .stop(.graceful), at: now)
            return
        }
        if delay > .zero {
            let until = now + delay
            members[index].closing = Closing(phase: .serving(until: until), killAt: until)
            note(.drainDelay(pool: member.pool.number, delay))
        } else {
            shut(index, at: now)
        }
    }

    /// The workers keep a share of the graceful timeout for themselves, also when the queue never
    /// gets empty.
    private mutating func shut(_ index: Int, at now: Instant) {
        let grace = members[index].pool.policy.gracefulTimeout
        let share = min(Pool.quickGrace.nanoseconds, grace.nanoseconds / 2)
        let emptying = TimeSpan(nanoseconds: grace.nanoseconds - share)
        guard grace > .zero else {
            members[index].closing = nil
            tell(index, .stop(.graceful), at: now)
            return
        }
        members[index].closing = Closing(
            phase: .emptying(until: now + emptying), killAt: now + grace,
            share: TimeSpan(nanoseconds: share))
        closeListeners(of: index, until: now + emptying)
        note(.closed(pool: members[index].pool.number))
    }

    /// Closes the listeners of a pool that nothing else needs to new connections, and samples their
    /// queues until they are empty, or until that time.
    mutating func closeListeners(of index: Int, until: Instant) {
        members[index].closingListeners = ClosingListeners(until: until)
        let number = members[index].pool.number
        outbox.append(.shut(pool: number))
        outbox.append(.sampleListeners(pool: number))
    }

    mutating func endClosingListeners(of index: Int) {
        guard members[index].closingListeners != nil else { return }
        members[index].closingListeners = nil
        outbox.append(.releaseListeners(pool: members[index].pool.number))
    }

    /// Takes in a sample of the listeners of a pool.
    mutating func listenersSampled(_ sample: ListenerSample, ofPool number: Int, at now: Instant) {
        guard let index = index(ofPool: number),
            members[index].closingListeners?.record(sample, at: now) == true
        else { return }
        endClosingListeners(of: index)
        if case .emptying? = members[index].closing?.phase {
            finishClosing(index, at: now)
        } else {
            tell(index, .emptied, at: now)
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
            case .serving: shut(index, at: now)
            case .emptying: finishClosing(index, at: now)
            }
        }
    }

    private mutating func finishClosing(_ index: Int, at now: Instant) {
        guard let closing = members[index].closing else { return }
        members[index].closing = nil
        endClosingListeners(of: index)
        tell(index, .stop(.graceful, within: max(closing.killAt - now, closing.share)), at: now)
    }
}
