import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Runs the commands of `on-event`. They are started at the end of a turn, and their number is
/// limited: events that arrive faster are skipped. The last commands outlive the master.
final class HookRunner {
    /// The time limit of a command.
    static let timeout = TimeSpan.seconds(10)
    /// The maximum number of running commands.
    static let mostRunning = 8
    /// The maximum number of commands that wait to be started.
    private static let mostWaiting = 64

    private struct Hook {
        let events: Set<HookEvent>
        let command: [String]
        let plan: SpawnPlan
    }

    fileprivate struct Order: Codable {
        let hook: Int
        let event: EventFeed.Event
    }

    /// The state for another program of this process, except the commands themselves, which the
    /// configuration contains.
    struct State: Codable {
        fileprivate var waiting: [Order]
        fileprivate var skipped: UInt64
    }

    var state: State { State(waiting: waiting, skipped: skipped) }

    /// Continues with the commands of a configuration that was already applied.
    func resume(_ state: State) {
        waiting = state.waiting.filter { hooks.indices.contains($0.hook) }
        skipped = state.skipped
    }

    private var hooks: [Hook] = []
    private var waiting: [Order] = []
    /// The number of skipped commands that were not reported yet.
    private(set) var skipped: UInt64 = 0
    private let commands: SideCommands

    init(commands: SideCommands) {
        self.commands = commands
    }

    /// Applies the commands of a configuration. Fails if there is not enough memory for them.
    func apply(_ settings: [EventHook]) throws(SystemCallError) {
        var made: [Hook] = []
        for hook in settings {
            let plan = try commands.plan(hook.command, endsWithMaster: false)
            made.append(Hook(events: Set(hook.events), command: hook.command, plan: plan))
        }
        hooks = made
        waiting = []
    }

    /// Queues the commands of an event.
    func take(_ event: EventFeed.Event) {
        guard !hooks.isEmpty else { return }
        let names = event.line.hookEvents
        for (index, hook) in hooks.enumerated() where !hook.events.isDisjoint(with: names) {
            if waiting.count < HookRunner.mostWaiting {
                waiting.append(Order(hook: index, event: event))
            } else {
                skipped += 1
            }
        }
    }

    /// Starts queued commands within the limit. Reports failures to `onFailure`.
    func startWaiting(at now: Instant, onFailure: (String, String) -> Void) {
        guard !waiting.isEmpty else { return }
        while commands.count(for: .event) < HookRunner.mostRunning, !waiting.isEmpty {
            let order = waiting.removeFirst()
            let hook = hooks[order.hook]
            do throws(SpawnFailure) {
                try commands.run(
                    hook.plan, variables: HookRunner.variables(order.event), for: .event,
                    within: HookRunner.timeout, at: now)
            } catch {
                onFailure(hook.command[0], "\(error)")
            }
        }
    }

    /// Returns the number of commands skipped since the last call.
    func takeSkipped() -> UInt64 {
        defer { skipped = 0 }
        return skipped
    }

    /// Returns the facts of an event as variables.
    private static func variables(_ event: EventFeed.Event) -> [String] {
        let prefix = "SUPERVISE_EVENT"
        var variables = [
            "\(prefix)=\(event.line.event)", "\(prefix)_SCHEMA=\(EventFeed.schemaVersion)",
            "\(prefix)_SEQUENCE=\(event.sequence)", "\(prefix)_TIME=\(event.time)",
            "\(prefix)_LEVEL=\(event.line.level.rawValue)",
            "\(prefix)_JSON=\(String(decoding: event.json.dropLast(), as: UTF8.self))",
        ]
        for field in event.line.fields {
            let text = LogRendering.bare(field.value).unicodeScalars.filter { $0.value != 0 }
            variables.append(
                "\(prefix)_\(field.key.uppercased())=\(String(String.UnicodeScalarView(text)))")
        }
        return variables
    }
}

extension LogLine {
    /// Unplanned ends, by the names of their causes.
    private static let crashes: Set<String> = Set(
        [Ending.crashed, .bootFailed].map { $0.name(.code(1)) }
            + [Ending.crashed.name(.outOfMemory)]
            + [RetireCause.killMemory, .watchdog, .stalled, .bootTimeout].map(\.name))
    private static let recycles = Set(RecycleCause.allCases.map(\.name))

    /// The hook events that this event matches.
    var hookEvents: Set<HookEvent> {
        var names: Set<HookEvent> = [.all]
        if let event = HookEvent(rawValue: event) { names.insert(event) }
        guard case .text(let cause)? = fields.first(where: { $0.key == "cause" })?.value else {
            return names
        }
        if event == HookEvent.exited.rawValue, LogLine.crashes.contains(cause) {
            names.insert(.crash)
        }
        if event == HookEvent.retiring.rawValue, LogLine.recycles.contains(cause) {
            names.insert(.recycle)
        }
        return names
    }
}
