import SuperviseCore

/// The simulated machine: the production service, or one with a planted bug.
package protocol Machine {
    mutating func handle(_ event: Service.Event, at now: Instant) -> [Service.Action]
    var nextDeadline: Instant? { get }
    var service: Service { get }
}

extension Service: Machine {
    package var service: Service { self }
}

extension Schedule {
    /// The production service.
    package var service: Service { Service(pools, seed: seed) }

    package func run(isTracing: Bool = false) -> Outcome {
        var simulation = Simulation(self, of: service, isTracing: isTracing)
        return simulation.run()
    }
}

/// A broken invariant.
package struct Violation: Equatable, Sendable, CustomStringConvertible {
    package var invariant: String
    package var detail: String
    package var at: Instant

    package var description: String {
        "\(invariant): \(detail) (at \((at - Instant(nanoseconds: 0)).seconds) s)"
    }
}

/// How a run ended.
package struct Outcome: Equatable, Sendable {
    package var violation: Violation?
    package var exitCode: Int32?
    package var steps: Int
    package var trace: [String]
}

/// One run: faults and safety, then healing and liveness, then the stop and the exit. All
/// invariants are checked at every step.
package struct Simulation<M: Machine> {
    private let schedule: Schedule
    private var world: World
    package private(set) var machine: M
    private var ledger: Ledger
    private var now = Instant(nanoseconds: 0)
    private var steps = 0
    private var violation: Violation?
    private var hasSeenHealing = false
    /// The deadline of the current phase.
    private var limit = Instant(nanoseconds: .max)
    private let isTracing: Bool
    private var trace: [String] = []

    package init(_ schedule: Schedule, of machine: M, isTracing: Bool = false) {
        self.schedule = schedule
        self.machine = machine
        self.isTracing = isTracing
        world = World(schedule)
        ledger = Ledger(schedule.pools)
    }

    package mutating func run() -> Outcome {
        send(.start)
        while violation == nil, ledger.exitCode == nil { turn() }
        if violation == nil, let left = world.present.first {
            violate("nothing is left at the end", "\(left) is left")
        }
        return Outcome(
            violation: violation, exitCode: ledger.exitCode, steps: steps, trace: trace)
    }

    /// Runs one turn of the master's loop: all pending events, then the deadlines.
    private mutating func turn() {
        guard let next = [world.nextAt, machine.nextDeadline].compactMap({ $0 }).min() else {
            return advanceQuiet()
        }
        let restedAt = now
        now = max(now, next, world.stalledUntil)
        reportLostTime(since: restedAt)
        while violation == nil, ledger.exitCode == nil, let events = world.advance(to: now) {
            if steps > 400_000 { violate("a run comes to an end", "it goes on at one moment") }
            for event in events where ledger.exitCode == nil { send(event) }
        }
        var rounds = 0
        while rounds < 4, ledger.exitCode == nil, violation == nil,
            let deadline = machine.nextDeadline, deadline <= now
        {
            send(.deadline)
            rounds += 1
        }
        guard violation == nil else { return }
        ledger.deadlinesHandledAt = now
        check(Invariant.ofTurns)
        if steps > 400_000 { violate("a run comes to an end", "\(steps) steps were not enough") }
        advancePhase()
    }

    /// Reports lost time as the master does: a turn half a second after a deadline was prevented
    /// from running.
    private mutating func reportLostTime(since restedAt: Instant) {
        guard let deadline = machine.nextDeadline, now - deadline > .milliseconds(500) else {
            return
        }
        send(.late(by: now - restedAt))
    }

    /// Handles an empty agenda: the service is complete and idle, or stuck.
    private mutating func advanceQuiet() {
        let steps = steps
        advancePhase()
        if self.steps == steps, violation == nil {
            violate("something is always to come", "nothing happens any more")
        }
    }

    private mutating func send(_ event: Service.Event) {
        guard violation == nil else { return }
        steps += 1
        ledger.inFlight = world.truths
        ledger.waitingPools = world.waitingPools(at: now)
        ledger.record(event, at: now)
        let actions = machine.handle(event, at: now)
        if isTracing { trace.append("\(now.nanoseconds) \(event) -> \(actions)") }
        for action in actions {
            if let broken = Invariant.broken(by: action, in: ledger) {
                return violate(broken.name, broken.detail)
            }
            ledger.record(action)
            world.perform(action, at: now)
        }
        ledger.finishStep()
        check(Invariant.ofSteps)
    }

    private mutating func check(_ invariants: [Invariant.LookCheck]) {
        guard ledger.exitCode == nil else { return }
        if let broken = Invariant.broken(invariants, in: ledger, of: machine.service) {
            violate(broken.name, broken.detail)
        }
    }

    private mutating func violate(_ invariant: String, _ detail: String) {
        guard violation == nil else { return }
        violation = Violation(invariant: invariant, detail: detail, at: now)
    }

    private mutating func advancePhase() {
        guard world.isHealed, violation == nil, ledger.exitCode == nil else { return }
        if !hasSeenHealing {
            hasSeenHealing = true
            let bound = ledger.stopWasRequested ? schedule.stopBound : schedule.recoveryBound
            limit = now + bound
            if let parked = ledger.pools.firstIndex(where: { $0.stage == .parked }) {
                send(.resize(pool: parked, by: 1))
            }
        } else if ledger.stopWasRequested || ledger.givenUp != nil {
            if now > limit { violate("a stop comes to an end", "processes are left") }
        } else if ledger.isAtFullStrength {
            limit = now + schedule.stopBound
            send(.stop(schedule.haste))
        } else if now > limit {
            violate("a healed service comes back to full strength", ledger.strength)
        }
    }
}

