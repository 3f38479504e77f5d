/// The script for bash. It uses bash-completion for the command after `--` if that is loaded, and
/// needs nothing else.
enum BashCompletion {
    static var lines: [String] {
        let commands = Verb.allCases.map(\.rawValue).joined(separator: " ")
        let apart = Verb.completedApart.map(\.rawValue).joined(separator: "|")
        var lines = [
            "# Completion of supervise in bash, printed by: supervise completions bash",
            "# shellcheck shell=bash",
            "_supervise_masters() {",
            "    local file",
            "    for file in \"${XDG_RUNTIME_DIR:-/run}\"/supervise/*.sock /run/supervise/*.sock; do",
            "        [[ -S $file ]] && file=${file##*/} && printf '%s\\n' \"${file%.sock}\"",
            "    done",
            "}",
            "_supervise() {",
            "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}",
            "    local verb=${COMP_WORDS[1]} words='' kind='' IFS=$' \\t\\n' index",
            "    COMPREPLY=()",
            "    # After -- comes the command of the workers.",
            "    for ((index = 1; index < COMP_CWORD; index++)); do",
            "        [[ ${COMP_WORDS[index]} == -- ]] || continue",
            "        if declare -F _command_offset >/dev/null; then",
            "            _command_offset $((index + 1))",
            "        elif ((COMP_CWORD == index + 1)); then",
            "            kind=-c _supervise_offer",
            "        else",
            "            kind=-f _supervise_offer",
            "        fi",
            "        return",
            "    done",
            "    # Bash splits --key=value into three words.",
            "    if [[ $current == '=' ]]; then",
            "        current=''",
            "    elif [[ $previous == '=' ]]; then",
            "        previous=${COMP_WORDS[COMP_CWORD - 2]}",
            "    fi",
            "    case $verb in",
            "    \(apart)) ((COMP_CWORD > 1)) || verb=run ;;",
            "    *) verb=run ;;",
            "    esac",
            "    case $verb$previous in",
        ]
        lines += CompletedOption.ofRun.compactMap { option("run", $0) }
        for verb in Verb.completedApart {
            lines += CompletedOption.of(verb).compactMap { option(verb.rawValue, $0) }
        }
        lines += ["    *)", "        case $verb in"]
        lines += Verb.completedApart.map { verb in
            let words = verb.completedWords + names(CompletedOption.of(verb))
            let file = verb.takesFile ? " && [[ ${#COMP_WORDS[@]} -lt 4 ]] || kind=-f" : ""
            return "        \(verb.rawValue)) words='\(words.joined(separator: " "))'\(file) ;;"
        }
        let options = names(CompletedOption.ofRun).joined(separator: " ")
        lines += [
            "        *) words='\(options) --' ;;",
            "        esac",
            "        # One screen of commands, or the many options.",
            "        if ((COMP_CWORD == 1)) && [[ $current != -* ]]; then",
            "            words='\(commands)'",
            "        fi",
            "        ;;",
            "    esac",
            "    _supervise_offer",
            "}",
            "# Offers words, and files or other things of a kind.",
            "_supervise_offer() {",
            "    local -a options=()",
            "    [[ -z $kind ]] || options+=(\"$kind\")",
            "    [[ -z $words ]] || options+=(-W \"$words\")",
            "    ((${#options[@]})) || return 0",
            "    [[ $kind != -[df] ]] || compopt -o filenames 2>/dev/null",
            "    mapfile -t COMPREPLY < <(compgen \"${options[@]}\" -- \"$current\")",
            "}",
            "complete -F _supervise supervise",
        ]
        return lines
    }

    private static func names(_ options: [CompletedOption]) -> [String] {
        options.map { "--" + $0.name }
    }

    /// The case of an option with a value; nil for a flag.
    private static func option(_ verb: String, _ option: CompletedOption) -> String? {
        let action: String
        switch option.value {
        case .flag: return nil
        case .text: action = ""
        case .words(let words): action = "words='\(words.joined(separator: " "))' "
        case .file(let words):
            let also = words.isEmpty ? "" : "words='\(words.joined(separator: " "))' "
            action = "kind=-f \(also)"
        case .folder: action = "kind=-d "
        case .user: action = "kind=-u "
        case .group: action = "kind=-g "
        case .master: action = "words=$(_supervise_masters) "
        }
        let short = option.letter.map { "\(verb)-\($0) | " } ?? ""
        return "    \(short)\(verb)--\(option.name)) \(action);;"
    }
}
