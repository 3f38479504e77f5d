import Background
import Simulator
import SuperviseCore
import Testing

/// Runs by a schedule: every invariant holds in every seed, and the simulation catches every
/// planted bug.
@Suite(.inBackground) struct RunTests {
    private static let seeds: UInt64 = 2_000

    @Test func theInvariantsHold() {
        var starts = 0
        var skips = 0
        var outcomes: [RunOutcome: Int] = [:]
        for seed in 0..<Self.seeds {
            let schedule = RunSchedule(seed: seed)
            var simulation = RunSimulation(schedule, of: schedule.base.service)
            let violation = simulation.run()
            #expect(violation == nil, "seed \(seed)")
            if violation != nil { return }
            starts += simulation.starts
            skips += simulation.skips
            outcomes.merge(simulation.outcomes) { $0 + $1 }
        }
        // The schedules reach every outcome often.
        #expect(starts > 10_000 && skips > 10_000, "\(starts) starts, \(skips) skips")
        for outcome in RunOutcome.allCases {
            #expect(outcomes[outcome] ?? 0 > 500, "\(outcome): \(outcomes)")
        }
    }

    /// The state of runs survives an upgrade between any two events.
    @Test func aHandoverChangesNothing() {
        for seed in UInt64(0)..<40 {
            let schedule = RunSchedule(seed: seed)
            var simulation = RunSimulation(schedule, of: HandedOver(schedule.base.service))
            #expect(simulation.run() == nil, "seed \(seed)")
            #expect(simulation.machine.differences == [], "seed \(seed)")
        }
    }

    #if DEBUG
        @Test(arguments: RunBug.allCases)
        func isCaught(bug: RunBug) {
            let caught = (0..<Self.seeds).contains { seed in
                let schedule = RunSchedule(seed: seed)
                var simulation = RunSimulation(schedule, of: BuggedRuns(bug, schedule))
                return simulation.run() != nil
            }
            #expect(caught, "\(bug) survived \(Self.seeds) seeds")
        }
    #endif
}
