import SuperviseCore

/// The textual form of a value: a parser, its inverse and a description.
struct Format<Value: Sendable>: Sendable {
    /// The placeholder for a value in usage lines, such as `SECONDS`.
    let placeholder: String
    /// The allowed values, as shown in error messages and in the help.
    let allowed: String
    /// The values that are words, which shells complete.
    let words: [String]
    /// Whether `parse` handles quotes itself. Otherwise quotes around the whole value are removed
    /// before parsing.
    let readsQuotes: Bool
    /// Parses a text.
    let parse: @Sendable (String) throws(ValueFault) -> Value
    /// Prints a value so that parsing the text yields the value again.
    let print: @Sendable (Value) -> String

    init(
        _ placeholder: String, allowed: String, words: [String] = [], readsQuotes: Bool = false,
        parse: @escaping @Sendable (String) throws(ValueFault) -> Value,
        print: @escaping @Sendable (Value) -> String
    ) {
        self.placeholder = placeholder
        self.allowed = allowed
        self.words = words
        self.readsQuotes = readsQuotes
        self.parse = parse
        self.print = print
    }

    /// Parses the value of a setting, which may be quoted.
    func value(of text: String) throws(ValueFault) -> Value {
        try parse(readsQuotes ? text : try Quoting.unquote(text))
    }

    /// The same format with words for nil; the first word is printed.
    func orNil(_ words: [String]) -> Format<Value?> {
        Format<Value?>(
            placeholder, allowed: allowed, words: words.prefix(1) + self.words,
            readsQuotes: readsQuotes
        ) { text throws(ValueFault) in
            words.contains(text.lowercased()) ? nil : try parse(text)
        } print: { value in
            if let value { print(value) } else { words.first ?? "" }
        }
    }
}

extension Format where Value == Bool {
    static let boolean = Format(
        "yes|no", allowed: "yes or no (also true, false, on, off, 1, 0)", words: ["yes", "no"]
    ) { text throws(ValueFault) in
        guard let meant = meaning(ofWord: text) else { throw .notABoolean(text) }
        return meant
    } print: {
        $0 ? "yes" : "no"
    }

    /// The value of a word; nil for any other word.
    static func meaning(ofWord word: String) -> Bool? {
        switch word.lowercased() {
        case "yes", "true", "on", "1": true
        case "no", "false", "off", "0": false
        default: nil
        }
    }
}

extension Format where Value == Int {
    /// A whole number in a range, with an optional minus sign.
    static func integer(_ range: ClosedRange<Int>, allowed: String) -> Format {
        Format("N", allowed: allowed) { text throws(ValueFault) in
            let isNegative = text.utf8.first == UInt8(ascii: "-") && range.lowerBound < 0
            switch Decimal.parse(text.utf8.dropFirst(isNegative ? 1 : 0).text) {
            case .notDigits: throw .malformed(text, noun: "a whole number")
            case .tooLarge: throw .outOfRange(text)
            case .number(let magnitude):
                let number = Int(exactly: magnitude).map { isNegative ? -$0 : $0 }
                guard let number, range.contains(number) else { throw .outOfRange(text) }
                return number
            }
        } print: {
            String($0)
        }
    }
}

extension Format where Value == UInt64 {
    /// A number of requests; `off` is 0.
    static func requests(allowed: String) -> Format {
        Format("N", allowed: allowed) { text throws(ValueFault) in
            if text.lowercased() == "off" { return 0 }
            switch Decimal.parse(text) {
            case .notDigits: throw .malformed(text, noun: "a whole number")
            case .number(let number) where number <= UInt64(Int64.max): return number
            case .number, .tooLarge: throw .outOfRange(text)
            }
        } print: {
            String($0)
        }
    }
}

