import SuperviseCore

/// A command for a running master: `supervise status` and its siblings.
public struct MasterCommand: Equatable, Sendable {
    /// The action that is requested.
    public enum Action: Equatable, Sendable {
        /// Show the pools and workers once, or one pool.
        case status(json: Bool, pool: String?)
        /// Show them continuously.
        case top(pool: String?)
        /// Show the last events and, with `follow`, new ones.
        case events(follow: Bool, json: Bool)
        /// Show the routes that seem to retain memory, of one pool or of all.
        case leaks(json: Bool, pool: String?)
        /// Replace every worker; with `wait`, wait for the result, at most for `timeout`.
        case reload(wait: Bool, timeout: TimeSpan?)
        /// Replace the worker of a slot; nil means all slots.
        case recycle(slot: Int?, pool: String?)
        /// Change the number of workers: `4`, `+1`, `-1`.
        case scale(String, pool: String?)
        /// Start a run of this pool.
        case runNow(pool: String)
        /// Measure which requests of a pool retain memory.
        case hunt(HuntOrder, pool: String?, json: Bool)
        /// Stop; with `wait`, wait until the master has exited.
        case stop(quick: Bool, wait: Bool)
        /// Reopen the log files.
        case reopen
        /// Replace the master's program.
        case upgrade
    }

    /// The master that a command addresses.
    public enum Target: Equatable, Sendable {
        /// The only running master.
        case only
        /// The master with this name.
        case named(String)
        /// The master that listens on this unix socket.
        case socket(String)
    }

    /// The action that is requested.
    public var action: Action
    /// The master that is addressed.
    public var target = Target.only

    /// Creates a command.
    public init(_ action: Action, target: Target = .only) {
        self.action = action
        self.target = target
    }
}

