import SuperviseLinux
import SuperviseSettings

/// The last events, and the subscribers to new ones. An event is a line of the log at any level
/// except `debug`, regardless of the log's level.
final class EventFeed {
    /// The schema version of events. A new field or event keeps it; one that is removed or changes
    /// its meaning increments it.
    static let schemaVersion = 2
    /// The number of events that are kept.
    static let kept = 100
    /// The number of changes that are kept of each kind.
    private static let keptChanges = 40
    /// The events that change the size of a pool.
    private static let sizeNames: Set<String> = [
        "resized", "scaled-up", "scaled-down", "bounds-changed", "parked", "unparked",
    ]
    /// The events that change the service as a whole. Both kinds are kept longer than events about
    /// single workers, which are far more frequent.
    private static let changeNames: Set<String> = [
        "master-started", "reload", "reload-committed", "reload-aborted", "reload-complete",
        "reload-failed", "canary-failed", "stopping", "startup-failed", "upgraded",
        "upgrade-failed", "memory-shortage", "leak-alarm",
    ]

    struct Event: Codable {
        let sequence: UInt64
        let time: WallTime
        let line: LogLine

        /// One JSON object, which ends with a line break.
        var json: [UInt8] {
            let head = [
                "\"schema\":\(EventFeed.schemaVersion)", "\"sequence\":\(sequence)",
            ]
            return Array((LogRendering.json(line, at: time, head: head) + "\n").utf8)
        }

        /// The event without the fields that name routes.
        var withoutRoutes: Event {
            Event(sequence: sequence, time: time, line: line.withoutRoutes)
        }
    }

    /// The state for another program of this process.
    struct State: Codable {
        var events: [Event]
        var lastSequence: UInt64
        var changes: [Event]?
    }

    private(set) var recent: [Event] = []
    private var oldest = 0
    private var lastSequence: UInt64 = 0
    /// The last changes, oldest first.
    private(set) var changes: [Event] = []
    /// The receiver of every new event.
    var listener: ((Event) -> Void)?

    /// The last events, oldest first.
    var events: [Event] { Array(recent[oldest...] + recent[..<oldest]) }

    var state: State { State(events: events, lastSequence: lastSequence, changes: changes) }

    func resume(_ state: State) {
        recent = state.events
        oldest = 0
        lastSequence = state.lastSequence
        changes = state.changes ?? []
    }

    func take(_ line: LogLine, at time: WallTime) {
        guard line.level != .debug else { return }
        lastSequence += 1
        let event = Event(sequence: lastSequence, time: time, line: line)
        if recent.count < EventFeed.kept {
            recent.append(event)
        } else {
            recent[oldest] = event
            oldest = (oldest + 1) % EventFeed.kept
        }
        for names in [EventFeed.changeNames, EventFeed.sizeNames] where names.contains(line.event) {
            keepChange(event, among: names)
        }
        listener?(event)
    }

    private func keepChange(_ event: Event, among names: Set<String>) {
        let known = changes.indices.filter { names.contains(changes[$0].line.event) }
        if known.count == EventFeed.keptChanges, let oldest = known.first {
            changes.remove(at: oldest)
        }
        changes.append(event)
    }
}
