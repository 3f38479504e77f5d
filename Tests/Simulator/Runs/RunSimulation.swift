import SuperviseCore

/// Simulates a service with a scheduled pool and checks the invariants of its runs at every step.
/// The calendar, which is the caller's part, is an interval that a change of the clock shifts.
package struct RunSimulation<M: Machine> {
    private let schedule: RunSchedule
    private var world: World
    package private(set) var machine: M
    private var ledger = RunLedger()
    private var now = Instant(nanoseconds: 0)
    private var violation: Violation?
    private var exitCode: Int32?
    private var requests: ArraySlice<Int>
    private var clockChanges: ArraySlice<(at: Int, nextIn: Int)>
    /// The configurations of the last reload request, and of the reload that is not decided yet.
    private var requested: [Service.Plan] = []
    private var pending: [Service.Plan]?
    /// The numbers of runs that started, that were skipped, and that ended with each outcome.
    package private(set) var starts = 0
    package private(set) var skips = 0
    package private(set) var outcomes: [RunOutcome: Int] = [:]
    private var steps = 0

    package init(_ schedule: RunSchedule, of machine: M) {
        self.schedule = schedule
        self.machine = machine
        world = World(schedule.base)
        requests = schedule.requests[...]
        clockChanges = schedule.clockChanges[...]
        ledger.configure(schedule.base.pools, numbers: numbers)
    }

    /// The numbers of the configured pools.
    private var numbers: [String: Int] {
        var numbers: [String: Int] = [:]
        for member in machine.service.members where !member.isRemoved {
            numbers[member.name] = member.pool.number
        }
        return numbers
    }

    package mutating func run() -> Violation? {
        send(.start)
        let stopAt = Instant(milliseconds: schedule.stopAt)
        let limit = stopAt + .seconds(60)
        while violation == nil, exitCode == nil {
            var next = [world.nextAt, machine.nextDeadline, limit].compactMap { $0 }
            if !ledger.isStopping { next.append(stopAt) }
            next += requests.prefix(1).map { Instant(milliseconds: $0) }
            next += clockChanges.prefix(1).map { Instant(milliseconds: $0.at) }
            let rested = now
            now = max(now, next.min() ?? limit, world.stalledUntil)
            if now >= limit || steps > 200_000 { violate(.terminates, "it does not end") }
            turn(since: rested, stopAt: stopAt)
        }
        if violation == nil, let left = world.present.first {
            violate(.terminates, "\(left) is left")
        }
        return violation
    }

    /// Runs one turn of the master's loop: all pending events, then the deadlines.
    private mutating func turn(since rested: Instant, stopAt: Instant) {
        if let deadline = machine.nextDeadline, now - deadline > .milliseconds(500) {
            for index in ledger.runs.indices {
                ledger.runs[index].lost = ledger.runs[index].lost + (now - rested)
            }
            send(.late(by: now - rested))
        }
        while exitCode == nil, violation == nil, let events = world.advance(to: now) {
            for event in events where exitCode == nil { send(event) }
        }
        while let at = requests.first, Instant(milliseconds: at) <= now {
            requests.removeFirst()
            for pool in ledger.policies.keys.sorted() where exitCode == nil {
                ledger.permitted.insert(pool)
                send(.run(pool: pool, .requested))
            }
        }
        while let change = clockChanges.first, Instant(milliseconds: change.at) <= now {
            clockChanges.removeFirst()
            for (pool, run) in ledger.planned.sorted(by: { $0.key < $1.key }) where run.at > now {
                plan(pool, in: .milliseconds(Int64(change.nextIn)))
            }
        }
        if now >= stopAt, !ledger.isStopping, exitCode == nil { send(.stop(schedule.base.haste)) }
        for _ in 0..<4 {
            guard exitCode == nil, violation == nil, let deadline = machine.nextDeadline,
                deadline <= now
            else { break }
            send(.deadline)
        }
        if violation == nil, exitCode == nil { checkTurn() }
    }

    /// Passes an event to the machine, performs its actions and checks them.
    private mutating func send(_ event: Service.Event) {
        steps += 1
        prepare(for: event)
        var planRequests: Set<Int> = []
        for action in machine.handle(event, at: now) where violation == nil {
            if case .perform(.planRun(let pool, _)) = action { planRequests.insert(pool) }
            observe(action)
            world.perform(action, at: now)
        }
        guard violation == nil else { return }
        if let lost = ledger.owed.first { violate(.noneIsLost, "that of pool \(lost) is") }
        checkEnd(after: event)
        ledger.permitted = []
        for pool in ledger.unplanned.sorted() where violation == nil {
            guard planRequests.contains(pool) else {
                return violate(.nextIsPlanned, "that of pool \(pool) was not requested")
            }
            plan(pool, in: .milliseconds(Int64(schedule.interval)))
        }
    }

    private mutating func plan(_ pool: Int, in span: TimeSpan) {
        ledger.unplanned.remove(pool)
        let run = PlannedRun(at: now + span)
        ledger.planned[pool] = run
        send(.run(pool: pool, .planned(run)))
    }

    private mutating func prepare(for event: Service.Event) {
        switch event {
        case .stop, .stopSignal: ledger.stop()
        case .reload(let plans): requested = plans
        case .park: ledger.isParked = true
        case .resize(_, let change): if change > 0 { ledger.isParked = false }
        case .deadline:
            for (pool, run) in ledger.planned where run.at <= now {
                ledger.planned[pool] = nil
                ledger.owed.insert(pool)
                ledger.permitted.insert(pool)
                ledger.unplanned.insert(pool)
            }
        case .start, .late, .worker, .mold, .sampled, .memoryLimit, .recycle, .listeners, .run,
            .setBounds, .connectionAnnounced, .hunt:
            break
        }
    }

    private mutating func violate(_ invariant: RunInvariant, _ detail: String) {
        guard violation == nil else { return }
        violation = Violation(invariant: invariant.rawValue, detail: detail, at: now)
    }
}

