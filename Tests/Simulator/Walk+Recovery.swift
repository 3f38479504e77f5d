import SuperviseCore

/// Walks without faults: to openings, and from any state back to full strength, to the stop and the
/// exit.
extension Walk {
    private static var mostTurns: Int { 2_000 }

    /// Continues until the scene's opening.
    mutating func open() {
        var isReloaded = false
        for _ in 0..<Self.mostTurns where !isOver && !isOpen {
            if scene.opening > .whole, isWhole, !isReloaded {
                isReloaded = true
                // The workers are stable, and no lifetime has ended.
                take(nextDeadline == nil ? .timePasses : .halfTimePasses)
                take(.reload)
            } else {
                take(nextGood ?? .timePasses)
            }
        }
        if !isOpen { violate("an opening is reached", ledger.strength) }
    }

    private var isOpen: Bool {
        switch scene.opening {
        case .cold: true
        case .whole: isWhole
        case .trial: ledger.pools[0].canary.flatMap(ledger.worker)?.serves == true
        case .rolling: ledger.generation == 2
        }
    }

    /// Whether no worker is missing, not even one whose lifetime ended.
    private var isWhole: Bool {
        ledger.isAtFullStrength && ledger.pools.allSatisfy { $0.covered >= $0.expected }
    }

    /// Workers that were asked to stop before, and those that boot, end only by SIGKILL. All others
    /// behave correctly. The pool must return to full strength in time, then stop in time.
    package mutating func recover() {
        guard !isOver else { return }
        for place in world.present.indices {
            let process = world.present[place]
            world.present[place].memory = .usual
            world.present[place].isStuck =
                process.isStopping || process.isDraining || process.hasAnnounced || process.hasEnded
                || process.hasExecuted && !process.isWaiting
        }
        world.isBesieged = world.isClosed
        world.isQueueing = false
        finishTurn()
        if !isOver, ledger.pools[0].stage == .parked { take(.resize(1)) }
        var limit = now + (ledger.stopWasRequested ? scene.stopBound : scene.recoveryBound)
        for _ in 0..<Self.mostTurns where !isOver {
            if ledger.stopWasRequested || ledger.givenUp != nil {
                if now > limit { violate("a stop ends", "processes are left") }
            } else if isWhole {
                limit = now + scene.stopBound
                take(.stop(.graceful))
                continue
            } else if now > limit {
                violate("a healed service comes back to full strength", ledger.strength)
            }
            guard let next = nextGood ?? (nextDeadline == nil ? nil : .timePasses) else {
                return violate("a deadline is always pending", "nothing happens")
            }
            take(next)
        }
        if !isOver { violate("a run ends", "the run continues") }
    }

    /// The next action of a process that behaves correctly.
    private var nextGood: Stimulus? {
        for place in world.present.indices {
            let process = world.present[place]
            if process.isKilled { return process.hasEnded ? .treeEnds(place) : .crashes(place) }
            if process.isStuck { continue }
            if process.hasEnded, !process.isStopping, !process.isDraining { continue }
            if process.isDraining, process.sample != nil { return .isDrained(place) }
            if process.isDraining { continue }
            if process.hasEnded { return .treeEnds(place) }
            if process.isInspected { return .hasEvidence(place) }
            if !process.hasExecuted { return .runs(place) }
            if process.isStopping || process.hasAnnounced { return .finishes(place) }
            if !process.isWaiting { return .getsReady(place) }
        }
        return world.isClosed && world.awaitsSample && !world.isBesieged ? .empties : nil
    }
}

extension Scene.Opening: Comparable {
    package static func < (a: Scene.Opening, b: Scene.Opening) -> Bool {
        let all = allCases
        return (all.firstIndex(of: a) ?? 0) < (all.firstIndex(of: b) ?? 0)
    }
}
