/// Plain text for terminals with 80 columns.
enum PlainText {
    static let width = 80

    /// Wraps a paragraph at word boundaries.
    static func wrap(_ text: String, indent: Int = 0, width: Int = width) -> [String] {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        var line = ""
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            if !line.isEmpty, indent + line.count + 1 + word.count > width {
                lines.append(margin + line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        if !line.isEmpty { lines.append(margin + line) }
        return lines
    }

    /// A term, followed by its meaning in a separate column.
    static func entry(_ term: String, _ meaning: String, column: Int) -> [String] {
        var lines = wrap(meaning, indent: column)
        let head = "  " + term
        if head.count + 2 <= column, let first = lines.first {
            lines[0] = padded(head, to: column) + first.dropFirst(column)
        } else {
            lines.insert(head, at: 0)
        }
        return lines
    }

    /// Pads the text with blanks up to a column.
    static func padded(_ text: String, to column: Int) -> String {
        text + String(repeating: " ", count: max(0, column - text.count))
    }
}
