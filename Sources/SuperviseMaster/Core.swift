import SuperviseCore

/// The service, which makes all decisions, and its unhandled events. Every part of the master reads
/// the service and adds events here; only the loop makes it handle them.
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

    /// Adds an event after the waiting ones.
    func enqueue(_ event: Service.Event) {
        events.append(event)
    }

    /// Adds an event about a worker.
    func enqueue(_ id: WorkerID, _ news: WorkerEvent) {
        events.append(.worker(id, news))
    }

    /// Adds an event that is handled before all waiting ones.
    func enqueueFirst(_ event: Service.Event) {
        events.insert(event, at: handled)
    }

    /// Whether no event waits.
    var isSettled: Bool { handled == events.count }

    /// Handles the next event and returns the resulting actions; nil if none waits. Keeps the
    /// capacity for up to `keptCapacity` events for the next turn.
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

    /// Returns the core's state of the worker; nil once it has ended.
    func worker(_ id: WorkerID) -> Worker? { service.member(id.pool)?.pool.worker(id) }
}

extension Master {
    var service: Service { core.service }

    func enqueue(_ event: Service.Event) {
        core.enqueue(event)
    }

    func enqueue(_ id: WorkerID, _ news: WorkerEvent) {
        core.enqueue(id, news)
    }
}
