#if DEBUG
    @testable import SuperviseCore

    /// Bugs in recycling, watchdogs and time.
    extension Bugged {
        /// The input.
        mutating func spoiledTime(_ event: Service.Event) -> [Service.Event] {
            switch (bug, event) {
            case (.holdForEver, .worker(let id, .hold(let span))) where span > .zero:
                return [.worker(id, .hold(.seconds(1_000)))]
            case (.neverArmTheWatchdog, .worker(_, .watchdog)): return []
            case (.watchWhoPromisedNothing, .worker(let id, .running)):
                return [event, .worker(id, .watchdog)]
            case (.ignoreTheTrigger, .worker(_, .watchdogTriggered)): return []
            case (.extendForEver, .worker(let id, .extendTimeout)):
                return [.worker(id, .extendTimeout(.seconds(1_000)))]
            case (.ignoreExtensions, .worker(_, .extendTimeout)): return []
            case (.blameNobody, .sampled), (.forgetThatTheQueueWasEmpty, .sampled),
                (.blameWhoDoesNotListen, .sampled):
                return [spoiledQueue(event)]
            case (.blameWhoWorks, .sampled):
                eachSlot { pool, slot in
                    pool.slots[slot].incumbent?.serving?.progressAt = Instant(nanoseconds: 0)
                }
                return [event]
            case (.leaveADroppedDoorEarly, .worker), (.leaveADroppedDoorEarly, .deadline):
                guard service.haste == nil else { return [event] }
                return [event] + service.members.map { .listeners(pool: $0.pool.number, .none) }
            case (.countEverySignal, .stopSignal):
                service.stopSignals?.shift(by: .seconds(-1))
                return [event]
            case (.countNoSecondSignal, .stopSignal(.terminate)):
                return service.haste == nil ? [event] : []
            case (.stopAtOnceOnASecondInterrupt, .stopSignal(.interrupt)):
                return service.haste == nil ? [event] : [.stop(.immediate)]
            case (.forgetThatItDrops, .worker(_, .exited)):
                eachLeaving { worker in worker.retirement?.stopWatch = nil }
                return [event]
            case (.ignoreLostTime, .late): return []
            case (.giveLostTimeTwice, .late): return [event, event]
            default: return [event]
            }
        }

        private func spoiledQueue(_ event: Service.Event) -> Service.Event {
            guard case .sampled(let pool, var sample) = event, let waiting = sample.waiting else {
                return event
            }
            switch bug {
            case .blameNobody: sample.waiting = []
            case .forgetThatTheQueueWasEmpty: sample.waiting = waiting.isEmpty ? nil : waiting
            case .blameWhoDoesNotListen: sample.waiting = waiting.isEmpty ? [] : Array(1...99)
            default: break
            }
            return .sampled(pool: pool, sample)
        }

        /// The state of the machine.
        mutating func confuseTime(after event: Service.Event, at now: Instant) {
            switch (bug, event) {
            case (.forgetWhoIsDue, _):
                changeDues(at: now) { $0 = nil }
            case (.goAtTheThreshold, _):
                waitAhead(of: .requests, until: now, at: now)
            case (.waitForEverForALimit, _):
                waitAhead(of: .requests, until: now + .seconds(1_000), at: now)
            case (.goBeforeTheCap, _):
                waitAhead(of: .memory, until: now, at: now)
            case (.waitForEverForACap, _):
                waitAhead(of: .memory, until: now + .seconds(1_000), at: now)
            case (.believeGrowthForEver, _):
                for index in service.members.indices {
                    service.members[index].pool.pace.believesGrowth = true
                }
            case (.emptyForEver, _):
                changeDraining(at: now) { $0?.until = now + .seconds(1_000) }
            case (.emptyWithoutAShare, _):
                changeDraining(at: now) { draining in
                    guard let old = draining, old.share > .zero else { return }
                    draining?.until = old.until + old.share
                    draining?.share = .zero
                }
            case (.emptyWhoUsesTheContract, .worker(let id, .moreRequests)):
                believe(false, of: id)
            case (.trustWhoSaysReady, .worker(let id, .ready)):
                believe(true, of: id)
            case (.signalATreeAtItsRequests, .worker(_, .exited)):
                changeDraining(at: now) { $0?.until = now }
            case (.holdOldWorkersToANewTimeout, .worker(let id, .watchdog)):
                eachSlot { pool, slot in
                    guard pool.slots[slot].incumbent?.id == id,
                        let timeout = pool.policy.watchdogTimeout
                    else { return }
                    pool.slots[slot].incumbent?.claims?.watchdogAt = now + timeout
                    pool.refresh(slot, at: now)
                }
            case (.countLostTimeAsStandstill, .late(let span)):
                func back(_ instant: Instant) -> Instant {
                    Instant(nanoseconds: instant.nanoseconds - span.nanoseconds)
                }
                for index in service.members.indices {
                    for wait in service.members[index].pool.queueWaits.indices {
                        let since = service.members[index].pool.queueWaits[wait].since
                        service.members[index].pool.queueWaits[wait].since = back(since)
                    }
                }
                eachSlot { pool, slot in
                    guard let serving = pool.slots[slot].incumbent?.serving else { return }
                    pool.slots[slot].incumbent?.serving?.progressAt = back(serving.progressAt)
                }
            default: break
            }
        }

        private mutating func believe(_ knowsContract: Bool, of id: WorkerID) {
            eachSlot { pool, slot in
                if pool.slots[slot].incumbent?.id == id {
                    pool.slots[slot].incumbent?.claims?.knowsContract = knowsContract
                }
                if pool.slots[slot].replacement?.id == id {
                    pool.slots[slot].replacement?.claims?.knowsContract = knowsContract
                }
            }
        }

        mutating func eachLeaving(_ change: (inout Worker) -> Void) {
            eachSlot { pool, slot in
                for place in pool.slots[slot].leaving.indices {
                    change(&pool.slots[slot].leaving[place])
                }
            }
        }

        private mutating func changeDraining(
            at now: Instant, _ change: (inout Draining?) -> Void
        ) {
            eachSlot { pool, slot in
                for place in pool.slots[slot].leaving.indices {
                    guard pool.slots[slot].leaving[place].draining != nil else { continue }
                    change(&pool.slots[slot].leaving[place].draining)
                    pool.refresh(slot, at: now)
                }
            }
        }

        private mutating func waitAhead(
            of cause: RecycleCause, until end: Instant, at now: Instant
        ) {
            changeDues(at: now) { due in
                if due?.cause == cause, due?.aheadUntil != nil { due?.aheadUntil = end }
            }
        }

        private mutating func changeDues(at now: Instant, _ change: (inout Slot.Due?) -> Void) {
            eachSlot { pool, slot in
                guard pool.slots[slot].due != nil else { return }
                change(&pool.slots[slot].due)
                pool.refresh(slot, at: now)
            }
        }
    }
#endif
