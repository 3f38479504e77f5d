import SuperviseCore

/// The service, which decides everything, and the events that it has not handled yet. Every part of the
/// master reads the service and adds events here; only the loop has them handled.
final class Core {
    /// The service after the last event that was handled.
    private(set) var service: Service
    private var events: [Service.Event] = []
    private var handled = 0

    init(_ service: Service) {
        self.service = service
    }

    /// Replaces a service that has handled no event.
    func begin(_ service: Service) {
        self.service = service
    }

    /// Adds an event behind those that wait.
    func tell(_ event: Service.Event) {
        events.append(event)
    }

    /// Adds an event about a worker.
    func tell(_ id: WorkerID, _ news: WorkerEvent) {
        events.append(.worker(id, news))
    }

    /// Adds an event that is handled before all that wait.
    func tellFirst(_ event: Service.Event) {
        events.insert(event, at: handled)
    }

    /// Whether no event waits.
    var isSettled: Bool { handled == events.count }

    /// Has the next event handled, and returns the actions that follow from it; nil if none waits. Up to
    /// `keptCapacity` events, the room for them is kept for the next turn.
    func handleNext(at now: Instant, keptCapacity: Int) -> [Service.Action]? {
        guard !isSettled else {
            events.removeAll(keepingCapacity: events.capacity <= keptCapacity)
            handled = 0
            return nil
        }
        let event = events[handled]
        handled += 1
        return service.handle(event, at: now)
    }

    /// The worker as the core knows it; nil once it is gone.
    func worker(_ id: WorkerID) -> Worker? { service.member(id.pool)?.pool.worker(id) }
}
