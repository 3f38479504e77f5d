/// Parses the options of `run` and `check`, including the command.
struct OptionParser {
    /// The values read so far.
    private(set) var overrides = Overrides()
    /// The problems found so far.
    private(set) var problems: [SettingsProblem] = []

    private var rest: ArraySlice<String>

    /// Options that are not settings.
    private static let ownOptions = ["config", "pool", "help", "version"]
    private static let optionNames = Setting.keys + ownOptions

    init(_ arguments: ArraySlice<String>) {
        rest = arguments
    }

    /// Parses all arguments. Returns early at an option that requests a text, such as `--help`.
    mutating func run() -> Invocation? {
        var isFirst = true
        while let argument = rest.popFirst() {
            if argument == "--" {
                takeCommand()
                return nil
            }
            if let option = argument.after(prefix: "--") {
                if let request = takeLong(option) { return request }
            } else if argument.utf8.first == UInt8(ascii: "-"), argument.utf8.count > 1 {
                if let request = takeShort(argument) { return request }
            } else {
                reportWord(argument, isFirst: isFirst)
                // The rest are arguments of the misplaced command; errors about them would not help.
                return nil
            }
            isFirst = false
        }
        return nil
    }

    private mutating func takeCommand() {
        let command = Array(rest)
        rest = []
        let source = SettingSource.commandLine(option: "--")
        guard let program = command.first, !program.isEmpty else {
            report(source, nil, "no command follows; write the program to run after --")
            return
        }
        if let earlier = overrides.layer.first("command") {
            report(source, "command", "already given by \(optionName(earlier))")
            return
        }
        // Merging the layers undoes the quoting exactly, so the words are unchanged.
        overrides.layer.replace(
            Assignment(key: "command", text: ShellWords.join(command), source: source))
    }

    private mutating func takeLong(_ option: String) -> Invocation? {
        let utf8 = option.utf8
        let equals = utf8.firstIndex(of: UInt8(ascii: "="))
        let name = String(option[..<(equals ?? option.endIndex)])
        let inline = equals.map { String(option[utf8.index(after: $0)...]) }
        switch name {
        case "help": return .help(.full)
        case "version": return .version
        case "config": takeConfig(inline, "--config")
        case "pool": takePool(inline)
        default:
            guard let setting = Setting.named(name) else {
                report(
                    .commandLine(option: "--" + name), nil,
                    "unknown option"
                        + (ForeignName.hint(onSetting: name, prefix: "--")
                            ?? NearestName.hint(name, in: OptionParser.optionNames, prefix: "--")))
                // Its value would otherwise be reported as a misplaced command.
                if inline == nil, let next = rest.first, !next.hasPrefix("-") {
                    rest = rest.dropFirst()
                }
                return nil
            }
            take(setting, inline, option: "--" + name)
        }
        return nil
    }

    private mutating func takeShort(_ argument: String) -> Invocation? {
        let body = argument.unicodeScalars.dropFirst()
        let letter = body.first.map { Character($0) } ?? "-"
        let option = "-\(letter)"
        let attached = body.count > 1 ? String(body.dropFirst()) : nil
        if letter == "h", attached == nil { return .help(.brief) }
        if letter == "V", attached == nil { return .version }
        if letter == "c" {
            takeConfig(attached, option)
        } else if let setting = Setting.all.first(where: { $0.shortOption == letter }) {
            take(setting, attached, option: option)
        } else {
            report(
                .commandLine(option: argument), nil,
                "unknown option; the short options are -h, -V, -c, "
                    + Setting.all.compactMap { $0.shortOption.map { "-\($0)" } }
                    .joined(separator: ", "))
        }
        return nil
    }

    private mutating func take(_ setting: Setting, _ inline: String?, option: String) {
        let source = SettingSource.commandLine(option: option)
        let text: String
        if setting.isFlag {
            text = inline ?? nextBoolean() ?? "yes"
        } else if let value = inline ?? nextValue() {
            text = value
        } else {
            report(source, setting.key, "requires a value: \(setting.placeholder)")
            return
        }
        overrides.layer.set(Assignment(key: setting.key, text: text, source: source))
    }

