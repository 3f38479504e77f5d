import SuperviseCore

/// A text builder on bytes. A scrape of 1,000 workers has about 4,000 lines; building it from strings
/// would take several times as long.
struct ByteText {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ text: StaticString) {
        bytes.append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func append(byte: UInt8) { bytes.append(byte) }

    mutating func append(_ number: some BinaryInteger) {
        if number < 0 { append(byte: UInt8(ascii: "-")) }
        append(magnitude: UInt64(clamping: number.magnitude))
    }

    /// Seconds with milliseconds: `1.250`.
    mutating func append(seconds span: TimeSpan) {
        let milliseconds = span.nanoseconds / 1_000_000
        if milliseconds < 0 { append(byte: UInt8(ascii: "-")) }
        append(magnitude: milliseconds.magnitude / 1000)
        append(byte: UInt8(ascii: "."))
        append(magnitude: milliseconds.magnitude % 1000, width: 3)
    }

    /// A number with three decimals; NaN, infinity and numbers that are too large become 0.
    mutating func append(decimal number: Double) {
        let thousandths = (number * 1000).rounded()
        let nanoseconds = Int64(exactly: thousandths).flatMap {
            $0.multipliedReportingOverflow(by: 1_000_000).overflow ? nil : $0 * 1_000_000
        }
        append(seconds: TimeSpan(nanoseconds: nanoseconds ?? 0))
    }

    private mutating func append(magnitude: UInt64, width: Int = 1) {
        var rest = magnitude
        // UInt64.max has 20 digits.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var first = 20
            repeat {
                first -= 1
                digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0 || 20 - first < width
            bytes.append(contentsOf: digits[first...])
        }
    }

    /// A quoted JSON string (RFC 8259); terminal control characters are escaped as well.
    mutating func append(quoted text: String) {
        append(byte: UInt8(ascii: "\""))
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) {
            append(text)
        } else {
            for scalar in text.unicodeScalars { append(escaped: scalar) }
        }
        append(byte: UInt8(ascii: "\""))
    }

    private mutating func append(escaped scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x22: append("\\\"")
        case 0x5C: append("\\\\")
        case 0x0A: append("\\n")
        case 0x0D: append("\\r")
        case 0x09: append("\\t")
        case _ where scalar.isUnprintable:
            let hex = String(scalar.value, radix: 16)
            append("\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex)
        default:
            if let byte = scalar.undecodedByte {
                append("\\\\x" + String(byte, radix: 16))
            } else {
                append(String(scalar))
            }
        }
    }
}

extension String {
    /// The text as a JSON string in quotes (RFC 8259), which is a quoted value of logfmt as well.
    public var quotedForJSON: String {
        var text = ByteText()
        text.append(quoted: self)
        return String(decoding: text.bytes, as: UTF8.self)
    }
}