extension Ledger {
    /// Checks what is known only after all actions of an event.
    mutating func finishStep() {
        guard trial != nil else { return }
        for number in pools.indices where pools[number].trial != nil {
            if pools[number].covered == 0 { pools[number].hadNoWorker = true }
        }
    }

    /// Every pool has all its workers, and no reload is in progress. If lifetimes end, the budget
    /// limits the number of missing workers.
    var isAtFullStrength: Bool {
        trial == nil
            && pools.allSatisfy { pool in
                guard pool.isKept else { return true }
                let missing = pool.policy.maxLifetime == nil ? 0 : pool.budget.unavailable
                let isCurrent = pool.slots.allSatisfy { slot in
                    slot.workers.allSatisfy { $0.generation == generation || missing > 0 }
                }
                return pool.stage == .running && pool.covered >= pool.expected - missing
                    && isCurrent
            }
    }

    var strength: String {
        let pools = pools.map { "\($0.name): \($0.covered) of \($0.expected), \($0.stage)" }
        return "\(pools.joined(separator: ", ")), trial \(trial?.generation ?? 0)"
    }
}

extension Schedule {
    private var plans: [Service.Plan] {
        faults.reduce(into: pools) { plans, timed in
            if case .reload(let more, _) = timed.fault { plans += more }
        }
    }

    private var programs: [Program] {
        faults.reduce(into: [program]) { programs, timed in
            if case .reload(_, let program) = timed.fault { programs.append(program) }
        }
    }

    private func longest(_ span: KeyPath<PoolPolicy, TimeSpan>) -> TimeSpan {
        plans.map { $0.policy[keyPath: span] }.max() ?? .zero
    }

    /// The longest time of a stop: the graceful timeout, and the time until processes end after
    /// SIGKILL.
    var stopBound: TimeSpan {
        let slack = programs.map { $0.linger + $0.late + $0.exec }.max() ?? 0
        let delays = faults.map { timed in
            if case .stall(let time) = timed.fault { return time }
            if case .suspend(let time) = timed.fault { return time }
            if case .extend(_, _, let time) = timed.fault { return time }
            return 0
        }
        return longest(\.gracefulTimeout) + longest(\.drainDelay) + .seconds(5)
            + .milliseconds(Int64(3 * slack + (delays.max() ?? 0)))
    }

    /// The longest time until a healed service is complete. Hung workers time out and the last
    /// backoff ends. Then each slot may need several replacements in turn, first for the reload and
    /// then for earlier causes.
    var recoveryBound: TimeSpan {
        // A resize may have added a few.
        let workers = 3 * (plans.map(\.policy.workers).max() ?? 0) + 12
        let boot = TimeSpan.milliseconds(Int64(programs.map(\.boot).max() ?? 0))
        let one = longest(\.maxHold) + boot + stopBound + .seconds(6)
        let each = TimeSpan(nanoseconds: one.nanoseconds * Int64(workers))
        let backoff = longest(\.backoffMax)
        let watchdog = plans.compactMap(\.policy.watchdogTimeout).max() ?? .zero
        // First workers boot in turns.
        let turns = TimeSpan(nanoseconds: longest(\.readyTimeout).nanoseconds * Int64(workers))
        // A mold that hangs is waited for, and then the next one boots.
        let mold = TimeSpan.milliseconds(Int64(programs.map(\.moldBoot).max() ?? 0))
        return longest(\.readyTimeout) + longest(\.readyTimeout) + mold + turns + watchdog
            + backoff + backoff + each
    }
}
