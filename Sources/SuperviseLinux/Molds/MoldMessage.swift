/// A message that the master receives from a mold or from a worker that is being forked. The bytes
/// come from the program's own process: parsing accepts any, and keeps a bounded part of them.
public enum MoldMessage: Hashable, Sendable {
    /// `READY=1` on the mold's socket: it has loaded the program.
    case ready
    /// `HERE` on a worker's channel: the worker exists and waits for `GO`.
    case here
    /// `FAILED=STEP: TEXT` on a worker's channel: the worker cannot be started.
    case failed(step: String, message: String)
    /// Anything else.
    case unknown(String)

    /// The maximum size of a message in bytes; the rest of a longer one is lost.
    public static let longestBytes = 4096
    private static let longestText = 300

    /// Parses one message.
    public static func parse(_ bytes: [UInt8]) -> MoldMessage {
        var line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }[...]
        if line.elementsEqual("READY=1".utf8) { return .ready }
        if line.elementsEqual("HERE".utf8) { return .here }
        guard line.starts(with: "FAILED=".utf8) else { return .unknown(text(line)) }
        line = line.dropFirst("FAILED=".utf8.count)
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else {
            return .failed(step: "start", message: text(line))
        }
        let message = line[(colon + 1)...].drop { $0 == UInt8(ascii: " ") }
        return .failed(step: text(line[..<colon]), message: text(message))
    }

    /// Printable text of a bounded length.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        let characters = String(decoding: bytes, as: UTF8.self).unicodeScalars
            .prefix(longestText)
            .map { $0.properties.generalCategory == .control ? " " : Character($0) }
        return String(characters)
    }
}
