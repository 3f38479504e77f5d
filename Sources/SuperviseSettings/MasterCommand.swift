import SuperviseCore

/// A command for a running master: `supervise status` and its siblings.
public struct MasterCommand: Equatable, Sendable {
    /// What is to be done.
    public enum Action: Equatable, Sendable {
        /// Show the pools and workers once.
        case status(json: Bool)
        /// Show them again and again.
        case top
        /// Show what happened, and with `follow` what happens.
        case events(follow: Bool, json: Bool)
        /// Roll over to new code and settings; with `wait`, until that is decided, or for so long.
        case reload(wait: Bool, timeout: TimeSpan?)
        /// Replace the worker of a slot, or of all where it is nil.
        case recycle(slot: Int?, pool: String?)
        /// Change the number of workers: `4`, `+1`, `-1`.
        case scale(String, pool: String?)
        /// Stop; with `wait`, until the master is gone.
        case stop(quick: Bool, wait: Bool)
        /// Open the log files again.
        case reopen
        /// Replace the master's program.
        case upgrade
    }

    /// Which master.
    public enum Target: Equatable, Sendable {
        /// The only one that runs.
        case only
        /// The one of this name.
        case named(String)
        /// The one that listens on this unix socket.
        case socket(String)
    }

    /// What is to be done.
    public var action: Action
    /// By which master.
    public var target = Target.only

    /// A command.
    public init(_ action: Action, target: Target = .only) {
        self.action = action
        self.target = target
    }
}

/// Reads the words after such a verb.
struct MasterCommandParser {
    private let verb: Verb
    private var rest: ArraySlice<String>
    private var words: [String] = []
    private var flags: Set<String> = []
    private var values: [String: String] = [:]

    init(_ verb: Verb, _ arguments: ArraySlice<String>) {
        self.verb = verb
        rest = arguments
    }

    /// The command, or nil where help was asked for.
    static func parse(
        _ verb: Verb, _ arguments: ArraySlice<String>
    ) throws(SettingsError) -> MasterCommand? {
        var parser = MasterCommandParser(verb, arguments)
        guard try parser.read() else { return nil }
        let action = try parser.action()
        if let extra = parser.words.first { throw parser.error("unexpected \(shown(extra))") }
        return MasterCommand(action, target: try parser.target())
    }

    private var flagNames: [String] {
        switch verb {
        case .status: ["--json"]
        case .events: ["--follow", "--json"]
        case .reload: ["--wait"]
        case .stop: ["--quick", "--wait"]
        case .top, .recycle, .scale, .reopen, .upgrade, .run, .check, .help, .man, .version: []
        }
    }

    private var valueNames: [String] {
        let own: [String] =
            switch verb {
            case .reload: ["--timeout"]
            case .recycle, .scale: ["--pool"]
            case .status, .top, .events, .stop, .reopen, .upgrade, .run, .check, .help, .man,
                .version:
                []
            }
        return own + ["--name", "--control"]
    }

    private mutating func read() throws(SettingsError) -> Bool {
        while let argument = rest.popFirst() {
            if argument == "-h" || argument == "--help" { return false }
            guard argument.hasPrefix("--") else {
                words.append(argument)
                continue
            }
            let parts = argument.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false
            )
            .map(String.init)
            if flagNames.contains(parts[0]), parts.count == 1 {
                flags.insert(parts[0])
            } else if valueNames.contains(parts[0]) {
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst(), !value.isEmpty
                else { throw error("\(parts[0]) needs a value") }
                values[parts[0]] = value
            } else {
                throw error(
                    "unknown option \(shown(argument))"
                        + NearestName.hint(parts[0], in: flagNames + valueNames + ["--help"])
                        + "; usage: supervise \(verb.usage.form)")
            }
        }
        return true
    }

    private mutating func action() throws(SettingsError) -> MasterCommand.Action {
        switch verb {
        case .status: return .status(json: flags.contains("--json"))
        case .top: return .top
        case .events:
            return .events(follow: flags.contains("--follow"), json: flags.contains("--json"))
        case .reload:
            let timeout = try timeout()
            guard timeout == nil || flags.contains("--wait") else {
                throw error("--timeout needs --wait")
            }
            return .reload(wait: flags.contains("--wait"), timeout: timeout)
        case .recycle: return .recycle(slot: try slot(), pool: values["--pool"])
        case .scale: return .scale(try number(), pool: values["--pool"])
        case .stop:
            return .stop(quick: flags.contains("--quick"), wait: flags.contains("--wait"))
        case .reopen: return .reopen
        case .upgrade: return .upgrade
        case .run, .check, .help, .man, .version:
            preconditionFailure("\(verb) is not for a running master")
        }
    }

    private func target() throws(SettingsError) -> MasterCommand.Target {
        switch (values["--name"], values["--control"]) {
        case (nil, nil): return .only
        case (let name?, nil):
            guard isMasterName(name) else { throw error("\(shown(name)) is no name of a master") }
            return .named(name)
        case (nil, let path?): return .socket(path.after(prefix: "unix:") ?? path)
        case (_?, _?): throw error("--name and --control both name a master; give one")
        }
    }

    private func timeout() throws(SettingsError) -> TimeSpan? {
        guard let text = values["--timeout"] else { return nil }
        do throws(ValueFault) {
            return try DurationText.parse(text)
        } catch {
            throw self.error("--timeout takes a duration such as 30s or 2m, not \(shown(text))")
        }
    }

    private mutating func slot() throws(SettingsError) -> Int? {
        guard let word = words.first else {
            throw error("which slot? usage: supervise \(verb.usage.form)")
        }
        words.removeFirst()
        if word == "all" { return nil }
        guard case .number(let number) = Decimal.parse(word), let slot = Int(exactly: number) else {
            throw error("a slot is a number from 0, or all; not \(shown(word))")
        }
        return slot
    }

    private mutating func number() throws(SettingsError) -> String {
        guard let word = words.first else {
            throw error("to how many workers? usage: supervise \(verb.usage.form)")
        }
        words.removeFirst()
        let digits = word.hasPrefix("+") || word.hasPrefix("-") ? String(word.dropFirst()) : word
        guard case .number(let number) = Decimal.parse(digits), (1...100_000).contains(number)
        else {
            throw error(
                "a number of workers such as 4, or a change such as +1 or -1; not \(shown(word))")
        }
        return word
    }

    private func error(_ message: String) -> SettingsError {
        SettingsError([
            SettingsProblem(source: .commandLine(option: verb.rawValue), message: message)
        ])
    }
}
