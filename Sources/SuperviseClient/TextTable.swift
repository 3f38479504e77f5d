/// A table for a terminal. Columns that do not fit are omitted, the least important ones first.
struct TextTable {
    struct Column {
        let title: String
        /// Whether its cells are right-aligned, as for numbers.
        let isNumber: Bool
        /// Columns of higher rank are omitted first.
        let rank: Int

        init(_ title: String, _ rank: Int, isNumber: Bool = true) {
            self.title = title
            self.rank = rank
            self.isNumber = isNumber
        }
    }

    struct Row {
        var cells: [String]
        var colour: Style.Colour?
    }

    let columns: [Column]
    var rows: [Row] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    mutating func add(_ cells: [String?], colour: Style.Colour? = nil) {
        rows.append(Row(cells: cells.map { $0 ?? "" }, colour: colour))
    }

    /// The lines, none wider than `style.width`.
    func lines(_ style: Style) -> [String] {
        guard !rows.isEmpty else { return [] }
        let widths = columns.indices.map { index in
            max(columns[index].title.count, rows.map { $0.cells[index].count }.max() ?? 0)
        }
        // Omit empty columns.
        var shown = columns.indices.filter { index in rows.contains { !$0.cells[index].isEmpty } }
        func width() -> Int { shown.map { widths[$0] + 2 }.reduce(0, +) }
        while width() > style.width, shown.count > 1,
            let least = shown.max(by: { columns[$0].rank < columns[$1].rank })
        {
            shown.removeAll { $0 == least }
        }
        func line(_ cells: [String]) -> String {
            let text = shown.map { index -> String in
                let pad = String(repeating: " ", count: max(0, widths[index] - cells[index].count))
                return "  " + (columns[index].isNumber ? pad + cells[index] : cells[index] + pad)
            }.joined()
            return String(text.prefix(style.width)).trimmingEnd
        }
        let head = style.paint(line(columns.map(\.title)), .dim)
        return [head] + rows.map { style.paint(line($0.cells), $0.colour) }
    }
}

/// The width and colours of terminal output.
struct Style {
    enum Colour: String {
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
        case bold = "1"
        case dim = "2"
    }

    var width = 200
    var hasColours = false

    func paint(_ text: String, _ colour: Colour?) -> String {
        guard hasColours, let colour, !text.isEmpty else { return text }
        return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
    }
}

extension String {
    var trimmingEnd: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }

    /// The text without terminal control characters.
    var printable: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.filter { !$0.isUnprintable }))
    }
}
