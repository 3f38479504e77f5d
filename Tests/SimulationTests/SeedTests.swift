import Simulator
import SuperviseCore
import Testing

struct SeedTests {
    @Test(arguments: 0..<8) func seeds(part: Int) {
        for seed in stride(from: part, to: 400, by: 8) {
            var simulation = Simulation<Service>(Swarm.schedule(seed: UInt64(seed)))
            let outcome = simulation.run()
            if let violation = outcome.violation {
                Issue.record("seed \(seed): \(violation)")
            }
        }
    }
}
