import Background
import Simulator
import SuperviseCore
import Testing

/// Hunts: every invariant holds in every seed, and the simulation catches every planted bug.
@Suite(.inBackground) struct HuntTests {
    private static let seeds: UInt64 = 500

    @Test func theInvariantsHold() {
        var begun = 0
        var ends: [String: Int] = [:]
        for seed in 0..<Self.seeds {
            var simulation = HuntSimulation(
                seed: seed, of: HuntSimulation<Service>.service(seed: seed))
            let violation = simulation.run()
            #expect(violation == nil, "seed \(seed)")
            if violation != nil { return }
            begun += simulation.begun
            ends.merge(simulation.ends) { $0 + $1 }
        }
        #expect(begun > 1_000, "\(begun) hunts")
        for reason in ["finished", "timeout", "reload", "parked", "stop", "exited"] {
            #expect(ends[reason] ?? 0 > 10, "\(reason): \(ends)")
        }
    }

    /// The state of a hunt survives an upgrade between any two events.
    @Test func aHandoverChangesNothing() {
        for seed in UInt64(0)..<20 {
            let service = HuntSimulation<Service>.service(seed: seed)
            var simulation = HuntSimulation(seed: seed, of: HandedOver(service))
            #expect(simulation.run() == nil, "seed \(seed)")
            #expect(simulation.machine.differences == [], "seed \(seed)")
        }
    }

    #if DEBUG
        @Test(arguments: HuntBug.allCases)
        func isCaught(bug: HuntBug) {
            let caught = (0..<Self.seeds).contains { seed in
                var simulation = HuntSimulation(seed: seed, of: BuggedHunts(bug, seed: seed))
                return simulation.run() != nil
            }
            #expect(caught, "\(bug) survived \(Self.seeds) seeds")
        }
    #endif
}
