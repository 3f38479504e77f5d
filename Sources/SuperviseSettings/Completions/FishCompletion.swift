/// The script for fish.
enum FishCompletion {
    static var lines: [String] {
        let apart = Verb.completedApart.map(\.rawValue).joined(separator: " ")
        var lines = [
            "# Completion of supervise in fish, printed by: supervise completions fish",
            "function __supervise_in",
            "    set -l words (commandline -opc)",
            "    contains -- -- $words; and return 1",
            "    set -l verb run",
            "    contains -- \"$words[2]\" \(apart); and set verb $words[2]",
            "    contains -- $verb $argv",
            "end",
            "function __supervise_first",
            "    test (count (commandline -opc)) -eq 1",
            "end",
            "function __supervise_after_dashes",
            "    contains -- -- (commandline -opc)",
            "end",
            "# The command of the workers, completed as on a line of its own.",
            "function __supervise_command",
            "    set -l words (commandline -opc)",
            "    set -e words[1..(contains -i -- -- $words)]",
            "    set -l rest (string escape -- $words) (commandline -ct)",
            "    complete -C (string join ' ' -- $rest)",
            "end",
            "function __supervise_masters",
            "    for file in $XDG_RUNTIME_DIR/supervise/*.sock /run/supervise/*.sock",
            "        string replace -r '.*/(.*)\\.sock$' '$1' -- $file",
            "    end",
            "end",
            "complete -c supervise -f",
            "complete -c supervise -n __supervise_after_dashes -x -a '(__supervise_command)'",
        ]
        lines += Verb.allCases.map { verb in
            "complete -c supervise -n __supervise_first -a \(verb.rawValue) -d "
                + quoted(verb.usage.summary)
        }
        lines += CompletedOption.ofRun.map { line("run", $0) }
        for verb in Verb.completedApart {
            lines += CompletedOption.of(verb).map { line(verb.rawValue, $0) }
            let words = verb.completedWords
            guard !words.isEmpty else { continue }
            lines.append(
                "complete -c supervise -n '__supervise_in \(verb.rawValue)' -a "
                    + quoted(words.joined(separator: " ")) + (verb.takesFile ? " -F" : ""))
        }
        return lines
    }

    private static func line(_ verb: String, _ option: CompletedOption) -> String {
        let letter = option.letter.map { " -s \($0)" } ?? ""
        return "complete -c supervise -n '__supervise_in \(verb)'\(letter) -l \(option.name)"
            + values(option) + " -d " + quoted(option.summary)
    }

    private static func values(_ option: CompletedOption) -> String {
        switch option.value {
        case .flag: ""
        case .text: " -x"
        case .words(let words): " -x -a " + quoted(words.joined(separator: " "))
        case .file(let words):
            " -r -F" + (words.isEmpty ? "" : " -a " + quoted(words.joined(separator: " ")))
        case .folder: " -x -a '(__fish_complete_directories)'"
        case .user: " -x -a '(__fish_complete_users)'"
        case .group: " -x -a '(__fish_complete_groups)'"
        case .master: " -x -a '(__supervise_masters)'"
        }
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.substituting(["\\": "\\\\", "'": "\\'"]) + "'"
    }
}
