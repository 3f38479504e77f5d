/// A key of `top`.
enum ViewKey: Equatable {
    case quit
    case up
    case down
    case pageUp
    case pageDown
    case top
    case bottom
}

/// Decodes keys from the bytes of a terminal (ECMA-48 with the extensions of xterm).
struct KeyReader {
    private var pending: [UInt8] = []

    private static let sequences: [(bytes: String, key: ViewKey)] = [
        ("\u{1B}[A", .up), ("\u{1B}OA", .up), ("\u{1B}[B", .down), ("\u{1B}OB", .down),
        ("\u{1B}[5~", .pageUp), ("\u{1B}[6~", .pageDown), ("\u{1B}[H", .top), ("\u{1B}OH", .top),
        ("\u{1B}[1~", .top), ("\u{1B}[F", .bottom), ("\u{1B}OF", .bottom), ("\u{1B}[4~", .bottom),
        ("q", .quit), ("Q", .quit), ("k", .up), ("j", .down), ("\n", .down), ("\r", .down),
        (" ", .pageDown), ("f", .pageDown), ("b", .pageUp), ("g", .top), ("G", .bottom),
    ]

    /// Returns the keys that these bytes complete. An incomplete sequence is kept.
    mutating func read(_ bytes: [UInt8]) -> [ViewKey] {
        pending += bytes
        var keys: [ViewKey] = []
        while !pending.isEmpty {
            if let (text, key) = KeyReader.sequences.first(where: {
                pending.starts(with: $0.bytes.utf8)
            }) {
                keys.append(key)
                pending.removeFirst(text.utf8.count)
            } else if KeyReader.sequences.contains(where: {
                Array($0.bytes.utf8).starts(with: pending)
            }) {
                break
            } else {
                pending.removeFirst()
            }
        }
        return keys
    }
}

/// A scrollable list of lines.
struct ScrolledLines {
    var lines: [String] = [] {
        didSet { first = min(first, lastFirst) }
    }
    /// The number of visible lines.
    var rows = 1 {
        didSet { first = min(first, lastFirst) }
    }
    private var first = 0

    private var lastFirst: Int { max(0, lines.count - rows) }

    /// The visible lines.
    var shown: [String] { Array(lines.dropFirst(first).prefix(rows)) }

    /// The line below the visible ones.
    var footer: String {
        guard lines.count > rows else { return "q: quit" }
        return "q: quit  up, down, space, b, g, G: scroll  lines \(first + 1) to "
            + "\(first + shown.count) of \(lines.count)"
    }

    mutating func move(by key: ViewKey) {
        switch key {
        case .quit: return
        case .up: first -= 1
        case .down: first += 1
        case .pageUp: first -= max(1, rows - 1)
        case .pageDown: first += max(1, rows - 1)
        case .top: first = 0
        case .bottom: first = lastFirst
        }
        first = max(0, min(first, lastFirst))
    }
}
