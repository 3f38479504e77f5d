/// A set of the values that one field of a cron expression allows.
struct CronField: Equatable, Hashable, Sendable {
    /// Bit N is set if the field allows N.
    let mask: UInt64
    /// Whether the field begins with `*`.
    let beginsWithStar: Bool

    func contains(_ value: Int) -> Bool { mask & (1 << UInt64(value)) != 0 }

    /// Returns the smallest allowed value from `least` on; nil if there is none.
    func first(from least: Int) -> Int? {
        guard least < 64 else { return nil }
        let rest = mask >> UInt64(least)
        return rest == 0 ? nil : least + rest.trailingZeroBitCount
    }

    /// The kinds of fields.
    enum Kind: Sendable {
        case minute
        case hour
        case dayOfMonth
        case month
        case dayOfWeek

        /// The name as in crontab(5).
        var name: String {
            switch self {
            case .minute: "minute"
            case .hour: "hour"
            case .dayOfMonth: "day-of-month"
            case .month: "month"
            case .dayOfWeek: "day-of-week"
            }
        }

        var range: ClosedRange<Int> {
            switch self {
            case .minute: 0...59
            case .hour: 0...23
            case .dayOfMonth: 1...31
            case .month: 1...12
            // 7 is Sunday, as is 0.
            case .dayOfWeek: 0...7
            }
        }

        /// The allowed values, for messages.
        var allowed: String {
            switch self {
            case .minute, .hour, .dayOfMonth: "\(range.lowerBound) to \(range.upperBound)"
            case .month: "1 to 12, jan to dec"
            case .dayOfWeek: "0 to 7 (0 and 7 are Sunday), sun to sat"
            }
        }

        var names: [String] {
            switch self {
            case .minute, .hour, .dayOfMonth: []
            case .month:
                [
                    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov",
                    "dec",
                ]
            case .dayOfWeek: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
            }
        }
    }

    /// Parses a comma-separated list of `*`, `N`, `N-M`, `*/STEP` and `N-M/STEP`.
    init(_ text: Substring, _ kind: Kind) throws(ScheduleFault) {
        var mask: UInt64 = 0
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            mask |= try CronField.mask(of: item, kind)
        }
        if kind == .dayOfWeek, mask & (1 << 7) != 0 { mask = mask & 0x7F | 1 }
        self.mask = mask
        beginsWithStar = text.utf8.first == UInt8(ascii: "*")
    }

    private static func mask(of item: Substring, _ kind: Kind) throws(ScheduleFault) -> UInt64 {
        let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let ends = parts[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let range: ClosedRange<Int>
        if parts[0] == "*" {
            range = kind == .dayOfWeek ? 0...6 : kind.range
        } else {
            let first = try value(of: ends[0], kind)
            var last = ends.count == 2 ? try value(of: ends[1], kind) : first
            // In a range such as fri-sun, Sunday is the last day.
            if kind == .dayOfWeek, ends.count == 2, last == 0, first > 0, ends[1] != "0" {
                last = 7
            }
            guard first <= last else { throw .reversedRange(kind.name, String(item)) }
            range = first...last
        }
        guard parts.count == 2 else { return mask(of: range, step: 1) }
        guard parts[0] == "*" || ends.count == 2 else {
            throw .stepWithoutRange(kind.name, String(item), last: kind.range.upperBound)
        }
        guard case .number(let step) = Decimal.parse(parts[1]), step > 0 else {
            throw .step(kind.name, String(item))
        }
        let longest = kind.range.upperBound - kind.range.lowerBound
        guard step <= UInt64(longest) else {
            throw .stepBeyondRange(kind.name, String(item), longest: longest)
        }
        return mask(of: range, step: Int(step))
    }

    private static func mask(of range: ClosedRange<Int>, step: Int) -> UInt64 {
        stride(from: range.lowerBound, through: range.upperBound, by: step)
            .reduce(0) { $0 | 1 << UInt64($1) }
    }

    private static func value(of text: Substring, _ kind: Kind) throws(ScheduleFault) -> Int {
        if let index = kind.names.firstIndex(of: text.lowercased()) {
            return index + kind.range.lowerBound
        }
        guard case .number(let number) = Decimal.parse(text), let value = Int(exactly: number),
            kind.range.contains(value)
        else { throw .value(kind.name, String(text), allowed: kind.allowed) }
        return value
    }
}
