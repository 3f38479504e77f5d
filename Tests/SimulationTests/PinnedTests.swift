import Simulator
import SuperviseCore
import Testing

/// Schedules that broke an invariant in the past, shrunk, as the simulator printed them.
struct PinnedTests {
    @Test func aCrashedCanaryLeftItsCauseBehind() {
        expectGood(
            Schedule(
                seed: 1,
                pools: [Service.Plan("web") { _ in }, Service.Plan("jobs") { _ in }],
                program: Program {
                    $0.boot = 100; $0.drain = 100
                },
                faults: [
                    TimedFault(58, .hold(pool: 1, worker: 5, 3000)),
                    TimedFault(
                        800,
                        .reload(
                            [Service.Plan("web") { _ in }, Service.Plan("jobs") { _ in }],
                            Program {
                                $0.boot = 100; $0.drain = 100
                            })),
                    TimedFault(4000, .ask(pool: 1, worker: 4)),
                    TimedFault(4000, .end(pool: 1, worker: 3, signal: 11)),
                ], healAt: 4001))
    }

    @Test func aRefusedStartWithoutBackoffWasTriedForEver() {
        expectGood(
            Schedule(
                seed: 1,
                pools: [Service.Plan("web") { $0.backoff = .zero }],
                program: Program { $0.exec = 0 },
                faults: [
                    TimedFault(0, .refuseForks(100)), TimedFault(50, .end(pool: 0, worker: 0)),
                ],
                healAt: 200))
        expectGood(
            Schedule(
                seed: 1,
                pools: [Service.Plan("web") { $0.backoff = .zero }],
                program: Program { $0.exec = 0 },
                faults: [
                    TimedFault(2000, .refuseForks(100)),
                    TimedFault(2001, .end(pool: 0, worker: 0, signal: 6)),
                ], healAt: 3000))
    }

    @Test func theEndOfAHoldWasLostInALateTurn() {
        let web = Service.Plan("web") {
            $0.hasListeners = true
            $0.maxHold = .milliseconds(7919)
            $0.maxRSSBytes = 119_537_664
            $0.memoryInterval = .milliseconds(1966)
        }
        expectGood(
            Schedule(
                seed: 1, pools: [web], program: Program { $0.boot = 100 },
                faults: [
                    TimedFault(8800, .reload([web], Program { $0.boot = 100 })),
                    TimedFault(10_000, .hold(pool: 0, worker: 0, 20_000)),
                    TimedFault(17_000, .stall(4561)),
                ], healAt: 19_284))
    }

    @Test func aCanaryIsMeasuredAlsoWhenTimeIsLost() {
        let jobs = Service.Plan("jobs") {
            $0.readiness = .after(.milliseconds(300)); $0.killRSSBytes = 3 << 30
        }
        expectGood(
            Schedule(
                seed: 1, pools: [Service.Plan("jobs") { _ in }],
                program: Program {
                    $0.boot = 100; $0.memory = 25
                },
                faults: [
                    TimedFault(8700, .suspend(4913)),
                    TimedFault(9000, .reload([jobs], Program())),
                    TimedFault(15_800, .stall(254)),
                    TimedFault(16_000, .suspend(1923)),
                ], healAt: 16_001))
    }

    @Test func beingKilledForMemoryBeforeReadinessCountsAsAFailedBoot() {
        let web = Service.Plan("web") {
            $0.hasListeners = true
            $0.readiness = .notify
            $0.bootAttempts = 2
            $0.killRSSBytes = 100 << 20
        }
        let tooLarge = Program {
            $0.hanging = 1000; $0.memory = 250
        }
        expectGood(
            Schedule(seed: 1, pools: [web], program: tooLarge, healAt: 10_000), exitCode: 13)
    }

    @Test func aLoneCanaryFailedInASlotThatBacksOff() {
        let jobs = Service.Plan("jobs") {
            $0.workers = 3
            $0.readiness = .exec
            $0.backoff = .milliseconds(500)
        }
        expectGood(
            Schedule(
                seed: 1, pools: [jobs], program: Program { $0.exec = 0 },
                faults: [
                    TimedFault(1000, .refuseForks(400)),
                    TimedFault(1001, .end(pool: 0, worker: 0, signal: 11)),
                    TimedFault(1300, .end(pool: 0, worker: 0, signal: 11)),
                    TimedFault(1400, .resize(pool: 0, by: -1)),
                    TimedFault(1400, .reload([jobs], Program())),
                    TimedFault(1700, .end(pool: 0, worker: 1, signal: 11)),
                ], healAt: 3000))
    }

    @Test func timeInWhichNobodyRanWasCountedAsAStandstill() {
        let web = Service.Plan("web") {
            $0.workers = 3
            $0.hasListeners = true
            $0.stallTimeout = .milliseconds(5282)
        }
        expectGood(
            Schedule(
                seed: 1, pools: [web], program: Program { $0.reporting = 835 },
                faults: [
                    TimedFault(0, .queue(pool: 0, 20_000)), TimedFault(3000, .suspend(6000)),
                ], healAt: 12_000))
    }

    @Test func aNewSettingSilencedTheWatchdogOfAnOldWorker() {
        let web = Service.Plan("web") {
            $0.hasListeners = true
            $0.watchdogTimeout = .milliseconds(1500)
        }
        expectGood(
            Schedule(
                seed: 1, pools: [web], program: Program { $0.beating = 500 },
                faults: [
                    TimedFault(900, .hold(pool: 0, worker: 0, 20_000)),
                    TimedFault(
                        1000, .reload([Service.Plan("web") { $0.hasListeners = true }], Program())),
                ], healAt: 10_000))
    }

