/// Splits a command into words as a shell does, without any expansion: blanks separate words, single
/// quotes preserve everything, double quotes preserve all but `\\`, `\"`, `` \` `` and `\$`, `$'…'` supports `\n`,
/// `\t`, `\r`, `\\`, `\'`, `\"` and `\xHH`, and outside of quotes a backslash preserves the next
/// character. (POSIX.1-2024, Shell Command Language, 2.2.)
public enum ShellWords {
    /// Splits a command into words.
    public static func split(_ command: String) throws(ValueFault) -> [String] {
        guard !command.utf8.contains(0) else { throw .containsNUL }
        var splitter = Splitter(scalars: Array(command.unicodeScalars), command: command)
        return try splitter.words()
    }

    /// Joins words into a command that splits into the same words.
    public static func join(_ words: [String]) -> String {
        // joined(separator:) instantiates generic types at run time, which costs 2 % of a start.
        var command = ""
        for word in words {
            if !command.isEmpty { command += " " }
            command += quote(word)
        }
        return command
    }

    private static func quote(_ word: String) -> String {
        let scalars = word.unicodeScalars
        if scalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            // In a config file, a line break can only be written as an escape.
            return "$'" + Quoting.escaped(word, quote: "'") + "'"
        }
        if !word.isEmpty, scalars.allSatisfy(isPlain) { return word }
        if !scalars.contains("'") { return "'" + word + "'" }
        return "$'" + Quoting.escaped(word, quote: "'") + "'"
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".", ",", "/", ":", "=", "+", "@", "%",
            "{", "}":
            true
        default:
            false
        }
    }
}

/// One pass over a command.
private struct Splitter {
    let scalars: [Unicode.Scalar]
    let command: String
    var index = 0

    mutating func words() throws(ValueFault) -> [String] {
        var words: [String] = []
        skipBlanks()
        while index < scalars.count {
            words.append(try word())
            skipBlanks()
        }
        return words
    }

    private mutating func word() throws(ValueFault) -> String {
        var word = String.UnicodeScalarView()
        while index < scalars.count, !isBlank(scalars[index]) {
            let scalar = scalars[index]
            index += 1
            switch scalar {
            case "'": try literal(into: &word)
            case "\"": try doubleQuoted(into: &word)
            case "$" where index < scalars.count && scalars[index] == "'":
                index += 1
                try escaped(into: &word)
            case "\\":
                guard index < scalars.count else { throw .unknownEscape(command) }
                word.append(scalars[index])
                index += 1
            default: word.append(scalar)
            }
        }
        return String(word)
    }

    private mutating func literal(into word: inout String.UnicodeScalarView) throws(ValueFault) {
        while index < scalars.count, scalars[index] != "'" {
            word.append(scalars[index])
            index += 1
        }
        try closeQuote()
    }

    private mutating func doubleQuoted(
        into word: inout String.UnicodeScalarView
    ) throws(ValueFault) {
        while index < scalars.count, scalars[index] != "\"" {
            if scalars[index] == "\\", index + 1 < scalars.count,
                ["\\", "\"", "$", "`"].contains(scalars[index + 1])
            {
                index += 1
            }
            word.append(scalars[index])
            index += 1
        }
        try closeQuote()
    }

    private mutating func escaped(into word: inout String.UnicodeScalarView) throws(ValueFault) {
        while index < scalars.count, scalars[index] != "'" {
            if scalars[index] == "\\" {
                guard let (meant, length) = Quoting.escape(scalars[(index + 1)...]), meant != "\0"
                else { throw .unknownEscape(command) }
                word.append(meant)
                index += 1 + length
            } else {
                word.append(scalars[index])
                index += 1
            }
        }
        try closeQuote()
    }

    private mutating func closeQuote() throws(ValueFault) {
        guard index < scalars.count else { throw .unterminatedQuote(command) }
        index += 1
    }

    private mutating func skipBlanks() {
        while index < scalars.count, isBlank(scalars[index]) { index += 1 }
    }

    private func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r"
    }
}
