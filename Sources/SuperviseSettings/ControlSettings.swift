import SuperviseCore

/// Where the control socket is.
public enum ControlAddress: Hashable, Sendable {
    /// `NAME.sock` in the runtime folder, if it can be made there.
    case automatic
    /// Nowhere.
    case none
    /// At this path.
    case path(String)
}

/// A command that is run when something happens.
public struct EventHook: Hashable, Sendable {
    /// What it is run for.
    public var events: [HookEvent]
    /// The program and its arguments.
    public var command: [String]
}

/// What a hook can be run for: the events of the log by their names, and words for several of them.
public enum HookEvent: String, Hashable, Sendable, CaseIterable {
    /// A worker's program runs.
    case started
    /// A worker is ready.
    case ready
    /// A worker is to be replaced.
    case due
    /// A worker was told to go.
    case retiring
    /// A worker ended.
    case exited
    /// A worker did not go in time.
    case killed
    /// A slot waits before its next start.
    case backoff
    /// A slot's work is done.
    case done
    /// A worker is over its cap while too young.
    case memoryAlarm = "memory-alarm"
    /// A worker is over `warn-rss`.
    case memoryWarning = "memory-warning"
    /// Workers leak faster than they can be replaced.
    case leakAlarm = "leak-alarm"
    /// The workers need too much memory together.
    case memoryShortage = "memory-shortage"
    /// A pool has another number of workers.
    case resized
    /// A reload has begun.
    case reload
    /// A reload was given up.
    case reloadAborted = "reload-aborted"
    /// A reload's configuration cannot be put to work.
    case reloadFailed = "reload-failed"
    /// Every worker is of the new generation.
    case reloadComplete = "reload-complete"
    /// A pool stops.
    case stopping
    /// The master gives up.
    case givingUp = "giving-up"
    /// A worker was told to go since its replacement takes over.
    case recycle
    /// A worker ended in a way that nobody planned.
    case crash
    /// Everything.
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
    /// An address that is no worker's: not one that somebody else opened.
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
        allowed: "events with commas between them, then a program and its arguments",
        readsQuotes: true
    ) { text throws(ValueFault) in
        var words = try ShellWords.split(text)
        // One word is never enough, so the quotes are around all of it.
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