extension Format where Value == UInt32 {
    /// Permission bits in octal.
    static let mode = Format("MODE", allowed: "an octal mode from 0000 to 0777, such as 0660") {
        text throws(ValueFault) in
        let isOctal = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
        guard isOctal, !text.isEmpty else { throw .malformed(text, noun: "an octal mode") }
        guard text.utf8.count <= 9, let mode = UInt32(text, radix: 8), mode <= 0o777 else {
            throw .outOfRange(text)
        }
        return mode
    } print: {
        let digits = String($0, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}

extension Format where Value == TimeSpan {
    /// A duration in a range.
    static func duration(atLeast least: TimeSpan = .zero, allowed: String) -> Format {
        Format("TIME", allowed: allowed) { text throws(ValueFault) in
            let span = try DurationText.parse(text)
            guard span >= least else { throw .outOfRange(text) }
            return span
        } print: {
            DurationText.print($0)
        }
    }
}

extension Format where Value == TimeSpan? {
    /// A duration; `off` and `0` are nil.
    static func durationOrOff(allowed: String) -> Format {
        Format("TIME", allowed: allowed) { text throws(ValueFault) in
            if text.lowercased() == "off" { return nil }
            let span = try DurationText.parse(text)
            return span == .zero ? nil : span
        } print: {
            $0.map(DurationText.print) ?? "off"
        }
    }
}

extension Format where Value == MemoryCap {
    /// No process uses less; a smaller value probably lacks its unit.
    private static let leastCapBytes: UInt64 = 1 << 20

    /// A memory cap in bytes, or a percentage of the memory limit.
    static let memoryCap = Format(
        "SIZE", allowed: "off, a size of at least 1M such as 512M or 1.5G, or 1% to 100%"
    ) { text throws(ValueFault) in
        if text.utf8.last == UInt8(ascii: "%") {
            switch Decimal.parse(text.utf8.dropLast().text) {
            case .notDigits: throw .malformed(text, noun: "a size or a percentage")
            case .number(let number) where (1...100).contains(number): return .percent(Int(number))
            case .number, .tooLarge: throw .outOfRange(text)
            }
        }
        let bytes = try SizeText.parse(text)
        guard bytes >= leastCapBytes else { throw .outOfRange(text) }
        return .bytes(bytes)
    } print: {
        switch $0 {
        case .bytes(let bytes): SizeText.print(bytes)
        case .percent(let percent): "\(percent)%"
        }
    }
}

extension Format where Value == MemoryCap? {
    /// A memory cap; `off` and `0` are nil.
    static let memoryCapOrOff = Format<MemoryCap>.memoryCap.orNil(["off", "0"])
}

extension Format where Value == Amount {
    /// A number of workers or a percentage.
    static let amount = Format(
        "N", allowed: "a number of workers such as 1, or a percentage from 0% to 100%"
    ) { text throws(ValueFault) in
        let isPercent = text.utf8.last == UInt8(ascii: "%")
        switch Decimal.parse(text.utf8.dropLast(isPercent ? 1 : 0).text) {
        case .notDigits: throw .malformed(text, noun: "a number or a percentage")
        case .number(let number) where number <= (isPercent ? 100 : 100_000):
            return isPercent ? .percent(Int(number)) : .count(Int(number))
        case .number, .tooLarge: throw .outOfRange(text)
        }
    } print: {
        switch $0 {
        case .count(let count): String(count)
        case .percent(let percent): "\(percent)%"
        }
    }
}

extension Format where Value == Signal {
    static let signal = Format("SIGNAL", allowed: "a signal such as TERM, INT, QUIT or 15") {
        text throws(ValueFault) in
        guard let signal = Signal(name: text) else { throw .malformed(text, noun: "a signal") }
        return signal
    } print: {
        $0.description
    }

    /// A signal that asks a program to do something, so a signal that can be caught (signal(7)).
    static let request = Format(
        "SIGNAL", allowed: "a signal that programs can catch, such as TERM, INT, QUIT or 15"
    ) { text throws(ValueFault) in
        let signal = try Format.signal.parse(text)
        guard signal != .kill, signal != .stop else { throw .uncatchable(text) }
        return signal
    } print: {
        $0.description
    }

    /// SIGCONT and the signals that suspend a program until SIGCONT. None of them terminates it.
    private static let pausing: Set<Int32> = [18, 20, 21, 22]

    /// A signal that asks a program to exit.
    static let end = Format("SIGNAL", allowed: request.allowed) { text throws(ValueFault) in
        let signal = try Format.request.parse(text)
        guard !pausing.contains(signal.number) else {
            throw .malformed(text, noun: "a signal that terminates programs")
        }
        return signal
    } print: {
        $0.description
    }

    /// A signal that terminates a program.
    static let quick = Format(
        "SIGNAL", allowed: "a signal that terminates programs, such as TERM, INT, QUIT or KILL"
    ) { text throws(ValueFault) in
        let signal = try Format.signal.parse(text)
        guard signal != .stop else { throw .uncatchable(text) }
        guard !pausing.contains(signal.number) else {
            throw .malformed(text, noun: "a signal that terminates programs")
        }
        return signal
    } print: {
        $0.description
    }
}

extension Format where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a few words.
    static func word(_ noun: String, placeholder: String) -> Format {
        let words = Value.allCases.map(\.rawValue)
        let allowed = words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
        return Format(placeholder, allowed: allowed, words: words) { text throws(ValueFault) in
            guard let value = Value(rawValue: text.lowercased()) else {
                throw .malformed(text, noun: noun)
            }
            return value
        } print: {
            $0.rawValue
        }
    }
}

extension Substring.UTF8View {
    /// The text of these bytes.
    var text: Substring { Substring(self) }
}
