/// A value as printed by Python: a literal, or a text without quotes.
enum PythonValue: Equatable {
    /// None.
    case none
    /// True or False.
    case boolean(Bool)
    /// A list or tuple of texts.
    case list([String])
    /// Anything else; quotes are removed.
    case text(String)

    /// Parses a value. Any text is one.
    init(_ written: String) {
        switch written {
        case "None", "": self = .none
        case "True": self = .boolean(true)
        case "False": self = .boolean(false)
        default:
            if let first = written.first, let last = written.last,
                first == "[" && last == "]" || first == "(" && last == ")"
            {
                self = .list(PythonValue.items(written.dropFirst().dropLast()))
            } else {
                self = .text(PythonValue.unquoted(written))
            }
        }
    }

    /// The text of a single value; nil for None and for lists.
    var text: String? {
        switch self {
        case .none, .list: nil
        case .boolean(let value): value ? "True" : "False"
        case .text(let text): text
        }
    }

    /// The items of a list, or the single value.
    var items: [String] {
        if case .list(let items) = self { items } else { text.map { [$0] } ?? [] }
    }

    /// Whether the value is None, False, 0, or empty.
    var isOff: Bool {
        switch self {
        case .none: true
        case .boolean(let value): !value
        case .list(let items): items.isEmpty
        case .text(let text): text == "0" || text == "{}" || text.isEmpty
        }
    }

    /// Splits at commas outside of quotes.
    private static func items(_ body: Substring) -> [String] {
        var items: [String] = []
        var item = ""
        var quote: Character?
        var isEscaped = false
        for character in body {
            if isEscaped {
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil }
            } else if character == "'" || character == "\"" {
                quote = character
            } else if character == "," {
                items.append(item)
                item = ""
                continue
            }
            item.append(character)
        }
        items.append(item)
        return items.map { unquoted(SettingsLines.trimmed($0)) }.filter { !$0.isEmpty }
    }

    private static func unquoted(_ written: String) -> String {
        guard written.count >= 2, let quote = written.first, quote == "'" || quote == "\"",
            written.last == quote
        else { return written }
        var text = ""
        var isEscaped = false
        for character in written.dropFirst().dropLast() {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                text.append(character)
                isEscaped = false
            }
        }
        return text
    }
}
