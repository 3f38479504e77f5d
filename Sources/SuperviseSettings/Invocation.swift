/// What the command line asks for.
public enum Invocation: Equatable, Sendable {
    /// Run the pools: `supervise [run] …`.
    case run(Overrides)
    /// Validate, print the effective settings and end: `supervise check …`.
    case check(Overrides)
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
        switch Verb(rawValue: first) {
        case .run: return try options(arguments.dropFirst(), asking: Invocation.run)
        case .check: return try options(arguments.dropFirst(), asking: Invocation.check)
        case .help: return try help(arguments.dropFirst())
        case .man:
            if let extra = arguments.dropFirst().first { throw unexpected(extra, after: .man) }
            return .man
        case nil: return try options(arguments[...], asking: Invocation.run)
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

/// The first word of a command line. Verbs that talk to a running master belong here too.
enum Verb: String, CaseIterable {
    case run
    case check
    case help
    case man

    /// How it is used, and for what.
    var usage: (form: String, summary: String) {
        switch self {
        case .run:
            ("[run] [OPTIONS] -- COMMAND [ARG...]", "keep workers of COMMAND running")
        case .check:
            ("check [OPTIONS] [-- COMMAND...]", "validate, print the effective settings")
        case .help: ("help [TOPIC]", "explain a setting or topic")
        case .man: ("man", "print the manual page: supervise man | man -l -")
        }
    }
}

/// Verbs that a later version will have: whoever tries one is told what does the same until then.
enum LaterVerb: String, CaseIterable {
    case status
    case top
    case events
    case reload
    case recycle
    case scale
    case stop
    case upgrade
    case reopen

    /// Why it is refused, and what to do instead.
    var refusal: String {
        "\(shown(rawValue)) is not in this version yet; " + substitute
    }

    private var substitute: String {
        switch self {
        case .status, .top, .events: "what happens stands in the log (see log-file, log-format)"
        case .reload: "send the master HUP, as in: kill -HUP PID"
        case .recycle: "HUP replaces every worker, as in: kill -HUP PID"
        case .scale: "send the master TTIN for one worker more, TTOU for one fewer"
        case .stop: "send the master TERM, as in: kill -TERM PID"
        case .upgrade: "stop the master and start the new one"
        case .reopen: "send the master USR1, as in: kill -USR1 PID"
        }
    }
}