/// The checks of actions.
extension RunSimulation {
    private mutating func observe(_ action: Service.Action) {
        switch action {
        case .exit(let code): exitCode = code
        case .perform(.start(let id, _)): observeStart(of: id)
        case .perform(.kill(let id)):
            if let index = ledger.index(of: id) { ledger.runs[index].isKilled = true }
        case .perform(.note(let notice)): observe(notice)
        case .perform, .activate, .discard, .closeListeners, .releaseListeners, .sampleListeners:
            break
        }
    }

    private mutating func observeStart(of id: WorkerID) {
        if ledger.removed.contains(id.pool) { violate(.noneOfARemovedPool, "\(id)") }
        guard let policy = ledger.policies[id.pool] else { return }
        if ledger.isStopping || ledger.isParked { violate(.noneWhileStopping, "\(id)") }
        let others = world.present.filter { $0.pool == id.pool || ledger.index(of: $0) != nil }
        if let other = others.first { violate(.neverTwoRuns, "\(id) beside \(other)") }
        let isQueued = ledger.queued.remove(id.pool) != nil
        if !isQueued, ledger.permitted.remove(id.pool) == nil {
            violate(.startsOnlyWhenDue, "\(id)")
        }
        ledger.owed.remove(id.pool)
        ledger.runs.append(RunLedger.Run(id: id, startedAt: now, policy: policy))
        starts += 1
    }

    private mutating func observe(_ notice: Notice) {
        switch notice {
        case .givingUp: ledger.stop()
        case .reloadBegun: pending = requested
        case .reloadAborted: pending = nil
        case .retiring(let id, let cause, _): observeStop(of: id, cause)
        case .run(.skipped(let pool, _, let reason, _, _)):
            skips += 1
            ledger.owed.remove(pool)
            if reason == .parked { ledger.queued.remove(pool) }
            let isFree = !world.present.contains { $0.pool == pool }
            if reason == .overlap, isFree { violate(.noneIsLost, "pool \(pool) was free") }
        case .run(.queued(let pool, _, _, _)):
            ledger.owed.remove(pool)
            ledger.queued.insert(pool)
        case .run(.ended(let record)): observeEnd(record)
        case .reloadCommitted:
            if let plans = pending { ledger.configure(plans, numbers: numbers) }
            pending = nil
        default: break
        }
    }

    private mutating func observeStop(of id: WorkerID, _ cause: RetireCause) {
        guard let index = ledger.index(of: id) else { return }
        ledger.runs[index].isRetired = true
        ledger.runs[index].graceFrom = now
        if ledger.runs[index].isWorker { return }
        switch cause {
        case .recycle(.reload), .superseded, .scaledDown:
            violate(.reloadsSpareRuns, "\(id) stops for \(cause.name)")
        case .stop where !ledger.isStopping:
            violate(.reloadsSpareRuns, "\(id) stops with its pool")
        default: break
        }
    }

    private mutating func observeEnd(_ record: RunRecord) {
        guard let index = ledger.index(of: record.id), !ledger.runs[index].isEnded else {
            return violate(.endsAreReported, "\(record.id) did not run, or twice")
        }
        let run = ledger.runs[index]
        ledger.runs[index].isEnded = true
        ledger.runs[index].graceFrom = run.graceFrom ?? now
        outcomes[record.outcome, default: 0] += 1
        let isTrue =
            switch record.outcome {
            case .success: record.status == .code(0)
            case .timeout: now - run.startedAt >= run.policy.maxLifetime ?? .zero && run.isRetired
            case .stopped: run.isRetired
            case .failure: run.isRetired || record.status != .code(0)
            }
        if !isTrue { violate(.endsAreReported, "\(record.id) is no \(record.outcome)") }
    }

    /// Checks that the end of a run's process was reported.
    private mutating func checkEnd(after event: Service.Event) {
        guard case .worker(let id, let news) = event, let index = ledger.index(of: id) else {
            return
        }
        switch news {
        case .exited, .startFailed:
            if !ledger.runs[index].isEnded { violate(.endsAreReported, "\(id) was not") }
        default: break
        }
    }

    /// Checks what holds at the end of each turn.
    private mutating func checkTurn() {
        let armed = machine.nextDeadline ?? Instant(nanoseconds: .max)
        for (pool, run) in ledger.planned where run.at > now && armed > run.at {
            violate(.nextIsPlanned, "no timer for pool \(pool)")
        }
        for pool in ledger.queued where !ledger.isParked {
            if !world.present.contains(where: { $0.pool == pool }) {
                violate(.queuedOnesStart, "pool \(pool) is free")
            }
        }
        ledger.runs.removeAll { !world.present.contains($0.id) }
        for run in ledger.runs where !run.isWorker {
            let longest = run.policy.maxLifetime ?? .seconds(1_000_000)
            if !run.isRetired, !run.isEnded, now - run.startedAt >= longest {
                violate(.endsAtItsDeadline, "\(run.id) does not")
            }
            let grace = max(run.policy.gracefulTimeout, .seconds(2)) + run.lost + run.lost
            if let since = run.graceFrom, !run.isKilled, now - since > grace + .seconds(1) {
                violate(.diesAfterItsGrace, "\(run.id) does")
            }
        }
    }
}
