/// The manual pages in roff, with the man(7) macros.
public enum ManualPage {
    /// A page.
    public enum Name: String, CaseIterable, Sendable {
        /// supervise(1): the options and the commands.
        case supervise
        /// supervise.conf(5): the config file.
        case conf = "supervise.conf"
    }

    /// A page of a version, with a trailing line break. It contains no date, so the same version
    /// always yields the same page.
    public static func roff(_ name: Name, version: String) -> String {
        switch name {
        case .supervise: program(version: version)
        case .conf: file(version: version)
        }
    }

    private static func program(version: String) -> String {
        let title = ".TH SUPERVISE 1 \"\" \"supervise \(escaped(version))\" \"User Commands\""
        let lines =
            [title] + name + synopsis + description + options + commands + configFile
            + environment + section("SIGNALS", Fact.signals)
            + section("EXIT STATUS", Fact.exitCodes) + examples
            + [".SH SEE ALSO", ".BR supervise.conf (5)"]
        return lines.joined(separator: "\n") + "\n"
    }

    private static var name: [String] {
        [".SH NAME", "supervise \\- \(escaped(Fact.purpose))"]
    }

    private static var synopsis: [String] {
        var lines = [".SH SYNOPSIS", ".nf"]
        lines += Verb.allCases.map { ".B supervise \(escaped($0.usage.form))" }
        return lines + [".fi"]
    }

    private static var description: [String] {
        [
            ".SH DESCRIPTION", text(Fact.description), ".PP",
            text(
                "Options come before \"--\"; everything after it is the command, passed on "
                    + "unchanged. Every option except those under Other is also a key of the config "
                    + "file and, as SUPERVISE_KEY, an environment variable. The config file "
                    + "overrides the defaults, the environment overrides the config file, and the "
                    + "command line overrides the environment."),
            ".PP",
            text(
                "Sizes are written 512M, 512MB, 512MiB, 1.5G or 65536 (bytes); K, M and G are powers "
                    + "of 1024. Durations are written 30 or 30s, 500ms, 1h30m, 1.5h or 2d."),
        ]
    }

    private static var options: [String] {
        var lines = [".SH OPTIONS"]
        for group in Setting.Group.allCases {
            lines.append(".SS \(group.title)")
            for setting in Setting.all(in: group) { lines += option(setting) }
        }
        lines.append(".SS Other")
        lines += entry("-c, --config FILE", "Read settings from this file.")
        lines += entry(
            "--pool NAME.key=value",
            "Set an option for one of several pools. Overrides all other options.")
        lines += entry("-h, --help", "Show the most common options, or all of them.")
        lines += entry("-V, --version", "Show the version.")
        return lines
    }

    private static var commands: [String] {
        var lines = [".SH COMMANDS"]
        for verb in Verb.allCases {
            lines += [".SS supervise \(escaped(verb.usage.form))"]
            lines += verb.details.map { [text($0)] }.joined(separator: [".PP"])
            for option in verb.options { lines += entry(option.term, option.meaning) }
        }
        lines += [".SS Exit status of commands for a running master"]
        return lines + Fact.commandExitCodes.flatMap { entry($0.term, $0.meaning) }
    }

    private static func option(_ setting: Setting) -> [String] {
        entry(HelpText.form(of: setting), HelpText.summary(of: setting) + ". " + setting.details)
            + [
                ".br",
                text(
                    "Allowed: \(setting.allowed). Default: \(setting.defaultText). "
                        + "Changes take effect \(HelpText.reload(of: setting))."),
            ]
    }

    private static var configFile: [String] {
        [".SH CONFIG FILE"] + Fact.configFile.map { [text($0)] }.joined(separator: [".PP"])
    }

    private static var environment: [String] {
        section("ENVIRONMENT", Fact.environment)
    }

    private static var examples: [String] {
        [".SH EXAMPLES"]
            + Fact.examples.map { fact in
                [text(fact.meaning), ".PP", ".RS 4", ".nf", escaped(fact.term), ".fi", ".RE"]
            }.joined(separator: [".PP"])
    }

    static func section(_ title: String, _ facts: [Fact]) -> [String] {
        [".SH " + title] + facts.flatMap { entry($0.term, $0.meaning) }
    }

    static func entry(_ term: String, _ meaning: String) -> [String] {
        [".TP", ".B " + escaped(term), text(meaning)]
    }

    static func text(_ text: String) -> String {
        escaped(text.substituting(["\n": " "]))
    }

    /// Escapes a line of text: a backslash begins an escape, a hyphen is typeset as a dash, and a dot or
    /// an apostrophe at the beginning of a line makes it a request (groff(7)).
    static func escaped(_ text: String) -> String {
        let line = text.substituting(["\\": "\\e", "-": "\\-", "\"": "\\(dq"])
        return line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" + line : line
    }
}
