import SuperviseCore

/// Whole numbers without a sign: digits only.
enum Decimal {
    /// The result of parsing a number.
    enum Outcome: Equatable {
        /// A number.
        case number(UInt64)
        /// Digits that exceed 64 bits.
        case tooLarge
        /// Other characters than digits, or an empty text.
        case notDigits
    }

    /// Parses digits.
    static func parse(_ text: some StringProtocol) -> Outcome {
        var number: UInt64 = 0
        var overflowed = false
        var isEmpty = true
        for byte in text.utf8 {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return .notDigits }
            isEmpty = false
            let (product, tooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, tooLargeSum) = product.addingReportingOverflow(UInt64(byte & 0x0F))
            overflowed = overflowed || tooLarge || tooLargeSum
            number = sum
        }
        if isEmpty { return .notDigits }
        return overflowed ? .tooLarge : .number(number)
    }
}

/// Sizes: `65536`, `512M`, `1.5G`; K, M and G are powers of 1024, and `512MB`, `512MiB` mean the
/// same as `512M`.
enum SizeText {
    private static let units: [(letter: String, bytes: UInt64)] = [
        ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10),
    ]

    /// Parses a size in bytes, at most `Int64.max`.
    static func parse(_ text: String) throws(ValueFault) -> UInt64 {
        if text.utf8.last == UInt8(ascii: "%") { throw .percentOfMemory(text) }
        let letters = text.reversed().prefix { $0.isASCII && $0.isLetter }
        let digits = Substring(text).dropLast(letters.count)
        guard let unit = bytes(ofUnit: String(letters.reversed()).uppercased()) else {
            throw .malformed(text, noun: "a size")
        }
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? parts[1] : "0"
        // Nine fractional digits are exact to a byte and cannot overflow below.
        guard let first = parts.first, fraction.utf8.count <= 9, parts.count == 1 || unit > 1,
            case .number(let numerator) = Decimal.parse(fraction)
        else { throw .malformed(text, noun: "a size") }
        let denominator = fraction.utf8.reduce(UInt64(1)) { product, _ in product * 10 }
        switch Decimal.parse(first) {
        case .notDigits: throw .malformed(text, noun: "a size")
        case .tooLarge: throw .outOfRange(text)
        case .number(let whole):
            let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
            let (sum, tooLarge) = product.addingReportingOverflow(numerator * unit / denominator)
            guard !overflow, !tooLarge, sum <= UInt64(Int64.max) else { throw .outOfRange(text) }
            return sum
        }
    }

    /// The bytes of a unit in capitals: `""`, `B`, `M`, `MB`, `MI` or `MIB`.
    private static func bytes(ofUnit name: String) -> UInt64? {
        if name.isEmpty || name == "B" { return 1 }
        guard ["", "B", "I", "IB"].contains(name.dropFirst()) else { return nil }
        return units.first { $0.letter == name.prefix(1) }?.bytes
    }

    /// The shortest exact text of a size.
    static func print(_ bytes: UInt64) -> String {
        for unit in units where bytes >= unit.bytes && bytes % unit.bytes == 0 {
            return "\(bytes / unit.bytes)\(unit.letter)"
        }
        return String(bytes)
    }
}

/// Durations: `30` and `30s`, `500ms`, `1h30m`, `2d`, `1.5h`; larger units come first, and only the
/// last number may have a fraction.
enum DurationText {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000),
        ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000), ("ns", 1),
    ]

    /// Parses a duration.
    static func parse(_ text: String) throws(ValueFault) -> TimeSpan {
        var total: Int64 = 0
        var overflowed = false
        var rest = Substring(text)
        var remaining = units[...]
        repeat {
            let number = rest.prefix { $0.isASCII && ($0.isWholeNumber || $0 == ".") }
            let name = rest.dropFirst(number.count).prefix { $0.isASCII && $0.isLetter }
            let isBareSeconds = name.isEmpty && number.utf8.count == text.utf8.count
            guard
                let unit = remaining.firstIndex(where: {
                    $0.name == name || isBareSeconds && $0.name == "s"
                })
            else { throw .malformed(text, noun: "a duration") }
            remaining = remaining[(unit + 1)...]
            rest = rest.dropFirst(number.count + name.count)
            switch nanoseconds(number, of: units[unit].nanoseconds, mayHaveFraction: rest.isEmpty) {
            case .notDigits: throw .malformed(text, noun: "a duration")
            case .tooLarge: overflowed = true
            case .number(let count):
                let (sum, tooLarge) = total.addingReportingOverflow(Int64(clamping: count))
                overflowed = overflowed || count > UInt64(Int64.max) || tooLarge
                total = sum
            }
        } while !rest.isEmpty
        if overflowed { throw .outOfRange(text) }
        return TimeSpan(nanoseconds: total)
    }

    /// Parses a multiple of a unit, with the fraction rounded down to a nanosecond.
    private static func nanoseconds(
        _ text: Substring, of unit: Int64, mayHaveFraction: Bool
    ) -> Decimal.Outcome {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? parts[1] : "0"
        guard parts.count == 1 || mayHaveFraction, fraction.utf8.count <= 18,
            case .number(let numerator) = Decimal.parse(fraction)
        else { return .notDigits }
        guard case .number(let whole) = Decimal.parse(parts[0]) else {
            return Decimal.parse(parts[0])
        }
        let denominator = fraction.utf8.reduce(UInt64(1)) { product, _ in product * 10 }
        // The numerator is smaller than the denominator, so the quotient is smaller than the unit.
        let (part, _) = denominator.dividingFullWidth(
            numerator.multipliedFullWidth(by: UInt64(unit)))
        let (product, overflow) = whole.multipliedReportingOverflow(by: UInt64(unit))
        let (sum, tooLarge) = product.addingReportingOverflow(part)
        return overflow || tooLarge ? .tooLarge : .number(sum)
    }

    /// The span in its largest units, exactly.
    static func print(_ span: TimeSpan) -> String {
        var rest = max(span.nanoseconds, 0)
        // Durations below two minutes are printed in seconds: 90s, not 1m30s.
        if rest % 1_000_000_000 == 0, rest < 120_000_000_000 { return "\(rest / 1_000_000_000)s" }
        var text = ""
        for unit in units where rest >= unit.nanoseconds {
            text += "\(rest / unit.nanoseconds)\(unit.name)"
            rest %= unit.nanoseconds
        }
        return text
    }
}