    @Test func aCanaryWaitedAlthoughItHadAPlace() {
        let web = Service.Plan("web") { $0.workers = 3 }
        let failing = Program {
            $0.exec = 0; $0.boot = 1341; $0.drain = 100; $0.linger = 2; $0.failing = 465
            $0.memory = 25
        }
        expectGood(
            Schedule(
                seed: 1, pools: [web], program: failing,
                faults: [TimedFault(800, .reload([web], failing))], healAt: 2597))
    }

    @Test func timeThatWasLostBeforeWasAddedToAnExtension() {
        let jobs = Service.Plan("jobs") {
            $0.readiness = .notify
            $0.readyTimeout = .milliseconds(5562)
        }
        expectGood(
            Schedule(
                seed: 1, pools: [jobs], program: Program { $0.hanging = 1000 },
                faults: [
                    TimedFault(3000, .suspend(4000)),
                    TimedFault(6900, .extend(pool: 0, worker: 0, 9000)),
                ], healAt: 10_000))
    }

    @Test func aShorterExtensionTookALongerOneBack() {
        let jobs = Service.Plan("jobs") {
            $0.readiness = .notify
            $0.readyTimeout = .milliseconds(600)
        }
        expectGood(
            Schedule(
                seed: 1, pools: [jobs], program: Program { $0.hanging = 1000 },
                faults: [
                    TimedFault(500, .extend(pool: 0, worker: 0, 5000)),
                    TimedFault(500, .extend(pool: 0, worker: 0, 500)),
                ], healAt: 5701))
    }

    @Test func aPlaceThatLackedRoomWasKeptFromOthers() {
        let web = Service.Plan("web") {
            $0.workers = 3; $0.maxRequests = 7; $0.maxRSSBytes = 240 << 20
            $0.minLifetime = .milliseconds(2899); $0.maxSurge = .count(2)
            $0.maxUnavailable = .count(2); $0.gracefulTimeout = .milliseconds(4817)
        }
        let program = Program {
            $0.exec = 2; $0.boot = 100; $0.drain = 100; $0.linger = 2; $0.trees = 131
            $0.deafTrees = 529; $0.memory = 25; $0.growth = 35; $0.limit = 1
            $0.reporting = 1359; $0.requests = 8; $0.paging = 500; $0.silent = 144
        }
        expectGood(Schedule(seed: 8917, pools: [web], program: program, healAt: 36_901))
    }

    @Test func whoIsFrozenTwiceIsNotFrozenForTheSum() {
        let web = Service.Plan("web") { $0.gracefulTimeout = .milliseconds(3291) }
        let program = Program {
            $0.exec = 2; $0.boot = 100; $0.drain = 100; $0.linger = 2; $0.memory = 25
        }
        expectGood(
            Schedule(
                seed: 1, pools: [web], program: program,
                faults: [
                    TimedFault(0, .stall(1327)), TimedFault(0, .stop(.graceful)),
                    TimedFault(300, .end(pool: 0, worker: 2, signal: 11, status: 0)),
                    TimedFault(900, .suspend(16215)), TimedFault(1000, .suspend(10697)),
                ], healAt: 1001))
    }

    @Test func evidenceHasTheTimeOfWhenItWasOrdered() {
        let jobs = Service.Plan("jobs") {
            $0.maxRSSBytes = 205_520_896; $0.sendsEvidenceSignal = true
            $0.minLifetime = .milliseconds(2846); $0.maxSurge = .count(1)
        }
        let program = Program {
            $0.exec = 2; $0.boot = 100; $0.drain = 100; $0.linger = 2; $0.growth = 18
        }
        let next = Service.Plan("jobs") { $0.runsBeforeRecycle = true }
        expectGood(
            Schedule(
                seed: 1, pools: [jobs], program: program,
                faults: [TimedFault(7600, .reload([next], Program()))], healAt: 16_132))
    }

    @Test func anEarlyRequestThatWasHeldOffClearedTheBackoffOfItsReplacement() {
        let web = Service.Plan("web") {
            $0.hasListeners = true; $0.readyTimeout = .milliseconds(5938)
            $0.maxUnavailable = .count(1)
        }
        let program = Program {
            $0.exec = 2; $0.boot = 100; $0.drain = 100; $0.busy = 10; $0.linger = 2
            $0.hanging = 64; $0.memory = 25
        }
        expectGood(
            Schedule(
                seed: 110_512, pools: [web], program: program,
                faults: [
                    TimedFault(700, .ask(pool: 0, worker: 5)),
                    TimedFault(3000, .hold(pool: 0, worker: 2, 5000)),
                    TimedFault(10_000, .reload([Service.Plan("web") { _ in }], program)),
                ], healAt: 10_001))
    }

    /// Listeners that a reload had removed were still held after the pool had ended.
    @Test func aPoolThatEndsHoldsNoListeners() {
        let web = Service.Plan("web") { _ in }
        var without = web
        without.dropsListeners = true
        expectGood(
            Schedule(
                seed: 1, pools: [web],
                program: Program {
                    $0.exec = 2; $0.boot = 100; $0.drain = 100; $0.busy = 10; $0.linger = 2
                },
                faults: [
                    TimedFault(0, .reload([without], Program())),
                    TimedFault(0, .reload([Service.Plan("mail") { _ in }], Program())),
                ], healAt: 1))
    }

    private func expectGood(
        _ schedule: Schedule, exitCode: Int32 = 0, _ location: SourceLocation = #_sourceLocation
    ) {
        let outcome = schedule.run()
        #expect(outcome.violation == nil, sourceLocation: location)
        #expect(outcome.exitCode == exitCode, sourceLocation: location)
    }
}
