/// The last lines of an output.
public struct OutputTail: Sendable {
    /// The most lines that `lines` returns.
    public static let mostLines = 20
    /// The most bytes that are kept.
    public static let mostBytes = 8192

    private var bytes: [UInt8]

    /// Continues with the last bytes of an output.
    public init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    /// The last bytes.
    public var lastBytes: [UInt8] { bytes.suffix(Self.mostBytes) }

    /// Adds output.
    public mutating func add(_ piece: UnsafeRawBufferPointer) {
        if piece.count >= Self.mostBytes {
            bytes = Array(piece.suffix(Self.mostBytes))
            return
        }
        bytes.append(contentsOf: piece)
        // Rarely, since it moves what remains.
        if bytes.count > 2 * Self.mostBytes {
            bytes.removeFirst(bytes.count - Self.mostBytes)
        }
    }

    /// The last lines as text, without empty ones at the end. Control characters other than line
    /// breaks and tabs, which a terminal could obey, are written as `\x1b`; bytes that are not UTF-8 are
    /// those of `SystemText`.
    public var text: String {
        var lines = lastBytes.split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
        ).map { Array($0) }
        while lines.last.map({ $0.allSatisfy(Self.isBlank) }) ?? false { lines.removeLast() }
        // The first of the last bytes may be in the middle of a line.
        if lines.count > 1, bytes.count >= Self.mostBytes { lines.removeFirst() }
        return lines.suffix(Self.mostLines).map(Self.escaped).joined(separator: "\n")
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte <= UInt8(ascii: " ") }

    private static func escaped(_ line: [UInt8]) -> String {
        var text = ""
        let bytes = line.last == UInt8(ascii: "\r") ? line.dropLast() : line[...]
        for scalar in SystemText.text(bytes).unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            if isControl, scalar != "\t" {
                let hex = String(scalar.value, radix: 16)
                text += "\\x" + (hex.utf8.count < 2 ? "0" : "") + hex
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