    private mutating func takeConfig(_ inline: String?, _ option: String) {
        guard let path = inline ?? nextValue(), !path.isEmpty else {
            report(.commandLine(option: option), nil, "requires the path of a config file")
            return
        }
        guard !path.hasUndecodedBytes else {
            report(.commandLine(option: option), nil, "\(shown(path)) is not valid UTF-8")
            return
        }
        overrides.configPath = path
    }

    /// `NAME.key=value`.
    private mutating func takePool(_ inline: String?) {
        let written = inline ?? nextValue() ?? ""
        let source = SettingSource.commandLine(option: "--pool " + written)
        let utf8 = written.utf8
        guard let dot = utf8.firstIndex(of: UInt8(ascii: ".")),
            let equals = utf8[dot...].firstIndex(of: UInt8(ascii: "="))
        else {
            report(
                .commandLine(option: "--pool"), nil,
                "\(shown(written)) is not of the form NAME.key=value, as in --pool web.workers=4")
            return
        }
        let key = String(written[utf8.index(after: dot)..<equals])
        let poolKeys = Setting.all.filter { $0.scope == .pool }.map(\.key)
        guard let setting = Setting.named(key) else {
            report(
                source, nil, "unknown key \(shown(key))" + NearestName.hint(key, in: poolKeys))
            return
        }
        guard setting.scope == .pool else {
            report(source, key, "is a setting of the master, not of a pool; write --\(key)")
            return
        }
        let value = String(written[utf8.index(after: equals)...])
        overrides.pools.append(
            .init(
                pool: String(written[..<dot]),
                assignment: Assignment(key: key, text: value, source: source)))
    }

    /// Consumes the next argument as a value, which may begin with a dash: `--nice -5`.
    private mutating func nextValue() -> String? {
        guard let next = rest.first, next != "--" else { return nil }
        rest = rest.dropFirst()
        return next
    }

    /// Consumes the next argument if it can only be the optional value of a flag.
    private mutating func nextBoolean() -> String? {
        guard let next = rest.first, Format<Bool>.meaning(ofWord: next) != nil else { return nil }
        rest = rest.dropFirst()
        return next
    }

    private mutating func reportWord(_ word: String, isFirst: Bool) {
        let message =
            if let verb = Verb(rawValue: word) {
                "\(shown(word)) must come first, as in: supervise \(verb.usage.form)"
            } else {
                OptionParser.advice(on: word, isFirst: isFirst)
            }
        let ours = ForeignName.settings(amongWords: rest).map { "--" + $0 }
        let hint = ours.isEmpty ? "" : "; write \(ours.joined(separator: " ")) before --"
        report(.invocation, nil, message + hint)
    }

    /// The advice on a word that is not a command.
    private static func advice(on word: String, isFirst: Bool) -> String {
        let command = "write it after --, as in: supervise -- \(word)"
        guard isFirst else {
            return "unexpected word \(shown(word)); if it is the program to run, \(command)"
        }
        let unknown = "unknown command \(shown(word))"
        if let hint = ForeignName.hint(onCommand: word) { return "\(unknown); \(hint)" }
        let names = Verb.allCases.map(\.rawValue)
        guard let meant = NearestName.find(word, in: names) else {
            return "\(unknown); if it is the program to run, \(command)"
        }
        return "\(unknown); the most similar is \(meant). To run a program, \(command)"
    }

    private func optionName(_ assignment: Assignment) -> String {
        if case .commandLine(let option) = assignment.source { option } else { assignment.key }
    }

    private mutating func report(_ source: SettingSource, _ key: String?, _ message: String) {
        problems.append(SettingsProblem(source: source, key: key, message: message))
    }
}
