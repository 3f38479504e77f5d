/// The bounds of an elastic pool as text: `2..8`.
public enum WorkerRange {
    /// The largest number of workers.
    public static let most = 100_000

    private static let separator = ".."

    /// Prints bounds.
    public static func print(_ range: ClosedRange<Int>) -> String {
        "\(range.lowerBound)\(separator)\(range.upperBound)"
    }

    /// Parses bounds; nil if the text has no `..`.
    static func parse(_ text: String) throws(ValueFault) -> ClosedRange<Int>? {
        let parts = text.utf8.split(
            separator: UInt8(ascii: "."), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].isEmpty else { return nil }
        let least = Decimal.parse(String(Substring(parts[0])))
        let most = Decimal.parse(String(Substring(parts[2])))
        switch (least, most) {
        case (.notDigits, _), (_, .notDigits): throw .malformed(text, noun: "a range of workers")
        case (.number(let least), .number(let most)):
            guard least <= most, most >= 1, most <= UInt64(WorkerRange.most) else {
                throw .outOfRange(text)
            }
            return Int(least)...Int(most)
        case (.tooLarge, _), (_, .tooLarge): throw .outOfRange(text)
        }
    }
}
