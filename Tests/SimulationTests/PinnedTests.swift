import Simulator
import SuperviseCore
import Testing

/// Schedules that once broke an invariant, shrunk, as the simulator printed them.
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

    private func expectGood(
        _ schedule: Schedule, _ location: SourceLocation = #_sourceLocation
    ) {
        let outcome = schedule.run()
        #expect(outcome.violation == nil, sourceLocation: location)
        #expect(outcome.exitCode == 0, sourceLocation: location)
    }
}
