/// The action that a command line requests.
public enum Invocation: Equatable, Sendable {
    /// Run the pools: `supervise [run] …`.
    case run(Overrides)
    /// Validate, print the effective settings and exit: `supervise check …`.
    case check(Overrides)
    /// Send a command to a running master: `supervise status`, `supervise reload`, …
    case command(MasterCommand)
    /// Print a help text: `-h`, `--help`, `help TOPIC`.
    case help(HelpTopic)
    /// Print a manual page in roff: `man`.
    case man(ManualPage.Name)
    /// Convert the configuration of another program: `import`.
    case importing(ServiceImport.Source, path: String)
    /// Print the completion script of a shell: `completions`.
    case completions(Completions.Shell)
    /// Run a leaking server under load: `demo`.
    case demo
    /// Print the version: `--version`.
    case version
    /// No arguments: print the short help on standard error and exit with status 2.
    case nothing

    /// Parses the arguments, without the name of the program. Values are checked when the configuration
    /// is loaded, together with those of the other layers.
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
            .importing where wantsHelp, .completions where wantsHelp, .demo where wantsHelp,
            .version where wantsHelp:
            return .help(.command(verb ?? .help))
        case .check: return try options(arguments.dropFirst(), asking: Invocation.check)
        case .help: return try help(arguments.dropFirst())
        case .version:
            if let extra = arguments.dropFirst().first { throw unexpected(extra, after: .version) }
            return .version
        case .demo:
            if let extra = arguments.dropFirst().first { throw unexpected(extra, after: .demo) }
            return .demo
        case .man:
            return .man(try word(arguments.dropFirst(), of: .man, orElse: .supervise))
        case .importing: return try conversion(arguments.dropFirst())
        case .completions:
            return .completions(try word(arguments.dropFirst(), of: .completions, orElse: nil))
        case .status, .top, .events, .leaks, .reload, .recycle, .scale, .runNow, .hunt, .stop,
            .reopen,
            .upgrade, nil:
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
                    message: "\(shown(word)) is not a help topic"
                        + NearestName.hint(word, in: HelpTopic.names)
                        + "; for a list: supervise help topics")
            ])
        }
        return .help(topic)
    }

    private static func conversion(
        _ words: ArraySlice<String>
    ) throws(SettingsError) -> Invocation {
        let source: ServiceImport.Source = try word(words.prefix(1), of: .importing, orElse: nil)
        guard let path = words.dropFirst().first, !path.isEmpty else {
            throw SettingsError([
                SettingsProblem(
                    source: .commandLine(option: Verb.importing.rawValue),
                    message: "missing file; usage: supervise \(Verb.importing.usage.form)")
            ])
        }
        if let extra = words.dropFirst(2).first { throw unexpected(extra, after: .importing) }
        return .importing(source, path: path)
    }

    /// The only argument of a command, which is one of a few words.
    private static func word<Word: RawRepresentable & CaseIterable>(
        _ words: ArraySlice<String>, of verb: Verb, orElse byDefault: Word?
    ) throws(SettingsError) -> Word where Word.RawValue == String {
        if let extra = words.dropFirst().first { throw unexpected(extra, after: verb) }
        guard let word = words.first else {
            if let byDefault { return byDefault }
            throw SettingsError([
                SettingsProblem(
                    source: .commandLine(option: verb.rawValue),
                    message: "missing argument; usage: supervise \(verb.usage.form)")
            ])
        }
        guard let value = Word(rawValue: word) else {
            let names = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw SettingsError([
                SettingsProblem(
                    source: .commandLine(option: verb.rawValue),
                    message: "\(shown(word)) is unknown; allowed: \(names)")
            ])
        }
        return value
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
    /// Show them continuously.
    case top
    /// Show events.
    case events
    /// Show the routes that seem to retain memory.
    case leaks
    /// Replace every worker.
    case reload
    /// Replace one worker, or all of a pool.
    case recycle
    /// Change the number of workers.
    case scale
    /// Start a run of a pool with a schedule.
    case runNow = "run-now"
    /// Measure which requests retain memory.
    case hunt
    /// Stop the master.
    case stop
    /// Reopen the log files.
    case reopen
    /// Replace the master's program.
    case upgrade
    /// Explain a setting, a command or a topic.
    case help
    /// Print a manual page.
    case man
    /// Convert the configuration of another program.
    case importing = "import"
    /// Print the completion script of a shell.
    case completions
    /// Run a leaking server under load.
    case demo
    /// Print the version.
    case version

    /// The usage line and a summary.
    var usage: (form: String, summary: String) {
        switch self {
        case .run:
            ("[run] [OPTIONS] -- COMMAND [ARG...]", "run workers of COMMAND")
        case .check:
            (
                "check [OPTIONS] [-- COMMAND...]",
                "validate the settings and print the effective ones"
            )
        case .status:
            ("status [--json | --pool NAME]", "show the pools, the workers and the last exits")
        case .top: ("top [--pool NAME]", "show the status continuously")
        case .events: ("events [--follow] [--json]", "show past events, and new ones with --follow")
        case .leaks:
            ("leaks [--pool NAME] [--json]", "show which requests seem to retain memory")
        case .reload:
            (
                "reload [--wait [--timeout TIME]]",
                "replace every worker; --wait reports the result"
            )
        case .recycle: ("recycle SLOT|all [--pool NAME]", "replace one worker, or all of a pool")
        case .scale: ("scale N|+N|-N [--pool NAME]", "change the number of workers")
        case .runNow: ("run-now POOL", "start a run of a pool with a schedule")
        case .hunt:
            (
                "hunt [--pool NAME] [--requests N] [--time TIME] [--trace] [--json]",
                "measure which requests retain memory"
            )
        case .stop: ("stop [--quick] [--wait]", "stop the master and its workers")
        case .reopen: ("reopen", "reopen the log files")
        case .upgrade: ("upgrade", "replace the running master with the installed version")
        case .help: ("help [TOPIC]", "explain a setting, a command or a topic")
        case .man:
            (
                "man [supervise|supervise.conf]",
                "print a manual page: supervise man | man -l -"
            )
        case .importing:
            (
                "import gunicorn|uwsgi|procfile FILE",
                "convert the configuration of another program"
            )
        case .completions:
            ("completions bash|zsh|fish", "print the completion script of a shell")
        case .demo: ("demo", "run a leaking server under load, to see what supervise does")
        case .version: ("version", "print the version")
        }
    }

    /// Whether the command addresses a running master.
    var isForMaster: Bool {
        switch self {
        case .run, .check, .help, .man, .importing, .completions, .demo, .version: false
        case .status, .top, .events, .leaks, .reload, .recycle, .scale, .runNow, .hunt, .stop,
            .reopen,
            .upgrade:
            true
        }
    }
}
