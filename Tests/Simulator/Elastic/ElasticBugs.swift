#if DEBUG
    @testable import SuperviseCore

    /// Planted bugs in the size of elastic pools, which prove that the simulation detects errors.
    package enum ElasticBug: String, CaseIterable, Sendable {
        case exceedTheMaximum
        case fallBelowTheMinimum
        case growWithoutPause
        case ignoreThatWorkersBoot
        case growWithoutAQueue
        case shrinkTooSoon
        case shrinkInParallel
        case shrinkWhileBusy
        case stopWithoutADrain
        case stopTheOldest
        case forgetTheMemory
        case reportNoBlock
        case neverGrow
        case neverShrink
        case forgetToAwaitConnections
        case sampleForEver
        case skipTheCanary
        case keepTheCanary
        case moveOneBound
    }

    /// A service that makes one kind of wrong decision about the size of an elastic pool.
    package struct BuggedElastic: Machine {
        package private(set) var service: Service
        private let bug: ElasticBug

        package init(_ bug: ElasticBug, _ schedule: ElasticSchedule) {
            self.bug = bug
            service = schedule.service
        }

        package var nextDeadline: Instant? { service.nextDeadline }

        package mutating func handle(
            _ event: Service.Event, at now: Instant
        ) -> [Service.Action] {
            confuse(before: event, at: now)
            let actions = spoiled(event).flatMap { service.handle($0, at: now) }
            confuse(after: event, at: now)
            return actions.flatMap(spoiled)
        }

        private func spoiled(_ event: Service.Event) -> [Service.Event] {
            switch (bug, event) {
            case (.growWithoutAQueue, .sampled(let pool, var sample)):
                if sample.load?.waiting == 0 { sample.load?.waiting = 3 }
                return [.sampled(pool: pool, sample)]
            case (.neverGrow, .sampled(let pool, var sample)):
                sample.load?.waiting = 0
                return [.sampled(pool: pool, sample)]
            case (.shrinkWhileBusy, .sampled(let pool, var sample)):
                for index in (sample.load?.workers ?? []).indices {
                    sample.load?.workers[index].isBusy = false
                }
                return [.sampled(pool: pool, sample)]
            default: return [event]
            }
        }

        private func spoiled(_ action: Service.Action) -> [Service.Action] {
            guard case .perform(let inner) = action else { return [action] }
            switch (bug, inner) {
            case (.reportNoBlock, .note(.scale(.blocked))): return []
            case (.forgetToAwaitConnections, .awaitConnection): return []
            default: return [action]
            }
        }

        private mutating func confuse(before event: Service.Event, at now: Instant) {
            let bug = bug
            switch (bug, event) {
            case (.skipTheCanary, .reload):
                change { if $0.size == 0 { $0.elastic.bounds = nil } }
            case (.exceedTheMaximum, .sampled): change { $0.elastic.bounds?.maximum += 3 }
            case (.fallBelowTheMinimum, .sampled): change { $0.elastic.bounds?.minimum = 0 }
            case (.growWithoutPause, _): change { $0.elastic.raisedAt = nil }
            case (.ignoreThatWorkersBoot, .sampled):
                change { pool in
                    for slot in pool.slots.indices where pool.slots[slot].isWanted {
                        var share = pool.slots[slot].share
                        share.traits.insert(.covered)
                        pool.tally.replace(pool.slots[slot].share, by: share)
                        pool.slots[slot].share = share
                    }
                }
            case (.shrinkTooSoon, .sampled), (.shrinkWhileBusy, .sampled):
                change { pool in
                    if bug == .shrinkTooSoon { pool.elastic.raisedAt = Instant(nanoseconds: 0) }
                    pool.elastic.demand = DemandHistory()
                }
            case (.shrinkInParallel, .sampled):
                change { pool in
                    for slot in pool.slots.indices {
                        for index in pool.slots[slot].leaving.indices {
                            pool.slots[slot].leaving[index].retirement?.cause = .stop
                        }
                    }
                }
            case (.stopWithoutADrain, _): change { $0.policy.drain = .signal }
            case (.forgetTheMemory, _): change { $0.policy.maxPoolRSSBytes = nil }
            case (.neverShrink, .sampled): change { $0.elastic.raisedAt = now }
            case (.sampleForEver, .sampled): change { $0.policy.scaleBy = .cpu }
            default: break
            }
        }

        private mutating func confuse(after event: Service.Event, at now: Instant) {
            switch (bug, event) {
            case (.keepTheCanary, .reload): change { $0.elastic.wasVisited = true }
            case (.sampleForEver, _):
                change { pool in
                    guard pool.sampler.loadAt == nil, pool.stage == .running else { return }
                    pool.sampler.scheduleLoad(at: now + .seconds(1))
                }
            case (.stopTheOldest, .sampled):
                change { pool in
                    for slot in pool.slots.indices {
                        pool.slots[slot].incumbent?.memory.bytes = 1
                    }
                }
            case (.moveOneBound, .resize(_, let step)):
                change { $0.elastic.bounds?.maximum -= step }
            default: break
            }
        }

        private mutating func change(_ change: (inout Pool) -> Void) {
            for index in service.members.indices where service.members[index].pool.isElastic {
                change(&service.members[index].pool)
            }
        }
    }
#endif
