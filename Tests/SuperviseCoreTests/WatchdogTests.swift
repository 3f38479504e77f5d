import Testing

@testable import SuperviseCore

/// Workers that run but make no progress (Pool+Watchdog.swift).
struct WatchdogTests {
    private func watched(workers: Int = 1) -> Bench {
        let bench = Bench(workers: workers) {
            $0.watchdogTimeout = .seconds(30)
            $0.stableAfter = .seconds(1)
        }
        bench.bringUp()
        return bench
    }

    @Test func workersWithoutWatchdogMessagesAreNotWatched() {
        let bench = watched()
        #expect(bench.pool.nextDeadline == nil)
    }

    @Test func aWorkerThatMissesItsWatchdogIsAbortedThenKilled() {
        let bench = watched()
        bench.tell(id(0), .watchdog)
        bench.wait(.seconds(20))
        bench.tell(id(0), .watchdog)
        #expect(
            bench.wake() == [
                .note(.retiring(id(0), .watchdog, facts(50))), .signal(id(0), .abort),
                start(id(0, 2)),
            ])
        #expect(bench.now == second(50))
        #expect(bench.wake() == [.note(.killed(id(0), .watchdog)), .kill(id(0))])
        #expect(bench.now == second(52))
    }

    @Test func aTriggerNeedsNoSilence() {
        let bench = watched()
        bench.wait(.seconds(2))
        #expect(
            bench.tell(id(0), .watchdogTriggered) == [
                .note(.retiring(id(0), .watchdog, facts(2))), .signal(id(0), .abort),
                start(id(0, 2)),
            ])
    }

    @Test func withoutTheSettingNothingIsWatched() {
        let bench = Bench()
        bench.bringUp()
        #expect(bench.tell(id(0), .watchdog) == [])
        #expect(bench.pool.nextDeadline == nil)
    }

    @Test func aBootAsksForMoreTime() {
        let bench = Bench { $0.readyTimeout = .seconds(60) }
        bench.tell(.start)
        bench.tell(id(0), .running)
        bench.wait(.seconds(50))
        bench.tell(id(0), .extendTimeout(.seconds(30)))
        #expect(bench.wake().retired == [id(0)])
        #expect(bench.now == second(80))
    }

    @Test func aSmallExtensionTakesNothingAway() {
        let bench = Bench { $0.readyTimeout = .seconds(60) }
        bench.tell(.start)
        bench.tell(id(0), .running)
        bench.tell(id(0), .extendTimeout(.seconds(5)))
        bench.wake()
        #expect(bench.now == second(60))
    }

    @Test func aSecondExtensionTakesNothingOfTheFirst() {
        let bench = Bench { $0.readyTimeout = .seconds(60) }
        bench.tell(.start)
        bench.tell(id(0), .running)
        bench.tell(id(0), .extendTimeout(.seconds(100)))
        bench.tell(id(0), .extendTimeout(.seconds(70)))
        bench.wake()
        #expect(bench.now == second(100))
    }

    @Test func killedWorkersCannotExtend() {
        let bench = watched()
        bench.tell(.stop(.graceful))
        #expect(bench.wake() == [.note(.killed(id(0), .stop)), .kill(id(0))])
        bench.tell(id(0), .extendTimeout(.seconds(100)))
        #expect(bench.wake() == [.kill(id(0))])
        #expect(bench.now == second(31))
    }

    /// Its environment contains the timeout of its start, which stays in effect.
    @Test(arguments: [nil, TimeSpan.seconds(5)])
    func aNewerSettingDoesNotBindAnOldWorker(timeout: TimeSpan?) {
        let bench = watched(workers: 2)
        var policy = bench.pool.policy
        policy.watchdogTimeout = timeout
        bench.tell(id(1), .watchdog)
        bench.tell(.prepare(generation: 2, policy))
        bench.makeReady(id(0, 2))
        bench.wake()
        bench.tell(.commit())
        #expect(bench.now == second(1))
        bench.wait(.seconds(19))
        bench.tell(id(1), .watchdog)
        #expect(bench.pool.worker(id(1))?.claims?.watchdogAt == second(50))
    }

    @Test func aGracefulStopCanBeExtendedAQuickOneNot() {
        let bench = watched()
        bench.tell(.stop(.graceful))
        bench.tell(id(0), .extendTimeout(.seconds(100)))
        #expect(bench.pool.nextDeadline == second(100))
        bench.tell(.stop(.quick))
        #expect(bench.pool.nextDeadline == second(2))
        bench.tell(id(0), .extendTimeout(.seconds(100)))
        #expect(bench.pool.nextDeadline == second(2))
    }

    @Test func anAbortIsNotExtended() {
        let bench = watched()
        bench.tell(id(0), .watchdogTriggered)
        bench.tell(id(0), .extendTimeout(.seconds(100)))
        bench.wake()
        #expect(bench.now == second(2))
    }

    @Test func aHungCanaryFailsItsTrial() {
        let bench = watched()
        bench.tell(.prepare(generation: 2, bench.pool.policy))
        bench.makeReady(id(0, 2))
        bench.tell(id(0, 2), .watchdogTriggered)
        #expect(bench.pool.trial == .failed(.left(.watchdog)))
        #expect(bench.pool.worker(id(0))?.isReady == true)
    }

    @Test func lostTimeIsGivenBack() {
        let bench = watched(workers: 2)
        bench.tell(id(1), .watchdog)
        #expect(bench.tell(.resize(by: -1)).retired == [id(0)])
        #expect(bench.pool.worker(id(0))?.killAt == second(30))
        bench.tell(.late(by: .seconds(7)))
        #expect(bench.pool.worker(id(1))?.claims?.watchdogAt == second(37))
        #expect(bench.pool.worker(id(0))?.killAt == second(37))
    }

    @Test func lostTimeIsGivenBackToABoot() {
        let bench = Bench { $0.readyTimeout = .seconds(60) }
        bench.tell(.start)
        bench.tell(id(0), .running)
        bench.tell(.late(by: .seconds(7)))
        bench.wake()
        #expect(bench.now == second(67))
    }

    @Test func timeThatWasLostBeforeAnExtensionIsNotAddedToIt() {
        let bench = Bench { $0.readyTimeout = .seconds(60) }
        bench.tell(.start)
        bench.tell(id(0), .running)
        bench.wait(.seconds(7))
        bench.tell(.late(by: .seconds(7)))
        bench.tell(id(0), .extendTimeout(.seconds(100)))
        bench.wake()
        #expect(bench.now == second(107))
    }

    private func stallable(workers: Int = 2) -> Bench {
        let bench = Bench(workers: workers) { $0.stallTimeout = .seconds(40) }
        bench.bringUp()
        return bench
    }

    /// Completes the next sample of the queue.
    private func look(_ bench: Bench, isWaiting: Bool) -> [Action] {
        #expect(bench.wake() == [.sample(pool: 0, .progress)])
        return bench.tell(.sampled(PoolSample(waiting: isWaiting ? [1] : [])))
    }

    @Test func aStalledWorkerIsAbortedWhileConnectionsWait() {
        let bench = stallable()
        bench.tell(id(0), .requests(5))
        for seconds: Int64 in [10, 20, 30, 40] {
            #expect(look(bench, isWaiting: true) == [])
            #expect(bench.now == second(seconds))
            bench.tell(id(0), .moreRequests(1))
        }
        let actions = look(bench, isWaiting: true)
        #expect(actions.retired == [id(1)])
        #expect(actions.contains(.signal(id(1), .abort)))
    }

    @Test func anEmptyQueueBeginsTheWaitAnew() {
        let bench = stallable()
        bench.tell(id(0), .requests(5))
        for _ in 0..<4 { #expect(look(bench, isWaiting: true) == []) }
        #expect(look(bench, isWaiting: false) == [])
        for _ in 0..<4 { #expect(look(bench, isWaiting: true) == []) }
        #expect(look(bench, isWaiting: true).retired == [id(0), id(1)])
    }

    /// The new generation may have a listener that the others lack, and vice versa.
    @Test func noWorkerIsAbortedForOtherListeners() {
        let bench = stallable()
        bench.tell(id(0), .requests(5))
        for _ in 0..<6 {
            bench.wake()
            #expect(bench.tell(.sampled(PoolSample(waiting: [2]))) == [])
        }
        #expect(look(bench, isWaiting: true) == [])
    }

    @Test func withoutCountsNoWorkerIsAborted() {
        let bench = stallable()
        for _ in 0..<20 { #expect(look(bench, isWaiting: true) == []) }
    }

    @Test func aWatchedWorkerIsNotJudgedByItsCount() {
        let bench = Bench {
            $0.stallTimeout = .seconds(40)
            $0.watchdogTimeout = .seconds(1000)
        }
        bench.bringUp()
        bench.tell(id(0), .requests(1))
        bench.tell(id(0), .watchdog)
        for _ in 0..<8 { #expect(look(bench, isWaiting: true) == []) }
    }

    /// No worker could accept a connection while the cgroup was frozen.
    @Test func lostTimeIsNoStandstill() {
        let bench = stallable()
        bench.tell(id(0), .requests(5))
        for _ in 0..<3 { #expect(look(bench, isWaiting: true) == []) }
        bench.wait(.seconds(100))
        bench.tell(.late(by: .seconds(100)))
        #expect(look(bench, isWaiting: true) == [])
        #expect(look(bench, isWaiting: true).retired == [])
        #expect(look(bench, isWaiting: true).retired == [id(0), id(1)])
    }

    /// After being disabled and enabled again, it does not count earlier time.
    @Test func anUnpolledQueueDidNotWait() {
        let bench = stallable()
        bench.tell(id(0), .requests(5))
        #expect(look(bench, isWaiting: true) == [])
        for timeout in [nil, TimeSpan.seconds(40)] {
            var policy = bench.pool.policy
            policy.stallTimeout = timeout
            bench.tell(.prepare(generation: bench.pool.generation + 1, policy))
            bench.tell(.commit())
            bench.wait(.seconds(60))
        }
        #expect(bench.pool.queueWaits.isEmpty)
    }
}
