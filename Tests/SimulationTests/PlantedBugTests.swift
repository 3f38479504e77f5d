import Background
import Simulator
import Testing

/// Every planted bug is caught, within so many seeds.
@Suite(.inBackground) struct PlantedBugTests {
    static let mostSeeds: UInt64 = 4_000

    @Test(arguments: PlantedBug.allCases)
    func isCaught(bug: PlantedBug) throws {
        let caught = (0..<Self.mostSeeds).first { seed in
            let schedule = Swarm.schedule(seed: seed)
            var simulation = Simulation(schedule, of: Bugged(bug, schedule))
            return simulation.run().violation != nil
        }
        let seed = try #require(caught, "\(bug) survived \(Self.mostSeeds) seeds")
        // It is the bug that was caught, and nothing that the machine does anyway.
        #expect(Swarm.schedule(seed: seed).run().violation == nil)
    }
}
