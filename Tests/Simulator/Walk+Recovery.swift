import SuperviseCore

/// Nothing goes wrong any more: to openings, and from where a walk led back to full strength, to the
/// stop and the exit.
extension Walk {
    private static var mostTurns: Int { 2_000 }

    /// Goes on until the scene's opening.
    mutating func open() {
        var isReloaded = false
        for _ in 0..<Self.mostTurns where !isOver && !isOpen {
            if scene.opening > .whole, isWhole, !isReloaded {
                isReloaded = true
                // The workers are stable, and no age is due.
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

    /// Nobody is missing for a moment, not even where ages fall due.
    private var isWhole: Bool {
        ledger.isAtFullStrength && ledger.pools.allSatisfy { $0.covered >= $0.expected }
    }

    /// What was told to go so far, and what boots, needs SIGKILL to go; all else does what it should.
    /// The pool has to come back to full strength in time, then to stop in time.
    package mutating func recover() {
        guard !isOver else { return }
        for place in world.present.indices {
            let process = world.present[place]
            world.present[place].memory = .usual
            world.present[place].isStuck =
                process.isTold || process.isDraining || process.hasAnnounced || process.hasEnded
                || process.hasExecuted && !process.isWaiting
        }
        world.isBesieged = world.isShut
        world.isQueueing = false
        finishTurn()
        if !isOver, ledger.pools[0].stage == .parked { take(.resize(1)) }
        var limit = now + (ledger.stopWasTold ? scene.stopBound : scene.recoveryBound)
        for _ in 0..<Self.mostTurns where !isOver {
            if ledger.stopWasTold || ledger.givenUp != nil {
                if now > limit { violate("a stop comes to an end", "processes are left") }
            } else if isWhole {
                limit = now + scene.stopBound
                take(.stop(.graceful))
                continue
            } else if now > limit {
                violate("a healed service comes back to full strength", ledger.strength)
            }
            guard let next = nextGood ?? (nextDeadline == nil ? nil : .timePasses) else {
                return violate("something is always to come", "nothing happens any more")
            }
            take(next)
        }
        if !isOver { violate("a run comes to an end", "it goes on") }
    }

    /// What a process does that does what it should.
    private var nextGood: Stimulus? {
        for place in world.present.indices {
            let process = world.present[place]
            if process.isKilled { return process.hasEnded ? .treeEnds(place) : .crashes(place) }
            if process.isStuck { continue }
            if process.hasEnded, !process.isTold, !process.isDraining { continue }
            if process.isDraining, process.sample != nil { return .isDrained(place) }
            if process.isDraining { continue }
            if process.hasEnded { return .treeEnds(place) }
            if process.isLookedAt { return .hasEvidence(place) }
            if !process.hasExecuted { return .runs(place) }
            if process.isTold || process.hasAnnounced { return .finishes(place) }
            if !process.isWaiting { return .getsReady(place) }
        }
        return world.isShut && world.awaitsSample && !world.isBesieged ? .empties : nil
    }
}

extension Scene.Opening: Comparable {
    package static func < (a: Scene.Opening, b: Scene.Opening) -> Bool {
        let all = allCases
        return (all.firstIndex(of: a) ?? 0) < (all.firstIndex(of: b) ?? 0)
    }
}
