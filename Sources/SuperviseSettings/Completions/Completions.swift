/// Completion scripts for shells, generated from the settings table and the commands.
public enum Completions {
    /// A shell that has completions.
    public enum Shell: String, CaseIterable, Sendable {
        /// GNU bash, with or without the package bash-completion.
        case bash
        /// zsh, whose function compinit must have run.
        case zsh
        /// fish.
        case fish
    }

    /// The script for a shell, with a trailing line break.
    public static func script(for shell: Shell) -> String {
        let lines =
            switch shell {
            case .bash: BashCompletion.lines
            case .zsh: ZshCompletion.lines
            case .fish: FishCompletion.lines
            }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// An option as a shell completes it.
struct CompletedOption {
    /// The values that a shell offers.
    enum Value: Equatable {
        /// The option has no value.
        case flag
        /// Any text; the shell offers nothing.
        case text
        /// Some words, and possibly other texts.
        case words([String])
        /// A file, or one of these words.
        case file(or: [String])
        /// A directory.
        case folder
        /// A user of the machine.
        case user
        /// A group of the machine.
        case group
        /// The name of a running master.
        case master
    }

    /// The letter, such as `w`.
    let letter: Character?
    /// The long name without dashes.
    let name: String
    /// A summary in one line.
    let summary: String
    /// The placeholder of the value.
    let placeholder: String
    /// The values that a shell offers.
    let value: Value
    var isRepeatable = false

    /// The options of `run` and `check`, in the order of the help.
    static var ofRun: [CompletedOption] {
        let settings = Setting.Group.allCases.flatMap { Setting.all(in: $0) }.map { setting in
            CompletedOption(
                letter: setting.shortOption, name: setting.key, summary: setting.summary,
                placeholder: setting.placeholder, value: value(of: setting),
                isRepeatable: setting.isRepeatable)
        }
        return settings + [
            CompletedOption(
                letter: "c", name: "config", summary: "Read settings from this file",
                placeholder: "FILE", value: .file(or: [])),
            CompletedOption(
                letter: nil, name: "pool", summary: "Set an option for one of several pools",
                placeholder: "NAME.key=value", value: .text, isRepeatable: true),
            CompletedOption(
                letter: "h", name: "help", summary: "Show this help", placeholder: "",
                value: .flag),
            CompletedOption(
                letter: "V", name: "version", summary: "Show the version", placeholder: "",
                value: .flag),
        ]
    }

    /// The options of another command.
    static func of(_ verb: Verb) -> [CompletedOption] {
        let help = CompletedOption(
            letter: "h", name: "help", summary: "Show the help of this command", placeholder: "",
            value: .flag)
        return verb.options.compactMap { fact in
            let words = fact.term.split(separator: " ").map(String.init)
            guard let name = words.first?.after(prefix: "--") else { return nil }
            let value: Value =
                switch name {
                case _ where words.count == 1: .flag
                case "control": .file(or: [])
                case "name": .master
                default: .text
                }
            return CompletedOption(
                letter: nil, name: name, summary: String(fact.meaning.prefix { $0 != "." }),
                placeholder: words.dropFirst().joined(separator: " "), value: value)
        } + [help]
    }

    private static func value(of setting: Setting) -> Value {
        switch setting.placeholder {
        case _ where setting.isFlag: .flag
        case "FILE": .file(or: setting.words)
        case "DIR": .folder
        case "USER", "USER[:GROUP]": .user
        case "GROUP": .group
        case "SIGNAL": .words(["TERM", "INT", "QUIT", "HUP", "USR1", "USR2"])
        case _ where setting.words.isEmpty: .text
        default: .words(setting.words)
        }
    }
}

extension Verb {
    /// Whether a file follows the first word.
    var takesFile: Bool { self == .importing }

    /// The words that can follow the command.
    var completedWords: [String] {
        switch self {
        case .recycle: ["all"]
        case .help: HelpTopic.names
        case .man: ManualPage.Name.allCases.map(\.rawValue)
        case .importing: ServiceImport.Source.allCases.map(\.rawValue)
        case .completions: Completions.Shell.allCases.map(\.rawValue)
        default: []
        }
    }

    /// The commands that do not share the options of `run`.
    static var completedApart: [Verb] { allCases.filter { $0 != .run && $0 != .check } }
}
