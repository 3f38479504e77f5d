import SuperviseLinux
import SuperviseSettings

/// What happens, for those who look: the last events, and whoever wants each as it comes. An event
/// is a line of the log, whatever the log's level is, but for `debug`.
final class EventFeed {
    /// The version of what an event tells. A new field or event does not change it; one that goes,
    /// or means something else, does.
    static let schemaVersion = 2
    /// How many events are kept.
    static let kept = 100

    struct Event: Codable {
        let sequence: UInt64
        let time: WallTime
        let line: LogLine

        /// One JSON object, ending with a line break.
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

    /// All of it, for another program of this process to go on with.
    struct State: Codable {
        var events: [Event]
        var lastSequence: UInt64
    }

    private(set) var recent: [Event] = []
    private var oldest = 0
    private var lastSequence: UInt64 = 0
    /// Told of every event as it comes.
    var listener: ((Event) -> Void)?

    /// The last events, oldest first.
    var events: [Event] { Array(recent[oldest...] + recent[..<oldest]) }

    var state: State { State(events: events, lastSequence: lastSequence) }

    func resume(_ state: State) {
        recent = state.events
        oldest = 0
        lastSequence = state.lastSequence
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
        listener?(event)
    }
}
