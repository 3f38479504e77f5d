import Background
import Simulator
import Testing

@Suite(.inBackground) struct HandingOverTests {
    /// Every state that a run reaches decodes to an equal state, and the service continues as if
    /// there had been no handover.
    @Test func aServiceSurvivesBeingHandedOver() {
        for seed in UInt64(0)..<20 {
            let schedule = Swarm.schedule(seed: seed)
            var simulation = Simulation(schedule, of: HandedOver(schedule.service))
            let outcome = simulation.run()
            #expect(simulation.machine.differences == [], "seed \(seed)")
            #expect(outcome == schedule.run(), "seed \(seed)")
        }
    }
}
