// Planted bugs, which prove that the simulator detects errors. Each is a service that makes one
// kind of wrong decision.
//
// The bugs are made outside the machine, so that production code has no hook for them. `Bugged`
// sits between the simulation and a `Service`. It changes the input (events, settings), the output
// (actions, the next deadline) or, because a debug build can access the core's internals, the state
// of the machine between two events. The simulation's ledger receives the true events and settings,
// as it would if the bug were in the machine's own code.
//
// They are part of this module so that the compiler optimises their simulations.

#if DEBUG
    @testable import SuperviseCore

    /// A kind of wrong decision.
    package enum PlantedBug: String, CaseIterable, Sendable {
        // Signals.
        case sendNoStopSignal
        case sendTheStopSignalTwice
        case sendNoKill
        case killWithTheStopSignal
        case leaveTreesAlone
        case restartTheKillDeadlineOnASecondStop
        case forgetAWorkerWhenStopping
        case countEverySignal
        case countNoSecondSignal
        case stopAtOnceOnASecondInterrupt
        // Draining.
        case skipTheEmptying
        case emptyForEver
        case emptyWithoutAShare
        case ignoreThatItIsEmpty
        case emptyWhoUsesTheContract
        case trustWhoSaysReady
        case neverRelax
        case relaxAtOnce
        case ignoreReuse
        case forgetHowItEnds
        case forgetThatItDrops
        case signalATreeAtItsRequests
        case takeSilenceForIdle
        case takeAnswersForIdle
        case cutOffWhenRelaxed
        case giveUpOnAMissingSample
        case neverSampleAgain
        case sampleTwice
        case interruptNobody
        case interruptForEver
        case believeAnOldSample
        // Starts.
        case startTwice
        case startOneBeyondTheSurge
        case bootAllAtOnce
        case startWhileStopping
        case startTheOldGenerationAfterACommit
        case drawTheLimitTwice
        case ignoreBackoff
        case neverGrowTheBackoff
        case loseAFailedStart
        case loseACancelledStart
        case forgetAPendingStart
        case drainAPendingStart
        case killAPendingStart
        // Molds.
        case forkFromAnotherMold
        case execWithoutNeed
        case startTheMoldTwice
        case leaveMoldsAlone
        case killMoldsAtOnce
        case keepTheMoldOfAPoolThatIsDone
        // Replacement.
        case retireBeforeReady
        case letOneMoreBeMissing
        case countAReplacementTwice
        case forgetHold
        case letMemoryWait
        case ignoreTheStormGuard
        case ignoreTheHardCap
        case forgetRequests
        case forgetAge
        case warnTwice
        case forgetTheEvidence
        case relieveTwoAtOnce
        // Caps and a program's own size.
        case spareWhoServes
        case killWhoIsSpared
        case stayAlarmed
        case killByASmallerShare
        case passTheCanaryUnmeasured
        // Readiness.
        case takeRunningForReady
        case bootForTwiceTheTime
        // Ends.
        case letAStaleExitThrough
        case loseTheEndOfATree
        case alwaysRestart
        case exitBeforeTheLastWorker
        case exitWithZero
        // Reload and resize.
        case skipTheCanary
        case passTheCanaryAtOnce
        case retireBeforeTheCommit
        case resizeByOneMore
        // Comparison of responses.
        case ignoreErrors
        case ignoreOldErrors
        case judgeByFewResponses
        case neverCompareTheCanary
        case doubtForEver
        // Requests without a response.
        case actOnAnOutage
        case ignoreStuckRequests
        case ignoreSlowResponses
        case trustEverySlowResponse
        case waitForStuckRequests
        case abortBesideOthers
        case countLostTimeAsWaiting
        // Closing of listeners.
        case stopWhileSomebodyWaits
        case skipTheDrainDelay
        case leaveADroppedDoorOpen
        case leaveADroppedDoorEarly
        case stopAtTheFirstEmptySample
        case trustWhatIsUnseen
        case forgetThatSomebodyWaits
        case neverSampleListenersAgain
        case holdListenersForEver
        case keepListeners
        // Due workers.
        case forgetWhoIsDue
        case holdForEver
        case holdBeyondMaxHold
        case loseTheThreshold
        case goAtTheThreshold
        case waitForEverForALimit
        case goBeforeTheCap
        case waitForEverForACap
        case believeGrowthForEver
        // Watchdogs.
        case neverArmTheWatchdog
        case holdOldWorkersToANewTimeout
        case watchWhoPromisedNothing
        case ignoreTheTrigger
        case abortWithTheStopSignal
        case killWhoIsAborted
        case extendForEver
        case ignoreExtensions
        // Stalls.
        case neverLookAtTheQueue
        case blameNobody
        case blameWhoWorks
        case blameWhoDoesNotListen
        case forgetThatTheQueueWasEmpty
        case countLostTimeAsStandstill
        // Time.
        case ignoreLostTime
        case giveLostTimeTwice
        case dropADeadline
        case armTheTimerLate
        case armTheTimerOfOnePoolOnly
        case halveTheGrace
        case doubleTheGrace
        // Order.
        case reportBeforeStarting
        case hurryWhoIsSuperseded
    }

    /// A service with a planted bug.
    package struct Bugged: Machine, Equatable {
        package var service: Service
        let bug: PlantedBug
        private var count = 0
        /// The workers that have ever raised an alarm.
        var alarmed: [WorkerID] = []
        /// The workers whose program does not run yet, or whose start failed.
        var pendingStarts: Set<WorkerID> = []

        package init(_ bug: PlantedBug, _ schedule: Schedule) {
            self.bug = bug
            service = Service(Bugged.spoil(schedule.pools, by: bug), seed: schedule.seed)
        }

        package var nextDeadline: Instant? {
            switch bug {
            case .armTheTimerLate: service.nextDeadline.map { $0 + .milliseconds(700) }
            case .armTheTimerOfOnePoolOnly: service.members.first?.pool.nextDeadline
            default: service.nextDeadline
            }
        }

        package mutating func handle(_ event: Service.Event, at now: Instant) -> [Service.Action] {
            count += 1
            if case .worker(let id, .running) = event { pendingStarts.remove(id) }
            let before = service.haste
            var actions: [Service.Action] = []
            for event in spoiled(event) { actions += service.handle(event, at: now) }
            confuse(after: event, hasteBefore: before, at: now)
            confuseTime(after: event, at: now)
            confuseMemory(at: now)
            confuseSamples(after: event, at: now)
            confuseRequests(at: now)
            actions += meddle(after: event, at: now)
            for case .perform(.start(let id, _)) in actions { pendingStarts.insert(id) }
            if bug == .exitBeforeTheLastWorker, case .stop = event { actions.append(.exit(0)) }
            return reordered(actions.flatMap { spoiled($0, after: event) })
        }
    }

    /// The input.
    extension Bugged {
        private static func spoil(_ plans: [Service.Plan], by bug: PlantedBug) -> [Service.Plan] {
            plans.map { plan in
                var plan = plan
                spoil(&plan.policy, by: bug)
                if bug == .leaveADroppedDoorOpen { plan.dropsListeners = false }
                return plan
            }
        }

        private static func spoil(_ policy: inout PoolPolicy, by bug: PlantedBug) {
            func times(_ span: TimeSpan, _ numerator: Int64, _ denominator: Int64) -> TimeSpan {
                TimeSpan(nanoseconds: span.nanoseconds * numerator / denominator)
            }
            let budget = Budget(of: policy, workers: policy.workers)
            switch bug {
            case .bootAllAtOnce: policy.bootParallel = .max
            case .startOneBeyondTheSurge: policy.maxSurge = .count(budget.surge + 1)
            case .letOneMoreBeMissing: policy.maxUnavailable = .count(budget.unavailable + 1)
            case .ignoreBackoff: policy.backoff = .zero
            case .neverGrowTheBackoff: policy.backoffMax = policy.backoff
            case .ignoreTheStormGuard: policy.minLifetime = .zero
            case .ignoreTheHardCap: policy.killRSSBytes = nil
            case .forgetAge: policy.maxLifetime = nil
            case .bootForTwiceTheTime: policy.readyTimeout = times(policy.readyTimeout, 2, 1)
            case .skipTheDrainDelay: policy.drainDelay = .zero
            case .holdBeyondMaxHold: policy.maxHold = times(policy.maxHold, 10, 1)
            case .alwaysRestart: policy.restart = .always
            case .halveTheGrace: policy.gracefulTimeout = times(policy.gracefulTimeout, 1, 2)
            case .doubleTheGrace: policy.gracefulTimeout = times(policy.gracefulTimeout, 2, 1)
            default: break
            }
        }

        private mutating func spoiled(_ event: Service.Event) -> [Service.Event] {
            switch (bug, event) {
            case (_, .reload(let plans)): return [.reload(Bugged.spoil(plans, by: bug))]
            case (.stopWhileSomebodyWaits, .stop(.graceful)):
                return [event] + service.members.map { .listeners(pool: $0.pool.number, .none) }
            case (.forgetHold, .worker(_, .hold)): return []
            case (.forgetRequests, .worker(let id, .moreRequests(let more))):
                return [.worker(id, .requests(more))]
            case (.takeRunningForReady, .worker(let id, .running)):
                return [event, .worker(id, .ready)]
            case (.loseTheEndOfATree, .worker(_, .treeGone)): return []
            case (.loseAFailedStart, .worker(_, .startFailed(let failure))):
                return failure.isTransient ? [event] : []
            case (.loseACancelledStart, .worker(let id, .startFailed)):
                let worker = service.member(id.pool)?.pool.worker(id)
                return worker?.retirement == nil ? [event] : []
            case (.resizeByOneMore, .resize(let pool, let change)):
                return [.resize(pool: pool, by: change + 1)]
            case (.dropADeadline, .deadline): return count / 8 % 4 == 3 ? [] : [event]
            case (.letAStaleExitThrough, .worker(let id, .exited(let status, let leavesTree))):
                guard let pool = service.member(id.pool)?.pool, pool.worker(id) == nil,
                    pool.slots.indices.contains(id.slot), let now = pool.slots[id.slot].incumbent
                else { return [event] }
                return [.worker(now.id, .exited(status, leavesTree: leavesTree))]
            case (_, .sampled(let pool, let sample)) where sample.requests != nil:
                return spoiledRequests(sample, ofPool: pool)
            case (_, .sampled(let pool, let sample)) where sample.responses != nil:
                return [.sampled(pool: pool, spoiledResponses(sample, ofPool: pool))]
            case (_, .listeners), (_, .worker(_, .connectionSample)): return [spoiledSample(event)]
            default: return spoiledTime(event)
            }
        }
    }

    /// The state of the machine.
    extension Bugged {
        private mutating func confuse(
            after event: Service.Event, hasteBefore: Haste?, at now: Instant
        ) {
            switch (bug, event) {
            case (.restartTheKillDeadlineOnASecondStop, .stop) where hasteBefore != nil:
                eachSlot { pool, slot in
                    for place in pool.slots[slot].leaving.indices {
                        pool.slots[slot].leaving[place].retirement?.killAt =
                            now + pool.policy.gracefulTimeout
                    }
                    pool.refresh(slot, at: now)
                }
            case (.countAReplacementTwice, _):
                eachSlot { pool, slot in
                    var share = pool.slots[slot].share
                    guard pool.slots[slot].replacement != nil, share.live == 2 else { return }
                    share.live += 1
                    pool.tally.replace(pool.slots[slot].share, by: share)
                    pool.slots[slot].share = share
                }
            case (.letMemoryWait, _):
                eachSlot { pool, slot in
                    guard let due = pool.slots[slot].due, due.cause == .memory else { return }
                    pool.slots[slot].due?.cause = .requested
                    pool.refresh(slot, at: now)
                    pool.slots[slot].due?.cause = .memory
                }
            case (.forgetTheEvidence, _):
                eachSlot { pool, slot in
                    pool.slots[slot].incumbent?.evidence = nil
                    pool.refresh(slot, at: now)
                }
            case (.skipTheCanary, .reload):
                for index in service.members.indices {
                    service.members[index].pool.candidate?.phase = .passed(nil)
                }
            case (.passTheCanaryAtOnce, _):
                for index in service.members.indices {
                    guard case .staying(let id, _) = service.members[index].pool.candidate?.phase
                    else { continue }
                    service.members[index].pool.candidate?.phase = .staying(id, until: now)
                }
            default: break
            }
        }

        mutating func eachSlot(_ change: (inout Pool, Int) -> Void) {
            for index in service.members.indices {
                for slot in service.members[index].pool.slots.indices {
                    change(&service.members[index].pool, slot)
                }
            }
        }
    }
#endif
