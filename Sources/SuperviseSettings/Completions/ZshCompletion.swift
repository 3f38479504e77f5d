/// The script for zsh. It works as the file `_supervise` of a directory in `fpath`, and when it is
/// sourced after compinit.
enum ZshCompletion {
    static var lines: [String] {
        var lines = [
            "#compdef supervise",
            "# Completion of supervise in zsh, printed by: supervise completions zsh",
            "_supervise_masters() {",
            "    local -a names",
            "    names=(${XDG_RUNTIME_DIR:-/run}/supervise/*.sock(N:t:r) /run/supervise/*.sock(N:t:r))",
            "    compadd -a names",
            "}",
            "_supervise_run() {",
            "    _arguments -s -S \\",
        ]
        lines += CompletedOption.ofRun.flatMap(specifications).map { "        \($0) \\" }
        lines += [
            "        '*: :'",
            "}",
            "_supervise() {",
            "    local verb=$words[2] dashes=${words[(i)--]}",
            "    # After -- comes the command of the workers.",
            "    if (( dashes < CURRENT )); then",
            "        words=(\"${(@)words[dashes + 1,-1]}\")",
            "        (( CURRENT -= dashes ))",
            "        _normal",
            "        return",
            "    fi",
            "    local -a commands",
            "    commands=(",
        ]
        lines += Verb.allCases.map { verb in
            "        " + quoted("\(verb.rawValue):\(verb.usage.summary.escapingColons)")
        }
        lines += [
            "    )",
            "    if (( CURRENT == 2 )) && [[ $verb != -* ]]; then",
            "        _describe -t commands 'supervise command' commands",
            "        return",
            "    fi",
            "    case $verb in",
            "    run|check)",
            "        shift words",
            "        (( CURRENT-- ))",
            "        _supervise_run",
            "        ;;",
        ]
        for verb in Verb.completedApart {
            lines += [
                "    \(verb.rawValue))", "        shift words", "        (( CURRENT-- ))",
                "        _arguments -s -S \\",
            ]
            lines += CompletedOption.of(verb).flatMap(specifications).map { "            \($0) \\" }
            let words = verb.completedWords
            let file = verb.takesFile ? " '2:file:_files'" : ""
            lines.append(
                words.isEmpty
                    ? "            '*: :'"
                    : "            '1:word:(\(words.joined(separator: " ")))'" + file)
            lines.append("        ;;")
        }
        lines += [
            "    *) _supervise_run ;;",
            "    esac",
            "}",
            "if [[ $funcstack[1] == _supervise ]]; then",
            "    _supervise \"$@\"",
            "else",
            "    compdef _supervise supervise",
            "fi",
        ]
        return lines
    }

    /// The specifications of an option for _arguments: one for each of its names.
    private static func specifications(_ option: CompletedOption) -> [String] {
        let long = "--" + option.name
        let short = option.letter.map { "-\($0)" }
        let names = [short, long].compactMap { $0 }
        let excluded =
            option.isRepeatable ? "*" : "(" + names.joined(separator: " ") + ")"
        let summary =
            "[" + option.summary.substituting(["\\": "\\\\", "[": "\\[", "]": "\\]"]) + "]"
        let value = value(option)
        return names.map { name in
            let equals = option.value == .flag ? "" : name == long ? "=" : "+"
            return quoted(excluded + name + equals + summary + value)
        }
    }

    private static func value(_ option: CompletedOption) -> String {
        let message = ":" + option.placeholder.escapingColons + ":"
        switch option.value {
        case .flag: return ""
        case .text: return message
        case .words(let words): return message + "(" + words.joined(separator: " ") + ")"
        case .file(let words):
            guard !words.isEmpty else { return message + "_files" }
            let list = words.joined(separator: " ")
            return message + "{compadd \(list); _files}"
        case .folder: return message + "_directories"
        case .user: return message + "_users"
        case .group: return message + "_groups"
        case .master: return message + "_supervise_masters"
        }
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.substituting(["'": "'\\''"]) + "'"
    }
}

extension String {
    /// The text with backslashes before colons, which separate fields in zsh's specifications.
    fileprivate var escapingColons: String { substituting(["\\": "\\\\", ":": "\\:"]) }
}
