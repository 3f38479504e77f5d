import Testing

@testable import SuperviseCore

/// The canary of a new generation (Pool+Rollout.swift).
struct CanaryTests {
    @Test func theCanaryStartsBesideTheIncumbentAndHasToStay() {
        let (bench, next) = upAndStable()
        #expect(
            bench.tell(.prepare(generation: 2, next)) == [
                .note(.canaryStarted(id(0, 2), generation: 2)), start(id(0, 2), generation: 2),
            ])
        bench.tell(id(0, 2), .running)
        #expect(
            bench.tell(id(0, 2), .ready)
                == [.note(.ready(id(0, 2), by: .notify, after: .zero))])
        #expect(bench.pool.trial == .pending)
        #expect(bench.wake() == [.note(.canaryPassed(pool: 0, generation: 2, nil))])
        #expect(bench.now == second(62))
        #expect(bench.pool.trial == .passed)
        #expect(bench.pool.servingCount == 3)
    }

    @Test func theTrialIsNoLongerThanStableAfter() {
        let (bench, next) = upAndStable { $0.stableAfter = .seconds(1) }
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        #expect(bench.now == second(61))
    }

    @Test func aCanaryThatCrashes() {
        let (bench, next) = upAndStable()
        bench.tell(.prepare(generation: 2, next))
        bench.tell(id(0, 2), .running)
        #expect(
            bench.exit(id(0, 2), 1) == [
                .note(.exited(id(0, 2), .code(1), .bootFailed, facts(generation: 2))),
                .note(.canaryFailed(pool: 0, generation: 2, .ended(.code(1)))),
            ])
        #expect(bench.pool.trial == .failed(.ended(.code(1))))
        #expect(bench.tell(.abort) == [])
        #expect(bench.pool.trial == nil)
    }

    @Test func aCanaryThatDiesWhileItShouldStay() {
        let (bench, next) = upAndStable()
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wait(.seconds(1))
        bench.exit(id(0, 2), 1)
        #expect(bench.pool.trial == .failed(.ended(.code(1))))
    }

    @Test func aCanaryThatDiesWhileOtherPoolsAreOnTrial() {
        let (bench, next) = upAndStable()
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        bench.exit(id(0, 2), 1)
        #expect(bench.pool.trial == .failed(.ended(.code(1))))
    }

    @Test func aCanaryThatIsNotReadyInTime() {
        let (bench, next) = upAndStable { $0.readyTimeout = .seconds(5) }
        bench.tell(.prepare(generation: 2, next))
        bench.tell(id(0, 2), .running)
        #expect(
            bench.wake()
                == [.note(.bootTimedOut(id(0, 2), after: .seconds(5)))]
                + told(id(0, 2), .bootTimeout, facts(5, generation: 2))
                + [.note(.canaryFailed(pool: 0, generation: 2, .bootTimeout))])
    }

    @Test func aCanaryThatCannotBeStarted() {
        let missing = StartFailure(step: "exec", message: "ENOENT", isTransient: false)
        let (bench, next) = upAndStable()
        bench.tell(.prepare(generation: 2, next))
        #expect(
            bench.tell(id(0, 2), .startFailed(missing)) == [
                .note(.startFailed(id(0, 2), missing)),
                .note(.canaryFailed(pool: 0, generation: 2, .notStarted(missing))),
            ])
    }

    @Test func theNewReadyTimeoutIsTheCanarys() {
        var (bench, next) = upAndStable()
        next.readyTimeout = .seconds(3)
        bench.tell(.prepare(generation: 2, next))
        #expect(bench.pool.nextDeadline == second(63))
    }

    @Test func theNewStormGuardIsTheCanarys() {
        var (bench, next) = upAndStable { $0.maxSurge = .count(0) }
        next.maxRSSBytes = 1000
        bench.pool.policy.minLifetime = .zero
        bench.tell(.prepare(generation: 2, next))
        bench.exit(id(0))
        bench.makeReady(id(0, 2))
        #expect(
            bench.tell(id(0, 2), .memory(bytes: 2000)) == [
                .note(
                    .memoryAlarm(
                        id(0, 2), facts(generation: 2, memory: 2000), .soft, limitBytes: 1000))
            ])
    }

    /// A generation whose workers would be killed repeatedly is not committed.
    @Test func aCanaryOverItsHardCapFails() {
        var (bench, next) = upAndStable()
        next.killRSSBytes = 1000
        bench.tell(.prepare(generation: 2, next))
        bench.tell(id(0, 2), .running)
        #expect(bench.tell(id(0, 2), .ready).contains(.measure(id(0, 2))))
        bench.tell(id(0, 2), .memory(bytes: 900))
        #expect(bench.wake() == [.measure(id(0, 2))])
        #expect(bench.pool.trial == .pending)
        bench.tell(id(0, 2), .memory(bytes: 1001))
        #expect(bench.pool.trial == .failed(.left(.killMemory)))
    }

    @Test func aCanaryBelowItsHardCapPasses() {
        var (bench, next) = upAndStable()
        next.killRSSBytes = 1000
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        bench.tell(id(0, 2), .memory(bytes: 1000))
        #expect(bench.pool.trial == .passed)
    }

    @Test func aCanaryThatCannotBeMeasuredPasses() {
        var (bench, next) = upAndStable()
        next.killRSSBytes = 1000
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        bench.wake()
        #expect(bench.pool.trial == .passed && bench.now == second(63))
    }

    /// It may have accepted connections before it was ready.
    @Test func anAbortedCanaryThatBootsIsDrained() {
        let (bench, next) = upAndStable { $0.drain = .observe }
        bench.tell(.prepare(generation: 2, next))
        bench.tell(id(0, 2), .running)
        #expect(bench.tell(.abort).contains(.drain(id(0, 2))))
        // From then on, any moment without a known request is sufficient.
        #expect(bench.pool.nextDeadline == second(84))
        // It has no connection, and two seconds to exit.
        #expect(bench.tell(id(0, 2), .idleSample).contains(.signal(id(0, 2), .stop)))
        #expect(bench.pool.nextDeadline == second(62))
    }

    @Test func anAbortedCanaryThatCountedRequestsHasItsGracefulTimeout() {
        let (bench, next) = upAndStable { $0.drain = .signal }
        bench.tell(.prepare(generation: 2, next))
        bench.tell(id(0, 2), .running)
        bench.tell(id(0, 2), .connections(1))
        bench.tell(.abort)
        #expect(bench.pool.nextDeadline == second(90))
    }

    @Test func anAbortedCanaryThatServesHasItsGracefulTimeout() {
        let (bench, next) = upAndStable()
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        #expect(bench.tell(.abort) == told(id(0, 2), .superseded, facts(generation: 2)))
        #expect(bench.pool.nextDeadline == second(90))
    }

    @Test func anAbortedCanaryThatBootsHasTwoSeconds() {
        let (bench, next) = upAndStable { $0.drain = .signal }
        bench.tell(.prepare(generation: 2, next))
        bench.tell(id(0, 2), .running)
        #expect(bench.tell(.abort) == told(id(0, 2), .superseded, facts(generation: 2)))
        #expect(bench.pool.nextDeadline == second(62))
    }

    @Test func stopFirstCanaryTakesASlot() {
        let (bench, next) = upAndStable { $0.maxSurge = .count(0) }
        #expect(
            bench.tell(.prepare(generation: 2, next))
                == told(id(0), .recycle(.reload), facts(60)))
        #expect(
            bench.exit(id(0)) == [
                .note(.exited(id(0), .code(0), .retired(.recycle(.reload)), facts(60))),
                .note(.canaryStarted(id(0, 2), generation: 2)), start(id(0, 2), generation: 2),
            ])
        #expect(bench.tell(id(1), .recycleRequested).retired == [])
        bench.makeReady(id(0, 2))
        // Until the commit, the canary may still be stopped.
        #expect(bench.pool.servingCount == 2)
        bench.wake()
        #expect(bench.tell(.commit()).retired == [id(1)])
    }

    @Test func stopFirstCanaryThatFailsGivesItsSlotBack() {
        let (bench, next) = upAndStable { $0.maxSurge = .count(0) }
        bench.tell(.prepare(generation: 2, next))
        bench.exit(id(0))
        bench.tell(id(0, 2), .running)
        #expect(bench.exit(id(0, 2), 1).last == start(id(0, 3)))
    }

    @Test func aFailedCanaryTakesItsCauseAlong() {
        let (bench, next) = upAndStable { $0.maxSurge = .count(0) }
        bench.tell(.prepare(generation: 2, next))
        bench.exit(id(0))
        bench.makeReady(id(0, 2))
        bench.tell(id(0, 2), .recycleRequested)
        bench.exit(id(0, 2), 1)
        bench.tell(.abort)
        bench.tell(id(0, 3), .running)
        #expect(bench.tell(id(0, 3), .ready).retired == [])
    }

    @Test func stopFirstCanaryRespectsAHold() {
        let (bench, next) = upAndStable { $0.maxSurge = .count(0) }
        bench.tell(id(0), .hold(.seconds(30)))
        #expect(bench.tell(.prepare(generation: 2, next)).retired == [id(1)])
    }

    @Test func aCanaryWaitsForTheEndOfAllHolds() {
        let (bench, next) = upAndStable {
            $0.maxSurge = .count(0)
            $0.maxHold = .seconds(20)
        }
        bench.tell(id(0), .hold(.seconds(300)))
        bench.tell(id(1), .hold(.seconds(300)))
        #expect(bench.tell(.prepare(generation: 2, next)) == [])
        #expect(bench.wake().retired == [id(0)])
        #expect(bench.now == second(80))
    }

    @Test func aCanaryDoesNotWaitForASlotThatIsDone() {
        let (bench, next) = upAndStable {
            $0.maxSurge = .count(0)
            $0.maxHold = .seconds(20)
            $0.restart = .never
        }
        bench.exit(id(0))
        bench.tell(id(1), .hold(.seconds(300)))
        #expect(bench.tell(.prepare(generation: 2, next)) == [])
        #expect(bench.wake().retired == [id(1)])
        #expect(bench.now == second(80))
    }

    @Test func theCanaryGoesAheadOfOtherReplacements() {
        let (bench, next) = upAndStable(workers: 3)
        bench.tell(id(0), .recycleRequested)
        bench.tell(id(1), .recycleRequested)
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        #expect(
            bench.exit(id(0)).suffix(2) == [
                .note(.canaryStarted(id(1, 2), generation: 2)), start(id(1, 2), generation: 2),
            ])
    }

    @Test func aWaitingCanaryTakesAVacantSlotAtOnce() {
        let (bench, next) = upAndStable { $0.maxSurge = .count(0) }
        bench.tell(id(0), .hold(.seconds(300)))
        bench.tell(id(1), .hold(.seconds(300)))
        bench.tell(.prepare(generation: 2, next))
        #expect(bench.exit(id(0), 1).first == start(id(0, 2)))
        bench.tell(id(0, 2), .running)
        #expect(bench.exit(id(0, 2), 1).last == start(id(0, 3), generation: 2))
    }
}
