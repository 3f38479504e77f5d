import SuperviseCore

/// One sequence in a small pool, step by step: the machine, its world and the ledger that records
/// it. It is a value, so that copies can continue differently.
package struct Walk<M: Machine & Equatable> {
    let scene: Scene
    private(set) var machine: M
    var world = SmallWorld()
    private(set) var ledger: Ledger
    private(set) var now = Instant(nanoseconds: 0)
    /// Whether a deadline has passed that was not reported to the machine yet.
    private var isLate = false
    package private(set) var violation: Violation?

    /// Starts at the scene's opening.
    package init(_ scene: Scene, of machine: M) {
        self.scene = scene
        self.machine = machine
        ledger = Ledger([scene.plan])
        send(.start)
        finishTurn()
        open()
    }

    package var exitCode: Int32? { ledger.exitCode }
    /// Whether nothing can follow.
    package var isOver: Bool { exitCode != nil || violation != nil }
    var nextDeadline: Instant? { machine.nextDeadline }

    /// Runs one turn of the master's loop: the stimulus, then the reached deadlines.
    package mutating func take(_ stimulus: Stimulus) {
        switch stimulus {
        case .timePasses: now = nextDeadline ?? now + scene.plan.policy.stableAfter
        case .halfTimePasses:
            let span = (nextDeadline ?? now) - now
            now = now + TimeSpan(nanoseconds: span.nanoseconds / 2)
        case .oversleeps:
            now = (nextDeadline ?? now) + .milliseconds(40)
            isLate = true
            return
        case .freezes:
            let restedAt = now
            now = (nextDeadline ?? now) + .milliseconds(640)
            send(.late(by: now - restedAt))
        case .runs, .isRefused, .isMissing, .getsReady, .servesOne, .serves, .grows, .bursts,
            .asks, .holds, .announces, .beats, .triggers, .extends, .finishes, .crashes,
            .leavesProcesses, .treeEnds, .repeatsEnd, .hasEvidence, .isDrained, .isUndrainable,
            .reuses,
            .empties, .queueFills,
            .queueEmpties, .reload, .reloadWithOthers, .resize, .park, .stop, .terminates:
            for event in world.happen(stimulus, in: scene) { send(event) }
        }
        finishTurn()
    }

    /// Sends an event to the machine, and the world's responses to its actions in the same turn.
    private mutating func send(_ event: Service.Event) {
        guard !isOver else { return }
        ledger.record(event, at: now)
        var answers: [Service.Event] = []
        for action in machine.handle(event, at: now) {
            if let broken = Invariant.broken(by: action, in: ledger) {
                return violate(broken.name, broken.detail)
            }
            ledger.record(action)
            answers += world.perform(action)
        }
        ledger.finishStep()
        check(Invariant.ofSteps)
        for answer in answers { send(answer) }
    }

    /// The invariant that is broken after this sequence, or by the recovery from it.
    package func violation(after sequence: [Stimulus]) -> Violation? {
        var walk = self
        for stimulus in sequence where !walk.isOver { walk.take(stimulus) }
        walk.recover()
        return walk.violation
    }

    mutating func finishTurn() {
        isLate = false
        for _ in 0..<4 {
            guard !isOver, let deadline = nextDeadline, deadline <= now else { break }
            send(.deadline)
        }
        ledger.deadlinesHandledAt = now
        check(Invariant.ofTurns)
        if exitCode != nil, let left = world.present.first {
            violate("nothing is left at the end", "\(left.id) is left")
        }
    }

    private mutating func check(_ invariants: [Invariant.LookCheck]) {
        guard !isOver else { return }
        if let broken = Invariant.broken(invariants, in: ledger, of: machine.service) {
            violate(broken.name, broken.detail)
        }
    }

    mutating func violate(_ invariant: String, _ detail: String) {
        guard violation == nil else { return }
        violation = Violation(invariant: invariant, detail: detail, at: now)
    }
}

