import Simulator
import SuperviseCore
import SuperviseState

/// A service that is encoded and decoded before each event, as by an upgrade.
struct HandedOver: Machine {
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
