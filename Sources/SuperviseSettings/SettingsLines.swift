/// The lines of a config file or env-file.
enum SettingsLines {
    /// The reason that bytes are not text.
    enum Fault: Error, Equatable {
        case notUTF8(line: Int)
        case containsNUL(line: Int)
    }

    /// The lines without their ends (LF or CRLF) and without a byte order mark.
    static func split(_ bytes: [UInt8]) throws(Fault) -> [String] {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let body = bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes[...]
        var lines: [String] = []
        for line in body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            let content = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            guard !content.contains(0) else { throw .containsNUL(line: lines.count + 1) }
            guard let text = String(validating: content, as: UTF8.self) else {
                throw .notUTF8(line: lines.count + 1)
            }
            lines.append(text)
        }
        return lines
    }

    /// Removes spaces and tabs from both ends.
    static func trimmed(_ text: some StringProtocol) -> String {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var bytes = Substring(text).utf8
        bytes = bytes.drop(while: isBlank)
        while let last = bytes.last, isBlank(last) { bytes = bytes.dropLast() }
        return String(Substring(bytes))
    }
}

extension SettingsLines.Fault {
    /// The problem in a file.
    func problem(in path: String) -> SettingsProblem {
        switch self {
        case .notUTF8(let line):
            SettingsProblem(
                source: .file(path: path, line: line),
                message: "not valid UTF-8; save the file as UTF-8")
        case .containsNUL(let line):
            SettingsProblem(
                source: .file(path: path, line: line),
                message: "contains a NUL character; this is not a text file")
        }
    }
}

/// One statement of a config file, without comments and continuations.
struct ConfigStatement: Equatable {
    enum Content: Equatable {
        /// `[pool NAME]`, with the text between the brackets.
        case section(String)
        /// `key = value`, without surrounding blanks.
        case entry(key: String, value: String)
        /// Any other line.
        case unreadable(String)
    }

    /// The number of its first line, from 1.
    let line: Int
    let content: Content

    /// Parses the lines of a file. A line that ends with a backslash continues on the next line: the
    /// backslash, the line break and the surrounding blanks become one space. Comments and empty lines
    /// within a continued value are skipped, as in systemd.
    static func parse(_ lines: [String]) -> [ConfigStatement] {
        var statements: [ConfigStatement] = []
        var first: Int?
        var pending = ""
        for (index, line) in lines.enumerated() {
            var text = SettingsLines.trimmed(line)
            if text.isEmpty || text.utf8.first == UInt8(ascii: "#")
                || text.utf8.first == UInt8(ascii: ";")
            {
                continue
            }
            let continues = text.utf8.last == UInt8(ascii: "\\")
            if continues { text = SettingsLines.trimmed(String(text.unicodeScalars.dropLast())) }
            // Appended in place; otherwise each line would copy the whole value.
            if first != nil { pending += " " }
            pending += text
            let line = first ?? index + 1
            first = continues ? line : nil
            if !continues {
                statements.append(ConfigStatement(line: line, content: content(of: pending)))
                pending = ""
            }
        }
        if let first {
            statements.append(ConfigStatement(line: first, content: content(of: pending)))
        }
        return statements
    }

    private static func content(of text: String) -> Content {
        let scalars = text.unicodeScalars
        if scalars.first == "[" {
            guard scalars.last == "]" else { return .unreadable(text) }
            return .section(SettingsLines.trimmed(String(scalars.dropFirst().dropLast())))
        }
        guard let equals = scalars.firstIndex(of: "=") else { return .unreadable(text) }
        let key = SettingsLines.trimmed(String(scalars[..<equals]))
        guard !key.isEmpty else { return .unreadable(text) }
        let value = SettingsLines.trimmed(String(scalars[scalars.index(after: equals)...]))
        let isEmpty = value == "\"\"" || value == "''"
        return .entry(key: key, value: isEmpty ? "" : value)
    }
}
