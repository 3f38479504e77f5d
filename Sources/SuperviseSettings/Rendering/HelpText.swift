extension HelpTopic {
    /// The text, ending with a line break.
    public var text: String {
        let lines =
            switch self {
            case .brief: HelpText.brief
            case .full: HelpText.full
            case .setting(let key): Setting.named(key).map(HelpText.setting) ?? []
            case .group(let group): HelpText.group(group)
            case .command(let verb): HelpText.command(verb)
            case .page(.conf): [ExampleConfiguration.text.trimmingLastLineBreak]
            case .page(.settings): [SettingsTable.markdown.trimmingLastLineBreak]
            case .page(let page): HelpText.page(page)
            }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// The help, line by line, generated from the settings table.
enum HelpText {
    private static let column = 29

    /// The settings of the short help.
    private static let mostUsed = [
        "bind", "workers", "max-requests", "max-requests-jitter", "max-lifetime", "max-rss",
        "graceful-timeout", "ready", "user", "env",
    ]

    static var usage: [String] {
        var lines = ["usage: supervise " + Verb.run.usage.form]
        lines += Verb.allCases.dropFirst().map { "       supervise " + $0.usage.form }
        return lines
    }

    static var brief: [String] {
        let verbs = Verb.allCases.filter(\.isForMaster).map(\.rawValue)
        var lines = ["usage: supervise " + Verb.run.usage.form]
        lines += [Verb.check, .help, .man].map { "       supervise " + $0.usage.form }
        lines += ["       supervise " + verbs.joined(separator: "|"), ""]
        lines.append(option("-c, --config FILE", "Read settings from this file"))
        lines += mostUsed.compactMap(Setting.named).map(option)
        lines += ["", "More: supervise --help, supervise help TOPIC, supervise man."]
        return lines
    }

    static var full: [String] {
        var lines = ["supervise: \(Fact.purpose)", ""] + usage
        lines += [
            "", "Options come before --; everything after it is the command, passed on unchanged.",
        ]
        lines.append("Each option is also a key of the config file. Defaults are in [brackets].")
        for group in Setting.Group.allCases {
            lines += ["", group.title + ":"] + Setting.all(in: group).map(option)
        }
        lines += ["", "Other:"]
        lines += [
            option("-c, --config FILE", "Read settings from this file"),
            option("--pool NAME.key=value", "Set an option for one of several pools"),
            option("-h", "Show the most common options"),
            option("--help", "Show this help"),
            option("-V, --version", "Show the version"),
            "",
            "Sizes: 512M, 512MB, 1.5G, 65536 (bytes). Durations: 30 or 30s, 500ms, 1h30m, 1.5h.",
            "More: supervise help KEY (such as max-rss), supervise help topics,",
            "supervise man | man -l -",
        ]
        return lines
    }

    static func setting(_ setting: Setting) -> [String] {
        var lines = ["\(form(of: setting)): \(setting.summary.lowercasedFirst).", ""]
        lines += PlainText.wrap(setting.details) + [""]
        let facts = [
            ("Allowed", setting.allowed),
            ("Default", setting.defaultText),
            ("Config file", setting.key + " = " + setting.placeholder),
            ("Environment", setting.environmentVariable),
            ("Scope", scope(of: setting)),
            ("Takes effect", reload(of: setting)),
        ]
        for (term, meaning) in facts {
            lines += PlainText.entry(term + ":", meaning, column: 17)
        }
        return lines
    }

    static func group(_ group: Setting.Group) -> [String] {
        let parts = Setting.all(in: group).map { setting in
            [form(of: setting)]
                + PlainText.wrap(
                    "\(summary(of: setting)). \(setting.details) "
                        + "Allowed: \(setting.allowed). Default: \(setting.defaultText).",
                    indent: 4)
        }
        return [group.title, ""] + parts.joined(separator: [""])
    }

    static func page(_ page: HelpTopic.Page) -> [String] {
        switch page {
        case .topics: topics
        case .config: paragraphs(Fact.configFile) + ["", "Example: supervise help conf"]
        case .environment: list(Fact.environment, column: 20)
        case .signals: list(Fact.signals, column: 16) + [""] + paragraphs(Fact.signalsUnderSystemd)
        case .exitCodes: list(Fact.exitCodes, column: 6)
        case .commands: commands
        case .protocol: paragraphs(Fact.controlProtocol) + [""] + list(Fact.resources, column: 30)
        case .molds: paragraphs(Fact.mold) + [""] + list(Fact.moldProtocol, column: 6)
        case .servers: paragraphs(Fact.servers) + [""] + list(Fact.serverRecipes, column: 20)
        case .systemd: paragraphs(Fact.systemd) + [""] + list(Fact.systemdMessages, column: 30)
        case .kubernetes:
            paragraphs(Fact.kubernetes) + [""] + list(Fact.kubernetesParts, column: 20)
        case .jobs: paragraphs(Fact.jobs) + [""] + list(Fact.jobEvents, column: 20)
        case .upgrade: command(.upgrade)
        case .security: paragraphs(Fact.security) + [""] + list(Fact.securityFiles, column: 30)
        case .schema:
            paragraphs(Fact.schema) + [""] + list(Fact.statusFields + Fact.leaksFields, column: 30)
        case .conf, .settings: []
        }
    }

    static func scope(of setting: Setting) -> String {
        switch setting.scope {
        case .master: "the master"
        case .pool: setting.isRepeatable ? "each pool; repeatable" : "each pool"
        }
    }

    static func reload(of setting: Setting) -> String {
        switch setting.reload {
        case .live: "at once, when a reload is committed"
        case .newWorkers: "in workers that start after a reload"
        case .newListeners: "in listeners that a reload adds"
        case .restart: "after a restart of the master"
        }
    }

    /// The summary, marked if the setting is repeatable.
    static func summary(of setting: Setting) -> String {
        setting.summary + (setting.isRepeatable ? " (repeatable)" : "")
    }

    /// `-w, --workers N`.
    static func form(of setting: Setting) -> String {
        let short = setting.shortOption.map { "-\($0), " } ?? ""
        return short + "--" + setting.key + (setting.isFlag ? "" : " " + setting.placeholder)
    }

    private static var commands: [String] {
        var lines = ["supervise COMMAND, where COMMAND is one of:", ""]
        for verb in Verb.allCases where verb.isForMaster {
            lines += PlainText.entry(verb.usage.form, verb.usage.summary, column: 35)
        }
        lines += ["", "Details: supervise help COMMAND.", ""]
        lines += paragraphs(Fact.commands) + [""]
        return lines + list(Fact.commandExitCodes, column: 6)
    }

    /// The full help of a command.
    static func command(_ verb: Verb) -> [String] {
        var lines = ["usage: supervise " + verb.usage.form, ""] + paragraphs(verb.details)
        let options = verb.options
        if !options.isEmpty { lines += [""] + list(options, column: 20) }
        guard verb.isForMaster else { return lines }
        return lines + ["", "Exit codes:"] + list(Fact.commandExitCodes, column: 6)
    }

    private static var topics: [String] {
        var lines = ["supervise help TOPIC, where TOPIC is one of:", ""]
        for page in HelpTopic.Page.allCases {
            lines += PlainText.entry(page.rawValue, page.summary, column: 16)
        }
        lines += ["", "Commands (for a running master: supervise help commands)"]
        lines += PlainText.wrap(Verb.allCases.map(\.rawValue).joined(separator: ", "), indent: 2)
        for group in Setting.Group.allCases {
            let keys = Setting.all(in: group).map(\.key).joined(separator: ", ")
            // "workers" is a key and a group; as a topic it is the key.
            let isTopic = Setting.named(group.rawValue) == nil
            lines += [
                "",
                group.title + (isTopic ? " (all of them: supervise help \(group.rawValue))" : ""),
            ]
            lines += PlainText.wrap(keys, indent: 2)
        }
        return lines
    }

    private static func paragraphs(_ texts: [String]) -> [String] {
        Array(texts.map { PlainText.wrap($0) }.joined(separator: [""]))
    }

    private static func list(_ facts: [Fact], column: Int) -> [String] {
        facts.flatMap { PlainText.entry($0.term, $0.meaning, column: column) }
    }

    private static func option(_ setting: Setting) -> String {
        let remark = setting.defaultText == "none" ? "" : " [\(setting.defaultText)]"
        return option(form(of: setting), summary(of: setting) + remark)
    }

    private static func option(_ form: String, _ meaning: String) -> String {
        let aligned = form.hasPrefix("--") ? "    " + form : form
        return PlainText.padded("  " + aligned, to: column + 3) + " " + meaning
    }
}

extension String {
    /// The text without the line break at its end.
    var trimmingLastLineBreak: String { hasSuffix("\n") ? String(dropLast()) : self }

    /// The text with its first letter in lower case, for use after a colon.
    var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
