import Testing

@testable import SuperviseCore

/// The rollout after the canaries (Pool+Rollout.swift).
struct RolloutTests {
    @Test func afterTheCommitTheRestRollsWithinTheBudget() {
        let (bench, next) = upAndStable()
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        #expect(
            bench.tell(.commit()) == told(id(0), .recycle(.reload), facts(62))
                + [.note(.due(id(1), .reload, facts(62)))])
        #expect(bench.exit(id(0)).started == [id(1, 2)])
        bench.tell(id(1, 2), .running)
        #expect(bench.tell(id(1, 2), .ready).retired == [id(1)])
        #expect(bench.exit(id(1)).last == .note(.rolledOut(pool: 0, generation: 2)))
        #expect(bench.pool.isSettled)
    }

    @Test func aCrashBeforeTheCommitComesBackInTheOldGeneration() {
        let (bench, next) = upAndStable()
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        #expect(bench.exit(id(1), 1).first == start(id(1, 2), generation: 1))
        #expect(bench.exit(id(0), 1).first == start(id(0, 3), generation: 1))
    }

    @Test func aCrashWhileTheCanaryWaitsComesBackInTheOldGeneration() {
        let (bench, next) = upAndStable()
        bench.tell(id(0), .recycleRequested)
        #expect(bench.tell(.prepare(generation: 2, next)) == [])
        #expect(bench.exit(id(1), 1).contains(start(id(1, 2), generation: 1)))
    }

    @Test func aCrashAfterTheCommitComesBackInTheNewGeneration() {
        let (bench, next) = upAndStable(workers: 3)
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        bench.tell(.commit())
        #expect(bench.exit(id(0)).started == [id(1, 2)])
        #expect(bench.exit(id(2), 1).first == start(id(2, 2), generation: 2))
    }

    @Test func aPoolWithoutAReadyWorkerNeedsNoTrial() {
        let bench = Bench()
        bench.tell(.start)
        let next = bench.pool.policy
        #expect(bench.tell(.prepare(generation: 2, next)) == [])
        #expect(bench.pool.trial == .passed)
        #expect(
            bench.tell(.commit())
                == told(id(0), .superseded, facts()) + [start(id(0, 2), generation: 2)])
    }

    @Test func aFailureAfterTheCommitIsRetriedWhileTheOldOnesServe() {
        let (bench, next) = upAndStable()
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        bench.tell(.commit())
        bench.exit(id(0))
        #expect(bench.exit(id(1, 2), 1).started == [id(1, 3)])
        let again = bench.exit(id(1, 3), 1)
        #expect(again.started == [])
        #expect(bench.pool.servingCount == 2)
        #expect(!bench.pool.isSettled)
        #expect(bench.wake().last == start(id(1, 4), generation: 2))
    }

    @Test func fewerWorkersInTheSameReload() {
        var (bench, next) = upAndStable(workers: 4)
        next.workers = 2
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        let actions = bench.tell(.commit())
        #expect(actions.retired == [id(0), id(1), id(2)])
        #expect(actions.contains(.note(.resized(pool: 0, from: 4, to: 2))))
        #expect(bench.pool.size == 2)
    }

    @Test func moreWorkersInTheSameReload() {
        var (bench, next) = upAndStable(workers: 1)
        next.workers = 3
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        let actions = bench.tell(.commit())
        #expect(actions.started == [id(1), id(2)])
        #expect(actions.contains(start(id(1), generation: 2)))
    }

    @Test func aCommitTakesAnEarlierResizeBack() {
        let (bench, next) = upAndStable(workers: 2)
        bench.tell(.resize(by: 2))
        bench.makeReady(id(2), id(3))
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(0, 2))
        bench.wake()
        bench.tell(.commit())
        #expect(bench.pool.size == 2)
    }

    @Test func fewerWorkersLeaveTheCanaryItsSlot() {
        let (bench, next) = upAndStable(workers: 2) { $0.maxSurge = .count(0) }
        bench.tell(.prepare(generation: 2, next))
        bench.exit(id(0))
        #expect(bench.tell(.resize(by: -1)).retired == [id(1)])
        #expect(bench.pool.trial == .pending)
    }

    @Test func aCanaryThatRunsAloneTakesASlotThatWaits() {
        var (bench, next) = upAndStable(workers: 2) { $0.maxSurge = .count(0) }
        bench.exit(id(1), 1)
        bench.exit(id(1, 2), 1)
        next.stableAfter = .seconds(1)
        // Slot 1 backs off; no other worker is stopped for the canary.
        let actions = bench.tell(.prepare(generation: 2, next))
        #expect(actions.retired == [])
        #expect(actions.contains(start(id(1, 3), generation: 2)))
    }

    @Test func parkingFailsTheTrialAndACommitUnparks() {
        let (bench, next) = upAndStable(workers: 1)
        bench.tell(.prepare(generation: 2, next))
        bench.tell(.park)
        #expect(bench.pool.trial == .failed(.left(.parked)))
        bench.tell(.abort)
        bench.exit(id(0))
        bench.exit(id(0, 2))
        bench.tell(.prepare(generation: 3, next))
        #expect(bench.pool.trial == .passed)
        #expect(bench.tell(.commit()).first == start(id(0, 3), generation: 3))
    }

    @Test func aReadyReplacementThatIsOvertakenServesOutItsTime() {
        let (bench, next) = upAndStable { $0.maxSurge = .count(2) }
        bench.tell(id(0), .recycleRequested)
        bench.tell(id(0), .hold(.seconds(600)))
        bench.makeReady(id(0, 2))
        bench.tell(.prepare(generation: 2, next))
        bench.makeReady(id(1, 2))
        bench.wake()
        #expect(bench.tell(.commit()).retired == [id(0, 2), id(1)])
        #expect(bench.pool.worker(id(0, 2))?.killAt == second(92))
    }
}