/// Parses the arguments of such a command.
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

    /// Parses the command; nil if help was requested.
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
        case .status, .leaks: ["--json"]
        case .events: ["--follow", "--json"]
        case .reload: ["--wait"]
        case .stop: ["--quick", "--wait"]
        case .hunt: ["--trace", "--json"]
        case .top, .recycle, .scale, .runNow, .reopen, .upgrade, .run, .check, .help, .man,
            .importing, .completions, .demo, .version:
            []
        }
    }

    private var valueNames: [String] {
        let own: [String] =
            switch verb {
            case .reload: ["--timeout"]
            case .hunt: ["--pool", "--requests", "--time", "--exclusive-time"]
            case .status, .top, .leaks, .recycle, .scale: ["--pool"]
            case .events, .runNow, .stop, .reopen, .upgrade, .run, .check, .help, .man,
                .importing, .completions, .demo, .version:
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
                else { throw error("\(parts[0]) requires a value") }
                values[parts[0]] = value
            } else {
                if parts[0] == "--pool", verb == .reload { throw error(Self.reloadAdvice) }
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
        case .status:
            let isJSON = flags.contains("--json")
            guard !isJSON || values["--pool"] == nil else {
                throw error("--json prints all pools; it does not take --pool")
            }
            return .status(json: isJSON, pool: values["--pool"])
        case .top: return .top(pool: values["--pool"])
        case .events:
            return .events(follow: flags.contains("--follow"), json: flags.contains("--json"))
        case .leaks: return .leaks(json: flags.contains("--json"), pool: values["--pool"])
        case .reload:
            let timeout = try timeout()
            guard timeout == nil || flags.contains("--wait") else {
                throw error("--timeout requires --wait")
            }
            return .reload(wait: flags.contains("--wait"), timeout: timeout)
        case .recycle: return .recycle(slot: try slot(), pool: values["--pool"])
        case .scale: return .scale(try number(), pool: values["--pool"])
        case .runNow: return .runNow(pool: try poolName())
        case .hunt:
            return .hunt(try huntOrder(), pool: values["--pool"], json: flags.contains("--json"))
        case .stop:
            return .stop(quick: flags.contains("--quick"), wait: flags.contains("--wait"))
        case .reopen: return .reopen
        case .upgrade: return .upgrade
        case .run, .check, .help, .man, .importing, .completions, .demo, .version:
            preconditionFailure("\(verb) is not for a running master")
        }
    }

    private func target() throws(SettingsError) -> MasterCommand.Target {
        switch (values["--name"], values["--control"]) {
        case (nil, nil): return .only
        case (let name?, nil):
            guard isMasterName(name) else {
                throw error(
                    "\(shown(name)) is not a valid master name; allowed: 1 to 64 letters, digits and . _ @ -"
                )
            }
            return .named(name)
        case (nil, let path?): return .socket(path.after(prefix: "unix:") ?? path)
        case (_?, _?): throw error("--name and --control both select a master; use only one")
        }
    }

    private func timeout() throws(SettingsError) -> TimeSpan? {
        guard let text = values["--timeout"] else { return nil }
        do throws(ValueFault) {
            return try DurationText.parse(text)
        } catch {
            throw self.error(
                "--timeout: \(shown(text)) is not a duration; allowed: a duration such as 30s or 2m"
            )
        }
    }

    private func huntOrder() throws(SettingsError) -> HuntOrder {
        var order = HuntOrder(traces: flags.contains("--trace"))
        if let text = values["--requests"] {
            let range = HuntOrder.requestRange
            guard case .number(let number) = Decimal.parse(text), let count = Int(exactly: number),
                range.contains(count)
            else {
                throw error(
                    "--requests: \(shown(text)) is not a number of requests; allowed: a number from "
                        + "\(range.lowerBound) to \(range.upperBound)")
            }
            order.requests = count
        }
        order.time =
            try duration("--time", HuntOrder.secondRange, "30s or 5m, from 1s to 1d") ?? order.time
        order.pause = try duration(
            "--exclusive-time", 1...HuntOrder.longestPause, "10s, from 1s to 60s")
        return order
    }

    private func duration(
        _ name: String, _ seconds: ClosedRange<Int>, _ allowed: String
    ) throws(SettingsError) -> TimeSpan? {
        guard let text = values[name] else { return nil }
        let fault = error(
            "\(name): \(shown(text)) is not allowed; allowed: a duration such as \(allowed)")
        let span: TimeSpan
        do throws(ValueFault) {
            span = try DurationText.parse(text)
        } catch {
            throw fault
        }
        guard span >= .seconds(Int64(seconds.lowerBound)),
            span <= .seconds(Int64(seconds.upperBound))
        else { throw fault }
        return span
    }

    private mutating func poolName() throws(SettingsError) -> String {
        guard !words.isEmpty else {
            throw error("missing pool; usage: supervise \(verb.usage.form)")
        }
        return words.removeFirst()
    }

    private mutating func slot() throws(SettingsError) -> Int? {
        guard let word = words.first else {
            throw error("missing slot; usage: supervise \(verb.usage.form)")
        }
        words.removeFirst()
        if word == "all" { return nil }
        guard case .number(let number) = Decimal.parse(word), let slot = Int(exactly: number) else {
            throw error("\(shown(word)) is not a slot; allowed: a number from 0, or all")
        }
        return slot
    }

    private static let reloadAdvice =
        "a reload applies the configuration of all pools; to replace the workers of one pool, use "
        + "supervise recycle all --pool NAME"
    private static let zeroAdvice =
        "a pool has at least 1 worker. To stop all workers but keep the master and its sockets, send "
        + "WINCH to the master (HUP starts them again). To keep none while the pool is idle, set "
        + "workers = 0..N in the configuration. To remove a pool, delete it from the configuration and "
        + "reload. To stop the service, use supervise stop"

    private mutating func number() throws(SettingsError) -> String {
        guard let word = words.first else {
            throw error("missing number of workers; usage: supervise \(verb.usage.form)")
        }
        words.removeFirst()
        let digits = word.hasPrefix("+") || word.hasPrefix("-") ? String(word.dropFirst()) : word
        if word == "0" { throw error(Self.zeroAdvice) }
        if isRange(word) { return word }
        guard case .number(let number) = Decimal.parse(digits), (1...100_000).contains(number)
        else {
            throw error(
                "\(shown(word)) is not a number of workers; allowed: a number such as 4, a change such as "
                    + "+1 or -1, or a range such as 2..8")
        }
        return word
    }

    private func isRange(_ word: String) -> Bool {
        do throws(ValueFault) {
            return try WorkerRange.parse(word) != nil
        } catch {
            return false
        }
    }

    private func error(_ message: String) -> SettingsError {
        SettingsError([
            SettingsProblem(source: .commandLine(option: verb.rawValue), message: message)
        ])
    }
}
