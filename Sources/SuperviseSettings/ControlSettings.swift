import SuperviseCore

/// The address of the control socket.
public enum ControlAddress: Hashable, Sendable {
    /// `NAME.sock` in the runtime directory, if it can be created there.
    case automatic
    /// No control socket.
    case none
    /// A unix socket at this path.
    case path(String)
}

/// A command that is run for events.
public struct EventHook: Hashable, Sendable {
    /// The events that it is run for.
    public var events: [HookEvent]
    /// The program and its arguments.
    public var command: [String]
}

/// An event that a hook can be run for: a log event by its name, or a group of them.
public enum HookEvent: String, Hashable, Sendable, CaseIterable {
    /// The program of a worker runs.
    case started
    /// A worker is ready.
    case ready
    /// A worker is to be replaced.
    case recycleScheduled = "recycle-scheduled"
    /// A worker was asked to stop.
    case retiring
    /// A worker exited.
    case exited
    /// A worker did not stop in time.
    case killed
    /// The next start of a slot is delayed.
    case backoff
    /// Every worker of a slot has finished, and none is started again.
    case slotFinished = "slot-finished"
    /// A run of a schedule succeeded.
    case jobFinished = "job-finished"
    /// A run of a schedule failed.
    case jobFailed = "job-failed"
    /// A run of a schedule did not take place.
    case jobSkipped = "job-skipped"
    /// A worker younger than `min-lifetime` exceeds its cap.
    case memoryAlarm = "memory-alarm"
    /// A worker exceeds `warn-rss`.
    case memoryWarning = "memory-warning"
    /// Workers leak faster than they can be replaced.
    case leakAlarm = "leak-alarm"
    /// A request got no response within `request-timeout`.
    case requestStuck = "request-stuck"
    /// More than half of the workers wait for a response.
    case requestsHang = "requests-hang"
    /// The workers together exceed their memory limit.
    case memoryShortage = "memory-shortage"
    /// The number of workers of a pool changed.
    case resized
    /// An elastic pool got workers.
    case scaledUp = "scaled-up"
    /// An elastic pool lost a worker.
    case scaledDown = "scaled-down"
    /// An elastic pool needs workers and does not get them.
    case scaleBlocked = "scale-blocked"
    /// A reload started.
    case reload
    /// A reload was aborted.
    case reloadAborted = "reload-aborted"
    /// The configuration of a reload has errors.
    case reloadFailed = "reload-failed"
    /// Every worker is of the new generation.
    case reloadComplete = "reload-complete"
    /// A pool stops.
    case stopping
    /// No worker could boot, so the master stops.
    case startupFailed = "startup-failed"
    /// A worker was asked to stop because it is replaced as planned.
    case recycle
    /// An unplanned exit of a worker.
    case crash
    /// Every event.
    case all
}

extension Format where Value == ControlAddress {
    static let control = Format(
        "PATH", allowed: "auto, none, or the path of a unix socket", readsQuotes: true
    ) { text throws(ValueFault) in
        let path = try Quoting.unquote(text)
        switch path {
        case "auto": return .automatic
        case "none": return .none
        default: break
        }
        guard !path.isEmpty else { throw .empty }
        guard case .unix(let checked) = try BindAddress(parsing: "unix:" + path) else {
            throw .malformed(text, noun: "a path")
        }
        return .path(checked)
    } print: {
        switch $0 {
        case .automatic: "auto"
        case .none: "none"
        case .path(let path):
            path == "auto" || path == "none" ? "./\(path)" : Quoting.quote(path)
        }
    }
}

extension Format where Value == BindAddress {
    /// An address that the master itself opens, not an inherited socket.
    static let statusBind = Format(
        "ADDRESS", allowed: "HOST:PORT, [IPV6]:PORT, :PORT or unix:PATH", readsQuotes: true
    ) { text throws(ValueFault) in
        let address = try BindAddress(parsing: try Quoting.unquote(text))
        switch address {
        case .tcp, .unix: return address
        case .abstract, .descriptor, .systemd: throw .malformed(text, noun: "such an address")
        }
    } print: {
        Quoting.quote($0.description)
    }
}

extension Format where Value == EventHook {
    static let hook = Format(
        "EVENTS COMMAND",
        allowed: "a comma-separated list of events, then a program and its arguments",
        readsQuotes: true
    ) { text throws(ValueFault) in
        var words = try ShellWords.split(text)
        // A hook needs two words, so the quotes enclose the whole value.
        if let only = words.first, words.count == 1 { words = try ShellWords.split(only) }
        guard let list = words.first, words.count > 1, !words[1].isEmpty else {
            throw .malformed(text, noun: "events and a command")
        }
        var events: [HookEvent] = []
        for name in list.split(separator: ",", omittingEmptySubsequences: false) {
            guard let event = HookEvent(rawValue: String(name)) else {
                let known = HookEvent.allCases.map(\.rawValue)
                let hint = NearestName.hint(String(name), in: known)
                throw .malformed(String(name), noun: "an event" + hint)
            }
            events.append(event)
        }
        return EventHook(events: events, command: Array(words.dropFirst()))
    } print: {
        ShellWords.join([$0.events.map(\.rawValue).joined(separator: ",")] + $0.command)
    }
}
