/// What the command line asks for.
public enum Invocation: Equatable, Sendable {
    /// Run the pools: `supervise [run] …`.
    case run(Overrides)
    /// Validate, print the effective settings and end: `supervise check …`.
    case check(Overrides)
    /// Talk to a running master: `supervise status`, `supervise reload`, …
    case command(MasterCommand)
    /// Print a help text: `-h`, `--help`, `help TOPIC`.
    case help(HelpTopic)
    /// Print the manual page in roff: `man`.
    case man
    /// Print the version: `--version`.
    case version
    /// No argument at all: print the short help on standard error and end with status 2.
    case nothing

    /// What these arguments ask for; the program's own name is not one of them. Values are looked
    /// at when the configuration is loaded, together with those of the other layers.
    public static func parse(_ arguments: [String]) throws(SettingsError) -> Invocation {
        guard let first = arguments.first else { return .nothing }
        let verb = Verb(rawValue: first)
        if let verb, verb.isForMaster {
            return try MasterCommandParser.parse(verb, arguments.dropFirst()).map { .command($0) }
                ?? .help(.command(verb))
        }
        let wantsHelp = ["-h", "--help"].contains(arguments.dropFirst().first ?? "")
        switch verb {
        case .run: return try options(arguments.dropFirst(), asking: Invocation.run)
        case .check where wantsHelp, .help where wantsHelp, .man where wantsHelp,
            .version where wantsHelp:
            return .help(.command(verb ?? .help))
        case .check: return try options(arguments.dropFirst(), asking: Invocation.check)
        case .help: return try help(arguments.dropFirst())
        case .version:
            if let extra = arguments.dropFirst().first { throw unexpected(extra, after: .version) }
            return .version
        case .man:
            if let extra = arguments.dropFirst().first { throw unexpected(extra, after: .man) }
            return .man
        case .status, .top, .events, .reload, .recycle, .scale, .stop, .reopen, .upgrade, nil:
            return try options(arguments[...], asking: Invocation.run)
        }
    }

    private static func options(
        _ arguments: ArraySlice<String>, asking: (Overrides) -> Invocation
    ) throws(SettingsError) -> Invocation {
        var parser = OptionParser(arguments)
        let request = parser.run()
        if let request { return request }
        guard parser.problems.isEmpty else { throw SettingsError(parser.problems) }
        return asking(parser.overrides)
    }

    private static func help(_ words: ArraySlice<String>) throws(SettingsError) -> Invocation {
        guard let word = words.first else { return .help(.full) }
        if let extra = words.dropFirst().first { throw unexpected(extra, after: .help) }
        guard let topic = HelpTopic(word) else {
            throw SettingsError([
                SettingsProblem(
                    source: .commandLine(option: "help"),
                    message: "there is no topic \(shown(word))"
                        + NearestName.hint(word, in: HelpTopic.names)
                        + "; see: supervise help topics")
            ])
        }
        return .help(topic)
    }

    private static func unexpected(_ word: String, after verb: Verb) -> SettingsError {
        SettingsError([
            SettingsProblem(
                source: .commandLine(option: verb.rawValue), message: "unexpected \(shown(word))")
        ])
    }
}

/// The first word of a command line.
public enum Verb: String, CaseIterable, Sendable {
    /// Run the pools.
    case run
    /// Validate the settings.
    case check
    /// Show the pools and workers.
    case status
    /// Show them again and again.
    case top
    /// Show what happened.
    case events
    /// Replace every worker.
    case reload
    /// Replace one worker, or all of a pool.
    case recycle
    /// Change the number of workers.
    case scale
    /// Stop the master.
    case stop
    /// Open the log files again.
    case reopen
    /// Replace the master's program.
    case upgrade
    /// Explain a setting, a command or a topic.
    case help
    /// Print the manual page.
    case man
    /// Print the version.
    case version

    /// How it is used, and for what.
    var usage: (form: String, summary: String) {
        switch self {
        case .run:
            ("[run] [OPTIONS] -- COMMAND [ARG...]", "keep workers of COMMAND running")
        case .check:
            ("check [OPTIONS] [-- COMMAND...]", "validate, print the effective settings")
        case .status: ("status [--json]", "show the pools, the workers and the last exits")
        case .top: ("top", "the same, live")
        case .events: ("events [--follow] [--json]", "show what happened, or happens")
        case .reload:
            (
                "reload [--wait [--timeout TIME]]",
                "replace every worker; --wait tells whether that worked"
            )
        case .recycle: ("recycle SLOT|all [--pool NAME]", "replace one worker, or all of a pool")
        case .scale: ("scale N|+N|-N [--pool NAME]", "change the number of workers")
        case .stop: ("stop [--quick] [--wait]", "stop the master and its workers")
        case .reopen: ("reopen", "open the log files again")
        case .upgrade: ("upgrade", "go on as the program that is installed now")
        case .help: ("help [TOPIC]", "explain a setting, a command or a topic")
        case .man: ("man", "print the manual page: supervise man | man -l -")
        case .version: ("version", "print the version")
        }
    }

    /// Whether it is for a running master.
    var isForMaster: Bool {
        switch self {
        case .run, .check, .help, .man, .version: false
        case .status, .top, .events, .reload, .recycle, .scale, .stop, .reopen, .upgrade: true
        }
    }
}
