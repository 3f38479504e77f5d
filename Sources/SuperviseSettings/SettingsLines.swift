/// The lines of a config file or env-file, as text.
enum SettingsLines {
    /// Why bytes are no text.
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

    /// The text without spaces and tabs around it.
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
                message: "not valid UTF-8; save the file with this encoding")
        case .containsNUL(let line):
            SettingsProblem(
                source: .file(path: path, line: line),
                message: "contains a NUL character; this is not a text file")
        }
    }
}

/// One statement of a config file, after comments and continuations.
struct ConfigStatement: Equatable {
    enum Content: Equatable {
        /// `[pool NAME]`, with the text between the brackets.
        case section(String)
        /// `key = value`, both without the blanks around them.
        case entry(key: String, value: String)
        /// A line that is neither.
        case unreadable(String)
    }

    /// The line that it begins on, counted from 1.
    let line: Int
    let content: Content

    /// The statements of a file's lines. A line that ends with a backslash goes on after it: the
    /// backslash, the line break and the blanks around them become one space. Comments and empty
    /// lines between the parts are skipped, an empty one without ending the value, as systemd
    /// reads it.
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
            // Added to in place: a long value of short lines would be copied at each of them.
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
