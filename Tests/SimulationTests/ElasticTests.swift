import Background
import Simulator
import SuperviseCore
import Testing

/// Elastic pools: every invariant holds in every seed, and the simulation catches every planted
/// bug.
@Suite(.inBackground) struct ElasticTests {
    private static let seeds: UInt64 = 1_000

    @Test func theInvariantsHold() {
        var (ups, downs, blocks, wakes) = (0, 0, 0, 0)
        for seed in 0..<Self.seeds {
            let schedule = ElasticSchedule(seed: seed)
            var simulation = ElasticSimulation(schedule, of: schedule.service)
            let violation = simulation.run()
            #expect(violation == nil, "seed \(seed)")
            if violation != nil { return }
            ups += simulation.ups
            downs += simulation.downs
            blocks += simulation.blocks
            wakes += simulation.wakes
        }
        // The schedules reach every decision often.
        #expect(ups > 1_000 && downs > 1_000, "\(ups) ups, \(downs) downs")
        #expect(blocks > 100 && wakes > 1_000, "\(blocks) blocks, \(wakes) wakes")
    }

    /// The state of an elastic pool survives an upgrade between any two events.
    @Test func aHandoverChangesNothing() {
        for seed in UInt64(0)..<20 {
            let schedule = ElasticSchedule(seed: seed)
            var simulation = ElasticSimulation(schedule, of: HandedOver(schedule.service))
            #expect(simulation.run() == nil, "seed \(seed)")
            #expect(simulation.machine.differences == [], "seed \(seed)")
        }
    }

    #if DEBUG
        @Test(arguments: ElasticBug.allCases)
        func isCaught(bug: ElasticBug) {
            let caught = (0..<Self.seeds).contains { seed in
                let schedule = ElasticSchedule(seed: seed)
                var simulation = ElasticSimulation(schedule, of: BuggedElastic(bug, schedule))
                return simulation.run() != nil
            }
            #expect(caught, "\(bug) survived \(Self.seeds) seeds")
        }
    #endif
}
