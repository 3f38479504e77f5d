import Testing

@testable import SuperviseCore

/// Workers that are forked from a mold (Pool+Mold.swift).
struct MoldTests {
    private static func mold(_ incarnation: Int = 1, generation: Int = 1) -> MoldID {
        MoldID(pool: 0, generation: generation, incarnation: incarnation)
    }

    private static func fork(
        _ id: WorkerID, generation: Int = 1, mold incarnation: Int = 1
    ) -> Action {
        .start(
            id,
            StartOrder(
                generation: generation, mold: mold(incarnation, generation: generation)))
    }

    /// A pool with a warm mold and two ready workers, for a minute.
    private static func up(_ adjust: (inout PoolPolicy) -> Void = { _ in }) -> Bench {
        let bench = Bench(workers: 2) {
            $0.usesMold = true
            adjust(&$0)
        }
        bench.tell(.start)
        bench.tell(.mold(mold(), .warm))
        bench.makeReady(id(0), id(1))
        bench.wait(.seconds(60))
        return bench
    }

    private static func segmentationFault() -> WorkerEvent {
        .exited(.signal(.segmentationFault), leavesTree: false)
    }

    @Test func workersWaitForTheMold() {
        let bench = Bench(workers: 2) { $0.usesMold = true }
        #expect(
            bench.tell(.start) == [.startMold(Self.mold()), .note(.mold(.started(Self.mold())))])
        bench.wait(.seconds(1))
        #expect(
            bench.tell(.mold(Self.mold(), .warm)) == [
                .note(.mold(.ready(Self.mold(), after: .seconds(1)))), Self.fork(id(0)),
                Self.fork(id(1)),
            ])
    }

    @Test func aFirstMoldThatExitsLeavesTheWorkersToExec() {
        let bench = Bench(workers: 1) { $0.usesMold = true }
        bench.tell(.start)
        #expect(
            bench.tell(.mold(Self.mold(), .exited(.code(1)))) == [
                .note(.mold(.failed(Self.mold(), .ended(.code(1))))),
                .note(.mold(.givenUp(pool: 0, generation: 1, wasWarm: false))), start(id(0)),
            ])
        #expect(bench.pool.nextDeadline == second(60))
    }

    @Test func aFirstMoldThatHangsIsEnded() {
        let bench = Bench(workers: 1) { $0.usesMold = true }
        bench.tell(.start)
        let actions = bench.wake()
        #expect(bench.now == second(60))
        #expect(actions.first == .endMold(Self.mold()))
        #expect(actions.contains(start(id(0))))
        // What does not end in order is killed.
        #expect(bench.wake() == [.killMold(Self.mold())])
        #expect(bench.now == second(62))
    }

    @Test func aRefusedMoldIsEndedAndNamed() {
        let bench = Bench(workers: 1) { $0.usesMold = true }
        bench.tell(.start)
        #expect(
            bench.tell(.mold(Self.mold(), .unusable("shared"))) == [
                .endMold(Self.mold()), .note(.mold(.failed(Self.mold(), .unusable("shared")))),
                .note(.mold(.givenUp(pool: 0, generation: 1, wasWarm: false))), start(id(0)),
            ])
    }

    @Test func aShortageAtTheFirstStartIsNoReasonToGiveUp() {
        let bench = Bench(workers: 1) { $0.usesMold = true }
        bench.tell(.start)
        let failure = StartFailure(step: "fork", message: "EAGAIN", isTransient: true)
        #expect(bench.tell(.mold(Self.mold(), .notStarted(failure))).started == [id(0)])
        #expect(bench.wake().contains(.startMold(Self.mold(2))))
    }

    @Test func aMoldThatEndsIsBootedAgainAndItsWorkersStay() {
        let bench = Self.up()
        #expect(
            bench.tell(.mold(Self.mold(), .exited(.signal(.kill)))) == [
                .note(.mold(.failed(Self.mold(), .ended(.signal(.kill))))),
                .startMold(Self.mold(2)), .note(.mold(.started(Self.mold(2)))),
            ])
        #expect(bench.pool.servingCount == 2)
        // A crash meanwhile waits for it.
        #expect(bench.exit(id(0), 1).started == [])
        #expect(
            bench.tell(.mold(Self.mold(2), .warm)).contains(Self.fork(id(0, 2), mold: 2)))
    }

    @Test func afterAFailedSecondBootWorkersAreExecd() {
        let bench = Self.up()
        bench.tell(.mold(Self.mold(), .exited(.signal(.kill))))
        bench.exit(id(0), 1)
        let actions = bench.tell(.mold(Self.mold(2), .exited(.code(1))))
        #expect(actions.contains(.note(.mold(.execInstead(id(0, 2))))))
        #expect(actions.contains(start(id(0, 2))))
        // And it is tried again, until it is given up.
        for incarnation in 3...6 {
            if !actions.contains(.startMold(Self.mold(incarnation))) { bench.wake() }
            bench.tell(.mold(Self.mold(incarnation), .exited(.code(1))))
        }
        #expect(bench.pool.moldFacts.map(\.state) == [.givenUp])
    }

    @Test func twoFailedForksReplaceTheMold() {
        let bench = Self.up()
        bench.exit(id(0), 1)
        let failure = StartFailure(step: "fork", message: "late", isTransient: true)
        bench.tell(id(0, 2), .startFailed(failure))
        bench.wake()
        let actions = bench.tell(id(0, 3), .startFailed(failure))
        #expect(actions.contains(.killMold(Self.mold())))
        #expect(actions.contains(.startMold(Self.mold(2))))
    }

    @Test func twoMoldsInARowThatForkNothingAreEnough() {
        let bench = Self.up()
        let failure = StartFailure(step: "fork", message: "late", isTransient: true)
        bench.exit(id(0), 1)
        bench.exit(id(1), 1)
        bench.tell(id(0, 2), .startFailed(failure))
        bench.tell(id(1, 2), .startFailed(failure))
        bench.wait(.seconds(30))
        bench.tell(.deadline)
        bench.tell(.mold(Self.mold(2), .warm))
        bench.tell(id(0, 3), .startFailed(failure))
        bench.tell(id(1, 3), .startFailed(failure))
        #expect(bench.pool.moldFacts.first?.state == .givenUp)
        let actions = bench.wake() + bench.wake() + bench.wake()
        #expect(actions.contains(start(id(0, 4))) && actions.contains(start(id(1, 4))))
    }

    @Test func aRunningWorkerEndsARowOfFailedForks() {
        let bench = Self.up()
        let failure = StartFailure(step: "fork", message: "late", isTransient: true)
        bench.exit(id(0), 1)
        bench.tell(id(0, 2), .startFailed(failure))
        bench.wake()
        bench.tell(id(0, 3), .running)
        bench.exit(id(1), 1)
        #expect(!bench.tell(id(1, 2), .startFailed(failure)).contains(.killMold(Self.mold())))
    }

    /// A pool of which two forked workers did not become ready.
    private static func doubted() -> Bench {
        let bench = Bench(workers: 2) { $0.usesMold = true }
        bench.tell(.start)
        bench.tell(.mold(mold(), .warm))
        bench.tell(id(0), .running)
        bench.tell(id(1), .running)
        #expect(bench.exit(id(0), 1).contains(fork(id(0, 2))))
        bench.tell(id(0, 2), .running)
        let actions = bench.exit(id(1), 1)
        #expect(actions.contains(.note(.mold(.doubted(mold())))))
        #expect(actions.contains(start(id(1, 2))))
        bench.tell(id(1, 2), .running)
        return bench
    }

    @Test func aMoldWhoseWorkersAloneDoNotBootIsGivenUp() {
        let bench = Self.doubted()
        bench.makeReady(id(1, 2))
        let actions = bench.exit(id(0, 2), 1)
        // Its workers may use its files.
        #expect(actions.contains(.killMold(Self.mold())))
        #expect(actions.contains(.note(.mold(.givenUp(pool: 0, generation: 1, wasWarm: true)))))
    }

    @Test func aMoldIsKeptIfNoWorkerBoots() {
        let bench = Self.doubted()
        bench.exit(id(1, 2), 1)
        #expect(bench.pool.moldFacts.map(\.state) == [.warm])
        #expect(bench.wake().contains(Self.fork(id(1, 3))))
        // One more failure is the first of a new row.
        bench.exit(id(0, 2), 1)
        #expect(bench.wake().contains(Self.fork(id(0, 3))))
    }

    @Test func aForkedWorkerThatBootsEndsTheDoubt() {
        let bench = Self.doubted()
        bench.makeReady(id(1, 2))
        bench.makeReady(id(0, 2))
        bench.exit(id(1, 2), 1)
        #expect(bench.wake().contains(Self.fork(id(1, 3))))
    }

    @Test func aPoolThatLacksItsMoldCanBeReloaded() {
        let bench = Bench(workers: 1) { $0.usesMold = true }
        bench.tell(.start)
        bench.tell(.mold(Self.mold(), .unusable("shared")))
        bench.tell(.mold(Self.mold(), .exited(.code(0))))
        bench.makeReady(id(0))
        bench.tell(.prepare(generation: 2, bench.pool.policy))
        let actions = bench.tell(.mold(Self.mold(generation: 2), .unusable("shared")))
        #expect(actions.contains(.note(.canaryStarted(id(0, 2), generation: 2))))
        #expect(bench.pool.trial != .failed(.mold(.unusable("shared"))))
    }

    @Test func aMoldAnswersEightOrdersAtOnce() {
        let bench = Bench(workers: 20) { $0.usesMold = true }
        bench.tell(.start)
        #expect(bench.tell(.mold(Self.mold(), .warm)).started.count == 8)
        #expect(bench.tell(id(0), .running).started == [id(8)])
        let failure = StartFailure(step: "fork", message: "late", isTransient: true)
        #expect(bench.tell(id(1), .startFailed(failure)).started == [id(1, 2)])
    }

    @Test func aSuccessorEndsWithThePool() {
        let bench = Self.up()
        bench.tell(id(0), Self.segmentationFault())
        bench.makeReady(id(0, 2))
        bench.tell(.stop(.graceful))
        let actions = bench.tell(.mold(Self.mold(), .exited(.code(1))))
        #expect(actions.contains(.killMold(Self.mold(2))))
    }

    @Test func aSuccessorInheritsNoFailures() {
        let bench = Self.up()
        bench.tell(id(0), Self.segmentationFault())
        let failure = StartFailure(step: "fork", message: "late", isTransient: true)
        bench.tell(id(0, 2), .startFailed(failure))
        bench.exit(id(1), 1)
        bench.tell(id(1, 2), .startFailed(failure))
        // Mold 1 was killed; mold 2 was booting already.
        bench.tell(.mold(Self.mold(2), .warm))
        bench.wake()
        let actions = bench.tell(id(0, 3), .startFailed(failure))
        #expect(!actions.contains(.killMold(Self.mold(2))))
    }

    @Test func crashesChangeTheLayoutOncePerDelay() {
        let bench = Self.up()
        bench.tell(id(0), Self.segmentationFault())
        bench.tell(.mold(Self.mold(2), .warm))
        bench.makeReady(id(0, 2))
        #expect(!bench.tell(id(1), Self.segmentationFault()).contains(.startMold(Self.mold(3))))
        bench.makeReady(id(1, 2))
        bench.wait(bench.pool.policy.backoffMax)
        #expect(
            bench.tell(id(1, 2), Self.segmentationFault()).contains(.startMold(Self.mold(3))))
    }

    @Test func aSegmentationFaultChangesTheLayout() {
        let bench = Self.up()
        let actions = bench.tell(id(0), Self.segmentationFault())
        #expect(actions.contains(.startMold(Self.mold(2))))
        // The crash itself does not wait.
        #expect(actions.contains(Self.fork(id(0, 2))))
        // A second one starts no third mold.
        #expect(!bench.tell(id(1), Self.segmentationFault()).contains(.startMold(Self.mold(3))))
        #expect(bench.tell(.mold(Self.mold(2), .warm)).contains(.killMold(Self.mold())))
        bench.makeReady(id(0, 2))
        bench.exit(id(0, 2), 1)
        #expect(bench.wake().contains(Self.fork(id(0, 3), mold: 2)))
    }

    @Test func aReloadBootsOneMoldAndForksItsCanary() {
        let bench = Self.up()
        let next = bench.pool.policy
        #expect(
            bench.tell(.prepare(generation: 2, next)) == [
                .startMold(Self.mold(generation: 2)),
                .note(.mold(.started(Self.mold(generation: 2)))),
            ])
        #expect(
            bench.tell(.mold(Self.mold(generation: 2), .warm)) == [
                .note(.mold(.ready(Self.mold(generation: 2), after: .zero))),
                .note(.canaryStarted(id(0, 2), generation: 2)),
                Self.fork(id(0, 2), generation: 2),
            ])
        bench.makeReady(id(0, 2))
        bench.wake()
        let committed = bench.tell(.commit())
        #expect(!committed.contains(.endMold(Self.mold())))
        #expect(bench.exit(id(0)).contains(Self.fork(id(1, 2), generation: 2)))
        bench.makeReady(id(1, 2))
        // The old workers may use its files, so it ends after them.
        #expect(bench.exit(id(1)).contains(.endMold(Self.mold())))
    }

    @Test func aMoldThatDoesNotBootAbortsTheReload() {
        let bench = Self.up()
        bench.tell(.prepare(generation: 2, bench.pool.policy))
        let failure = MoldFailure.ended(.code(1))
        #expect(
            bench.tell(.mold(Self.mold(generation: 2), .exited(.code(1)))) == [
                .note(.mold(.failed(Self.mold(generation: 2), failure))),
                .note(.canaryFailed(pool: 0, generation: 2, .mold(failure))),
            ])
        #expect(bench.pool.trial == .failed(.mold(failure)))
        #expect(bench.tell(.abort) == [])
    }

    @Test func anAbortEndsTheMoldOfTheTrial() {
        let bench = Self.up()
        bench.tell(.prepare(generation: 2, bench.pool.policy))
        #expect(bench.tell(.abort) == [.endMold(Self.mold(generation: 2))])
    }

    @Test func aStopEndsTheMoldAfterTheWorkers() {
        let bench = Self.up()
        #expect(!bench.tell(.stop(.graceful)).contains(.endMold(Self.mold())))
        bench.exit(id(0))
        #expect(bench.exit(id(1)).contains(.endMold(Self.mold())))
        #expect(bench.pool.stage != .ended)
        #expect(
            bench.tell(.mold(Self.mold(), .exited(.code(0)))) == [
                .note(.mold(.ended(Self.mold(), .code(0)))), .note(.ended(pool: 0)),
            ])
    }

    @Test func aMoldThatDiesDuringAStopIsNotBootedAgain() {
        let bench = Self.up()
        bench.tell(.stop(.graceful))
        let actions = bench.tell(.mold(Self.mold(), .exited(.signal(.kill))))
        #expect(!actions.contains { if case .startMold = $0 { true } else { false } })
        bench.exit(id(0))
        #expect(bench.exit(id(1)).contains(.note(.ended(pool: 0))))
    }

    @Test func itsMemoryCountsOnceForThePool() {
        let bench = Self.up { $0.maxPoolRSSBytes = 1000 }
        bench.sampled([100, 100], molds: 500)
        bench.wait(.seconds(1))
        #expect(bench.sampled([250, 250], molds: 500).started == [])
        #expect(bench.pool.memoryBytes == 1000)
        bench.wait(.seconds(1))
        #expect(bench.sampled([250, 251], molds: 500).started == [id(1, 2)])
        #expect(bench.sampled([250, 251]).started == [])
        #expect(bench.pool.memoryBytes == 501)
    }

    @Test func itHasAShareOfThePercentages() {
        let bare = PoolPolicy.tested(workers: 3)
        let molded = PoolPolicy.tested(workers: 3) { $0.usesMold = true }
        #expect(PoolPolicy.workersAtOnce([(bare, 3)]) == 4)
        #expect(PoolPolicy.workersAtOnce([(bare, 3), (molded, 3)]) == 9)
    }

    /// The work of every slot is done.
    private static func done() -> Bench {
        let bench = up {
            $0.hasListeners = false
            $0.restart = .onFailure
        }
        bench.exit(id(0))
        #expect(bench.exit(id(1)).contains(.endMold(mold())))
        return bench
    }

    @Test func aPoolThatIsDoneNeedsNoMold() {
        let bench = Self.done()
        #expect(bench.wake() == [.killMold(Self.mold())])
        let end = Action.note(.mold(.ended(Self.mold(), .signal(.kill))))
        #expect(bench.tell(.mold(Self.mold(), .exited(.signal(.kill)))) == [end])
        #expect(bench.pool.nextDeadline == nil && bench.pool.moldFacts == [])
        #expect(bench.tell(.stop(.graceful)).contains(.note(.ended(pool: 0))))
    }

    @Test func aPoolWithMoreWorkBootsItsMoldAgain() {
        let bench = Self.done()
        let actions = bench.tell(.resize(by: 1))
        #expect(actions.contains(.startMold(Self.mold(2))) && actions.started == [])
        #expect(bench.tell(.mold(Self.mold(2), .warm)).contains(Self.fork(id(2), mold: 2)))
    }

    @Test func aReloadOfAPoolThatIsDoneBootsANewMold() {
        let bench = Self.done()
        bench.tell(.prepare(generation: 2, bench.pool.policy))
        let actions = bench.tell(.commit())
        #expect(actions.contains(.startMold(Self.mold(generation: 2))))
        #expect(actions.started == [])
    }

    @Test func lostTimeIsGivenBack() {
        let bench = Bench(workers: 1) { $0.usesMold = true }
        bench.tell(.start)
        bench.wait(.seconds(70))
        bench.tell(.late(by: .seconds(70)))
        #expect(bench.tell(.deadline) == [])
        #expect(bench.pool.nextDeadline == second(130))
    }
}