/// Two equal walks continue equally, because everything that decides is compared.
extension Walk: Hashable {
    package static func == (a: Walk, b: Walk) -> Bool {
        a.now == b.now && a.isLate == b.isLate && a.world == b.world && a.machine == b.machine
            && a.ledger == b.ledger && a.violation == b.violation && a.scene === b.scene
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(now)
        hasher.combine(isLate)
        hasher.combine(world)
        hasher.combine(nextDeadline)
    }
}

/// The possible next stimuli.
extension Walk {
    package var stimuli: [Stimulus] {
        guard !isOver else { return [] }
        var stimuli: [Stimulus] = []
        for place in world.present.indices { add(&stimuli, of: place) }
        if world.isClosed, world.awaitsSample { stimuli.append(.empties) }
        if scene.watchesQueue { stimuli.append(world.isQueueing ? .queueEmpties : .queueFills) }
        if world.lastEnded != nil { stimuli.append(.repeatsEnd) }
        addOperator(&stimuli)
        // A late turn begins with another event.
        guard !isLate else { return stimuli }
        stimuli.append(.timePasses)
        if let nextDeadline, nextDeadline - now > .milliseconds(1) {
            stimuli += [.halfTimePasses, .oversleeps]
            if scene.isGuarded { stimuli.append(.freezes) }
        }
        return stimuli
    }

    private func add(_ stimuli: inout [Stimulus], of place: Int) {
        let process = world.present[place]
        if process.isDraining, process.sample != nil {
            stimuli += [.isDrained(place), .isUndrainable(place)]
            if !process.hasReused { stimuli.append(.reuses(place)) }
        }
        guard !process.hasEnded else { return stimuli.append(.treeEnds(place)) }
        if process.isKilled {
            stimuli.append(.crashes(place))
            if process.hasExecuted { return }
        }
        guard process.hasExecuted else {
            stimuli += [.runs(place), .isRefused(place), .isMissing(place)]
            return
        }
        stimuli += [.finishes(place), .crashes(place), .leavesProcesses(place)]
        let isGoing = process.isStopping || process.isDraining || process.hasAnnounced
        if scene.isGuarded, !process.hasExtended { stimuli.append(.extends(place)) }
        if scene.hasCaps, process.memory < .huge { stimuli.append(.bursts(place)) }
        guard !isGoing else { return }
        if scene.hasCaps, process.memory < .large { stimuli.append(.grows(place)) }
        if process.isInspected { stimuli.append(.hasEvidence(place)) }
        if !process.isWaiting { stimuli.append(.getsReady(place)) }
        if process.nextMark != nil {
            if process.requests == 0 { stimuli.append(.servesOne(place)) }
            stimuli.append(.serves(place))
        }
        if !process.hasAsked { stimuli.append(.asks(place)) }
        if !process.hasHeld { stimuli.append(.holds(place)) }
        stimuli.append(.announces(place))
        if scene.hasWatchdogs { stimuli += [.beats(place), .triggers(place)] }
    }

    private func addOperator(_ stimuli: inout [Stimulus]) {
        let pool = ledger.pools[0]
        switch pool.stage {
        case .running where ledger.stopWasRequested:
            stimuli += [.stop(.graceful), .stop(.quick), .resize(1), .park, .reload]
        case .running:
            // The removed slots of a pool that finishes its work cannot be observed.
            if pool.policy.restart == .always {
                if pool.target > 1 { stimuli.append(.resize(-1)) }
                if pool.target <= scene.workers { stimuli.append(.resize(1)) }
            }
            stimuli += [.park, .reload, .reloadWithOthers, .stop(.graceful), .stop(.quick)]
            stimuli.append(.terminates)
        case .parked: stimuli += [.resize(1), .reload, .stop(.graceful), .stop(.quick)]
        case .stopping(.graceful):
            stimuli += [
                .stop(.graceful), .stop(.quick), .stop(.immediate), .terminates, .reload,
            ]
        case .stopping(.quick): stimuli += [.stop(.graceful), .stop(.immediate)]
        case .stopping(.immediate), .ended: break
        }
    }
}

extension Memory: Comparable {
    static func < (a: Memory, b: Memory) -> Bool { a.rawValue < b.rawValue }
}
