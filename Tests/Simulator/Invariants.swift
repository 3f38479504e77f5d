import SuperviseCore

/// A condition that is true at every step of every run. To add one, add a line to `all`: a name,
/// the time of the check, and a function that returns the violation or nil.
package struct Invariant: Sendable {
    enum Check: Sendable {
        /// Before an action is recorded.
        case action(@Sendable (Ledger, Service.Action) -> String?)
        /// After all actions of an event are recorded.
        case step(@Sendable (Ledger, Service) -> String?)
        /// After all events and deadlines of an instant are handled.
        case turn(@Sendable (Ledger, Service) -> String?)
    }

    let name: String
    let check: Check

    static let all: [Invariant] = [
        // Starts.
        Invariant("starts stay within workers and surge", .start(withinSurge)),
        Invariant("first workers boot in turns", .start(bootsInTurns)),
        Invariant("nothing starts in a stopping or parked pool", .start(whileRunning)),
        Invariant("a slot has one worker, and one more to follow it", .start(oneToFollow)),
        Invariant("incarnations are counted", .start(nextIncarnation)),
        Invariant("a start is of the generation in force or a canary", .start(knownGeneration)),
        Invariant("limits are drawn within their jitter", .start(limitWithinJitter)),
        Invariant("a start comes before reports", .start(beforeReports)),
        Invariant("a backoff is honoured", .start(afterBackoff)),
        Invariant("memory overtakes other causes", .start(memoryFirst)),
        Invariant("workers are forked from a warm mold", .start(forksFromTheWarm)),
        Invariant("molds start and end in turn", .action(moldsInTurn)),
        Invariant("a pool that ends leaves no mold", .notice(noMoldIsLeft)),
        Invariant("molds boot and end in time", .turn(moldsNotForEver)),
        Invariant("a pool that is done needs no mold", .turn(doneNeedsNoMold)),
        // Readiness and causes.
        Invariant("ready comes after the start and by the rule asked for", .notice(readyByRule)),
        Invariant("a cause is a fact", .notice(dueForACause)),
        Invariant("one at a time goes for the sake of all", .notice(oneRelief)),
        Invariant("a crossing is warned of once", .notice(oneWarning)),
        Invariant("evidence is waited for, and not for ever", .notice(evidenceFirst)),
        Invariant("an alarm retires nobody", .notice(alarmsRetireNobody)),
        Invariant("a slot is done only where the policy says so", .notice(doneByPolicy)),
        // Retirements.
        Invariant("a worker retires once", .notice(retiresOnce)),
        Invariant("a retirement has its cause", .notice(retiredForACause)),
        Invariant("a replacement is ready or the floor is kept", .notice(floorIsKept)),
        Invariant("a pool that cannot boot is not weakened", .notice(notWhileFailing)),
        Invariant("a hold is honoured", .notice(holdIsHonoured)),
        Invariant("a reload touches nothing before its commit", .notice(transaction)),
        Invariant("all canaries are good before the commit", .notice(canariesAreGood)),
        Invariant("a canary stays before it passes", .notice(canaryStays)),
        Invariant("a canary is measured before it passes", .notice(canaryIsWeighed)),
        Invariant("a canary is compared before it passes", .notice(canaryIsCompared)),
        Invariant("a canary is rejected for its errors", .notice(canaryIsRejectedForErrors)),
        Invariant("a stuck request is a fact", .notice(stuckIsNamed)),
        Invariant("an outage is a fact", .notice(outageIsSeen)),
        // Closing of listeners.
        Invariant("a stop comes when nobody waits at the doors", .notice(stopsBehindShutDoors)),
        Invariant("who has a door alone serves it to the end", .notice(oldOnesServeTheirDoors)),
        Invariant("a stop is no hastier than asked", .notice(noMoreHasteThanAsked)),
        Invariant("the drain delay is kept", .action(drainDelayPasses)),
        Invariant("a limit is served out", .notice(limitIsServedOut)),
        Invariant("a cap that is expected is waited for", .notice(capIsServedOut)),
        Invariant(
            "only with surge is a threshold below the limit", .start(earlyThresholdNeedsSurge)),
        Invariant("a reached threshold is rewritten", .action(thresholdIsRewritten)),
        // Signals.
        Invariant("signals go to the living", .action(signalsToTheLiving)),
        Invariant("the stop-signal goes to retiring workers", .action(signalAfterRetirement)),
        Invariant("SIGKILL comes after the signal and the whole grace", .action(killAfterGrace)),
        Invariant("who is drained is retiring", .action(drainsOnlyRetiring)),
        Invariant("the stop-signal waits for requests", .action(stopSignalWaits)),
        Invariant(
            "any moment will do only late, and one sample comes at a time", .action(samplesInTurn)),
        Invariant("threads are interrupted that accept", .action(interruptsTheIdle)),
        Invariant("what a program does at its stop is seen", .notice(habitsAreSeen)),
        Invariant("an abort has its cause", .notice(abortedForACause)),
        Invariant("SIGABRT goes to whom hangs", .action(abortsWhoHangs)),
        // Failed startups and the end.
        Invariant("giving up has its reason", .notice(givingUpHasReason)),
        Invariant("the backoff grows within its bounds", .notice(backoffWithinBounds)),
        Invariant("the exit comes last and fits", .action(exitFits)),
        // Every step.
        Invariant("a listener that a reload does without is shut", .step(droppedDoorsAreShut)),
        Invariant("the machine's sums are true", .step(sumsAreTrue)),
        Invariant("a crossing is warned of", .step(crossingIsReported)),
        Invariant("who is over the hard cap is killed", .step(hardCapKills)),
        Invariant("who exceeds the soft cap by serving is due", .step(outgrownCapRecycles)),
        Invariant("failing again backs off", .step(failureBacksOff)),
        Invariant("work ends as the restart policy says", .step(policyEndsWork)),
        Invariant("a stop is as hasty as asked", .step(hasteReachesAll)),
        Invariant("a stopping or parked pool keeps nobody", .step(stopReachesAll)),
        Invariant("who is empty gets the stop-signal", .step(emptyOnesGo)),
        Invariant("who accepts is interrupted", .step(acceptorsAreInterrupted)),
        Invariant("what a program does at its stop is learnt", .step(habitsAreLearnt)),
        Invariant("a pool stops when nothing waits", .step(emptyPoolsStop)),
        Invariant("listeners are let go", .step(emptyListenersAreReleased)),
        Invariant("who asks to be aborted is", .step(triggersAbort)),
        Invariant("who stands still while others wait is aborted", .step(standstillIsNoticed)),
        Invariant("a canary that responds with errors is rejected", .step(badCanaryIsRejected)),
        Invariant("an outage is reported", .step(outageIsReported)),
        Invariant("who is stuck is due", .step(stuckIsDue)),
        // Every turn.
        Invariant("a doubt about a canary ends", .turn(doubtEnds)),
        Invariant("nobody outstays the time to be killed", .turn(nobodyOutstays)),
        Invariant("nobody is emptied for ever", .turn(drainsNotForEver)),
        Invariant("listeners are sampled, and not for ever", .turn(listenersAreSampled)),
        Invariant("nobody boots longer than ready-timeout", .turn(nobodyBootsForEver)),
        Invariant("who is over a limit is due", .turn(overLimitIsDue)),
        Invariant("room is not left idle", .turn(roomIsUsed)),
        Invariant("who is silent is aborted", .turn(silenceIsNoticed)),
        Invariant("a timer is armed for silence", .turn(silenceIsWaitedFor)),
        Invariant("the queue is polled", .turn(queueIsPolled)),
        Invariant("a notification leads to a recycle", .turn(notificationLeadsToRecycle)),
        Invariant("a ready successor takes over", .turn(successorTakesOver)),
        Invariant("who is due is replaced where there is room", .turn(dueIsReplaced)),
        Invariant("a canary does not wait for nothing", .turn(canaryDoesNotWait)),
        Invariant("past deadlines are acted on", .turn(deadlinesAreAhead)),
        Invariant("a timer is armed for what comes", .turn(timerIsArmed)),
    ]

    private init(_ name: String, _ check: Check) {
        self.name = name
        self.check = check
    }

    // Structures, not tuples: a function in a tuple in an array is called with copies of its
    // arguments.
    struct ActionCheck: Sendable {
        let name: String
        let run: @Sendable (Ledger, Service.Action) -> String?
    }

    struct LookCheck: Sendable {
        let name: String
        let run: @Sendable (Ledger, Service) -> String?
    }

    static let ofActions: [ActionCheck] = all.compactMap {
        if case .action(let run) = $0.check { ActionCheck(name: $0.name, run: run) } else { nil }
    }
    static let ofSteps: [LookCheck] = all.compactMap {
        if case .step(let run) = $0.check { LookCheck(name: $0.name, run: run) } else { nil }
    }
    static let ofTurns: [LookCheck] = all.compactMap {
        if case .turn(let run) = $0.check { LookCheck(name: $0.name, run: run) } else { nil }
    }
}

// Separate functions: a check of a property, called from a method that changes it, would get a copy
// each time.
extension Invariant {
    /// Returns the first invariant that an action breaks.
    static func broken(
        by action: Service.Action, in ledger: Ledger
    ) -> (name: String, detail: String)? {
        for check in ofActions {
            if let detail = check.run(ledger, action) { return (check.name, detail) }
        }
        return nil
    }

    /// Returns the first of these that is broken.
    static func broken(
        _ checks: [LookCheck], in ledger: Ledger, of service: Service
    ) -> (name: String, detail: String)? {
        for check in checks {
            if let detail = check.run(ledger, service) { return (check.name, detail) }
        }
        return nil
    }
}

extension Invariant.Check {
    static func start(
        _ check: @escaping @Sendable (Ledger, WorkerID, StartOrder) -> String?
    ) -> Invariant.Check {
        .action { ledger, action in
            guard case .perform(.start(let id, let order)) = action else { return nil }
            return check(ledger, id, order)
        }
    }

    static func notice(
        _ check: @escaping @Sendable (Ledger, Notice) -> String?
    ) -> Invariant.Check {
        .action { ledger, action in
            guard case .perform(.note(let notice)) = action else { return nil }
            return check(ledger, notice)
        }
    }
}
