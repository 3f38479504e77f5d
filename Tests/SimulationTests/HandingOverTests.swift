import Background
import Simulator
import SuperviseCore
import SuperviseState
import Testing

/// A service that is repeatedly handed over to another program between two events.
private struct HandedOverService: Machine {
    private(set) var service: Service
    private(set) var differences: [String] = []

    init(_ service: Service) { self.service = service }

    var nextDeadline: Instant? { service.nextDeadline }

    mutating func handle(_ event: Service.Event, at now: Instant) -> [Service.Action] {
        do {
            let copy = try State.decode(Service.self, from: try State.encode(service))
            if copy != service { differences.append("before \(event)") }
            service = copy
        } catch {
            differences.append("before \(event): \(error)")
        }
        return service.handle(event, at: now)
    }
}

@Suite(.inBackground) struct HandingOverTests {
    /// Every state that a run reaches decodes to an equal state, and the service continues as if
    /// there had been no handover.
    @Test func aServiceSurvivesBeingHandedOver() {
        for seed in UInt64(0)..<20 {
            let schedule = Swarm.schedule(seed: seed)
            var simulation = Simulation(schedule, of: HandedOverService(schedule.service))
            let outcome = simulation.run()
            #expect(simulation.machine.differences == [], "seed \(seed)")
            #expect(outcome == schedule.run(), "seed \(seed)")
        }
    }
}
