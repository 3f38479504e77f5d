#if DEBUG
    @testable import SuperviseCore

    /// Planted bugs in the runs of a schedule, which prove that the simulation detects errors.
    package enum RunBug: String, CaseIterable, Sendable {
        case startBesideARun
        case startBesideATree
        case startAgainAfterTheEnd
        case startWhileParked
        case startWhileStopping
        case startRunsOfARemovedPool
        case ignoreTheDeadline
        case holdTheDeadline
        case neverKill
        case forgetToPlan
        case forgetTheNextRun
        case postponeTheScheduleByLostTime
        case armTheTimerLate
        case loseADueRun
        case skipWithoutARun
        case forgetTheQueuedRun
        case stopTheRunOfARemovedPool
        case recycleTheRunOnAReload
        case reportNoEnd
        case reportTwoEnds
        case takeEveryEndForSuccess
    }

    /// A service that makes one kind of wrong decision about runs.
    package struct BuggedRuns: Machine {
        package private(set) var service: Service
        private let bug: RunBug

        package init(_ bug: RunBug, _ schedule: RunSchedule) {
            self.bug = bug
            service = schedule.base.service
        }

        package var nextDeadline: Instant? {
            bug == .armTheTimerLate
                ? service.nextDeadline.map { $0 + .milliseconds(700) } : service.nextDeadline
        }

        package mutating func handle(
            _ event: Service.Event, at now: Instant
        ) -> [Service.Action] {
            confuse(before: event, at: now)
            var actions: [Service.Action] = []
            for event in spoiled(event) { actions += service.handle(event, at: now) }
            if bug == .stopTheRunOfARemovedPool { actions += stopRemoved(at: now) }
            confuse(after: event, at: now)
            return actions.flatMap(spoiled)
        }

        private func spoiled(_ event: Service.Event) -> [Service.Event] {
            switch (bug, event) {
            case (.startBesideATree, .worker(let id, .exited(_, leavesTree: true))):
                [event, .worker(id, .treeGone)]
            case (.loseADueRun, .deadline): service.haste == nil ? [] : [event]
            case (.startRunsOfARemovedPool, .run(_, .withdrawn)): []
            default: [event]
            }
        }

        private func spoiled(_ action: Service.Action) -> [Service.Action] {
            guard case .perform(let inner) = action else { return [action] }
            switch (bug, inner) {
            case (.startBesideARun, .note(.run(.skipped(let pool, _, .overlap, _, _)))),
                (.startWhileParked, .note(.run(.skipped(let pool, _, .parked, _, _)))):
                let id = WorkerID(pool: pool, slot: 0, incarnation: 9_999)
                return [.perform(.start(id, StartOrder(generation: 1)))]
            case (.startWhileStopping, .note(.stopping(let pool, _))) where isScheduled(pool):
                let id = WorkerID(pool: pool, slot: 0, incarnation: 9_999)
                return [action, .perform(.start(id, StartOrder(generation: 1)))]
            case (.skipWithoutARun, .start(let id, _)) where isScheduled(id.pool):
                return [
                    .perform(
                        .note(.run(.skipped(pool: id.pool, .schedule, .overlap, nil, age: nil))))
                ]
            case (.ignoreTheDeadline, .note(.retiring(_, .recycle(.lifetime), _))): return []
            case (.neverKill, .kill): return []
            case (.forgetToPlan, .planRun): return []
            case (.reportNoEnd, .note(.run(.ended))): return []
            case (.reportTwoEnds, .note(.run(.ended))): return [action, action]
            case (.takeEveryEndForSuccess, .note(.run(.ended(var record)))):
                record.outcome = .success
                return [.perform(.note(.run(.ended(record))))]
            default: return [action]
            }
        }

        private mutating func stopRemoved(at now: Instant) -> [Service.Action] {
            var actions: [Service.Action] = []
            for index in service.members.indices where service.members[index].isRemoved {
                guard service.members[index].pool.stage == .running else { continue }
                actions += service.members[index].pool.handle(.stop(.graceful), at: now)
                    .map(Service.Action.perform)
            }
            return actions
        }

        private func isScheduled(_ pool: Int) -> Bool {
            service.member(pool)?.pool.isScheduled ?? false
        }

        private mutating func confuse(before event: Service.Event, at now: Instant) {
            switch (bug, event) {
            case (.recycleTheRunOnAReload, .reload): eachPool { $0.policy.runs = nil }
            case (.postponeTheScheduleByLostTime, .late(let span)):
                eachPool { pool in
                    guard let next = pool.runs.next else { return }
                    pool.runs.next = PlannedRun(at: next.at + span)
                }
            case (.holdTheDeadline, .deadline):
                eachPool { pool in
                    for slot in pool.slots.indices {
                        guard let hold = pool.slots[slot].incumbent?.claims?.holdUntil,
                            hold > now
                        else { continue }
                        pool.deadlines.set(slot, hold)
                    }
                }
            default: break
            }
        }

        private mutating func confuse(after event: Service.Event, at now: Instant) {
            switch (bug, event) {
            case (.forgetTheNextRun, .worker(_, .exited)): eachPool { $0.runs.next = nil }
            case (.forgetTheQueuedRun, _): eachPool { $0.runs.queued = nil }
            case (.startAgainAfterTheEnd, .worker(let id, .exited(_, leavesTree: false))):
                eachPool { pool in
                    guard pool.number == id.pool, pool.slots[id.slot].incumbent == nil else {
                        return
                    }
                    pool.slots[id.slot].continuation = .continues
                    pool.refresh(id.slot, at: now)
                }
            case (.startRunsOfARemovedPool, _): eachPool { $0.runs.isWithdrawn = false }
            default: break
            }
        }

        private mutating func eachPool(_ change: (inout Pool) -> Void) {
            for index in service.members.indices where service.members[index].pool.isScheduled {
                change(&service.members[index].pool)
            }
        }
    }
#endif
