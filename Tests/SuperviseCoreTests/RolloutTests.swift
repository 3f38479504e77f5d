import Testing

@testable import SuperviseCore

/// One pool's part of a reload (Pool+Rollout.swift).
struct RolloutTests {
    /// A pool that is up and old enough that its workers are stable.
    private func up(
        workers: Int = 2, _ adjust: @escaping (inout PoolPolicy) -> Void = { _ in }
    ) -> (bench: Bench, next: PoolPolicy) {
        let bench = Bench(workers: workers, adjust)
        bench.bringUp()
        bench.wait(.seconds(60))
        return (bench, bench.pool.policy)
    }

    @Test func theCanaryStartsBesideTheIncumbentAndHasToStay() {
        let (bench, next) = up()
        #expect(
            bench.tell(.prepare(generation: 2, next)) == [
                .note(.canaryStarted(id(0, 2), generation: 2)), start(id(0, 2), generation: 2),
            ])
        bench.tell(id(0, 2), .running)
        #expect(
            bench.tell(id(0, 2), .ready)
                == [.note(.ready(id(0, 2), by: .notify, after: .zero))])
        #expect(bench.pool.trial == .pending)
        #expect(bench.wake() == [.note(.canaryPassed(pool: 0, generation: 2))])
        #expect(bench.now == second(62))
        #expect(bench.pool.trial == .passed)
        #expect(bench.pool.servingCount == 3)
    }

    @Test func theTrialIsNoLongerThanStableAfter() {
        let (bench, next) = up { $0.stableAfter = .seconds(1) }
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        #expect(bench.now == second(61))
    }

    @Test func afterTheCommitTheRestRollsWithinTheBudget() {
        let (bench, next) = up()
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        #expect(
            bench.tell(.commit) == told(id(0), .recycle(.reload), facts(62))
                + [.note(.due(id(1), .reload, facts(62)))])
        #expect(bench.exit(id(0)).started == [id(1, 2)])
        bench.tell(id(1, 2), .running)
        #expect(bench.tell(id(1, 2), .ready).retired == [id(1)])
        #expect(bench.exit(id(1)).last == .note(.rolledOut(pool: 0, generation: 2)))
        #expect(bench.pool.isSettled)
    }

    @Test func aCanaryThatCrashes() {
        let (bench, next) = up()
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
        let (bench, next) = up()
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wait(.seconds(1))
        bench.exit(id(0, 2), 1)
        #expect(bench.pool.trial == .failed(.ended(.code(1))))
    }

    @Test func aCanaryThatDiesWhileOtherPoolsAreOnTrial() {
        let (bench, next) = up()
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        bench.exit(id(0, 2), 1)
        #expect(bench.pool.trial == .failed(.ended(.code(1))))
    }

    @Test func aCanaryThatIsNotReadyInTime() {
        let (bench, next) = up { $0.readyTimeout = .seconds(5) }
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
        let (bench, next) = up()
        bench.tell(.prepare(generation: 2, next))
        #expect(
            bench.tell(id(0, 2), .startFailed(missing)) == [
                .note(.startFailed(id(0, 2), missing)),
                .note(.canaryFailed(pool: 0, generation: 2, .notStarted(missing))),
            ])
    }

    @Test func theNewReadyTimeoutIsTheCanarys() {
        var (bench, next) = up()
        next.readyTimeout = .seconds(3)
        bench.tell(.prepare(generation: 2, next))
        #expect(bench.pool.nextDeadline == second(63))
    }

    @Test func anAbortedCanaryThatServesHasItsGracefulTimeout() {
        let (bench, next) = up()
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        #expect(bench.tell(.abort) == told(id(0, 2), .superseded, facts(generation: 2)))
        #expect(bench.pool.nextDeadline == second(90))
    }

    @Test func anAbortedCanaryThatBootsHasTwoSeconds() {
        let (bench, next) = up()
        bench.tell(.prepare(generation: 2, next))
        bench.tell(id(0, 2), .running)
        #expect(bench.tell(.abort) == told(id(0, 2), .superseded, facts(generation: 2)))
        #expect(bench.pool.nextDeadline == second(62))
    }

    @Test func stopFirstCanaryTakesASlot() {
        let (bench, next) = up { $0.maxSurge = .count(0) }
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
        // Until the commit it is not sure that the canary stays.
        #expect(bench.pool.servingCount == 2)
        bench.wake()
        #expect(bench.tell(.commit).retired == [id(1)])
    }

    @Test func stopFirstCanaryThatFailsGivesItsSlotBack() {
        let (bench, next) = up { $0.maxSurge = .count(0) }
        bench.tell(.prepare(generation: 2, next))
        bench.exit(id(0))
        bench.tell(id(0, 2), .running)
        #expect(bench.exit(id(0, 2), 1).last == start(id(0, 3)))
    }

    @Test func aFailedCanaryTakesItsCauseAlong() {
        let (bench, next) = up { $0.maxSurge = .count(0) }
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
        let (bench, next) = up { $0.maxSurge = .count(0) }
        bench.tell(id(0), .hold(.seconds(30)))
        #expect(bench.tell(.prepare(generation: 2, next)).retired == [id(1)])
    }

    @Test func aCanaryWaitsForTheEndOfAllHolds() {
        let (bench, next) = up {
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
        let (bench, next) = up {
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
        let (bench, next) = up(workers: 3)
        bench.tell(id(0), .recycleRequested)
        bench.tell(id(1), .recycleRequested)
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        #expect(
            bench.exit(id(0)).suffix(2) == [
                .note(.canaryStarted(id(1, 2), generation: 2)), start(id(1, 2), generation: 2),
            ])
    }

    @Test func aCrashBeforeTheCommitComesBackInTheOldGeneration() {
        let (bench, next) = up()
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        #expect(bench.exit(id(1), 1).last == start(id(1, 2), generation: 1))
        #expect(bench.exit(id(0), 1).last == start(id(0, 3), generation: 1))
    }

    @Test func aCrashWhileTheCanaryWaitsComesBackInTheOldGeneration() {
        let (bench, next) = up()
        bench.tell(id(0), .recycleRequested)
        #expect(bench.tell(.prepare(generation: 2, next)) == [])
        #expect(bench.exit(id(1), 1).contains(start(id(1, 2), generation: 1)))
    }

    @Test func aCrashAfterTheCommitComesBackInTheNewGeneration() {
        let (bench, next) = up(workers: 3)
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        bench.tell(.commit)
        #expect(bench.exit(id(0)).started == [id(1, 2)])
        #expect(bench.exit(id(2), 1).last == start(id(2, 2), generation: 2))
    }

    @Test func aPoolWithoutAReadyWorkerNeedsNoTrial() {
        let bench = Bench()
        bench.tell(.start)
        let next = bench.pool.policy
        #expect(bench.tell(.prepare(generation: 2, next)) == [])
        #expect(bench.pool.trial == .passed)
        #expect(
            bench.tell(.commit)
                == told(id(0), .superseded, facts()) + [start(id(0, 2), generation: 2)])
    }

    @Test func aFailureAfterTheCommitIsRetriedWhileTheOldOnesServe() {
        let (bench, next) = up()
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        bench.tell(.commit)
        bench.exit(id(0))
        #expect(bench.exit(id(1, 2), 1).started == [id(1, 3)])
        let again = bench.exit(id(1, 3), 1)
        #expect(again.started == [])
        #expect(bench.pool.servingCount == 2)
        #expect(!bench.pool.isSettled)
        #expect(bench.wake().last == start(id(1, 4), generation: 2))
    }

    @Test func fewerWorkersInTheSameReload() {
        var (bench, next) = up(workers: 4)
        next.workers = 2
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        let actions = bench.tell(.commit)
        #expect(actions.retired == [id(0), id(1), id(2)])
        #expect(actions.contains(.note(.resized(pool: 0, from: 4, to: 2))))
        #expect(bench.pool.size == 2)
    }

    @Test func moreWorkersInTheSameReload() {
        var (bench, next) = up(workers: 1)
        next.workers = 3
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        let actions = bench.tell(.commit)
        #expect(actions.started == [id(1), id(2)])
        #expect(actions.contains(start(id(1), generation: 2)))
    }

    @Test func aCommitTakesAnEarlierResizeBack() {
        let (bench, next) = up(workers: 2)
        bench.tell(.resize(by: 2))
        bench.makeReady(id(2), id(3))
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        bench.tell(.commit)
        #expect(bench.pool.size == 2)
    }

    @Test func fewerWorkersLeaveTheCanaryItsSlot() {
        let (bench, next) = up(workers: 2) { $0.maxSurge = .count(0) }
        bench.tell(.prepare(generation: 2, next))
        bench.exit(id(0))
        #expect(bench.tell(.resize(by: -1)).retired == [id(1)])
        #expect(bench.pool.trial == .pending)
    }

    @Test func aCanaryThatRunsAloneTakesASlotThatWaits() {
        var (bench, next) = up(workers: 2) { $0.maxSurge = .count(0) }
        bench.exit(id(1), 1)
        bench.exit(id(1, 2), 1)
        next.stableAfter = .seconds(1)
        // Slot 1 backs off; nobody else has to go for the canary.
        let actions = bench.tell(.prepare(generation: 2, next))
        #expect(actions.retired == [])
        #expect(actions.contains(start(id(1, 3), generation: 2)))
    }

    @Test func parkingFailsTheTrialAndACommitUnparks() {
        let (bench, next) = up(workers: 1)
        bench.tell(.prepare(generation: 2, next))
        bench.tell(.park)
        #expect(bench.pool.trial == .failed(.left(.parked)))
        bench.tell(.abort)
        bench.exit(id(0))
        bench.exit(id(0, 2))
        bench.tell(.prepare(generation: 3, next))
        #expect(bench.pool.trial == .passed)
        #expect(bench.tell(.commit).first == start(id(0, 3), generation: 3))
    }

    @Test func aReadyReplacementThatIsOvertakenServesOutItsTime() {
        let (bench, next) = up { $0.maxSurge = .count(2) }
        bench.tell(id(0), .recycleRequested)
        bench.tell(id(0), .hold(.seconds(600)))
        bench.makeReady(id(0, 2))
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(1, 2))
        bench.wake()
        #expect(bench.tell(.commit).retired == [id(0, 2), id(1)])
        #expect(bench.pool.worker(id(0, 2))?.killAt == second(92))
    }
}
