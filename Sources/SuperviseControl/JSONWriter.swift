import SuperviseCore

/// A JSON writer (RFC 8259). The encoder of FoundationEssentials would cost the master 3 MB of resident
/// memory. Fields that are nil are omitted.
struct JSONWriter {
    private var text = ByteText()
    private var needsComma = false

    /// The output.
    var bytes: [UInt8] { text.bytes }

    mutating func object(_ key: StaticString? = nil, _ body: (inout JSONWriter) -> Void) {
        enclose(key, "{", "}", body)
    }

    mutating func array(_ key: StaticString? = nil, _ body: (inout JSONWriter) -> Void) {
        enclose(key, "[", "]", body)
    }

    mutating func field(_ key: StaticString, _ value: String?) {
        guard let value else { return }
        begin(key)
        text.append(quoted: value)
    }

    mutating func field(_ key: StaticString, _ value: (some BinaryInteger)?) {
        guard let value else { return }
        begin(key)
        text.append(value)
    }

    mutating func field(_ key: StaticString, _ value: Bool) {
        begin(key)
        text.append(value ? "true" : "false")
    }

    mutating func field(_ key: StaticString, seconds value: TimeSpan?) {
        guard let value else { return }
        begin(key)
        text.append(seconds: value)
    }

    mutating func field(_ key: StaticString, decimal value: Double?) {
        guard let value else { return }
        begin(key)
        text.append(decimal: value)
    }

    /// Writes a number with a computed key.
    mutating func field(named key: String, _ value: some BinaryInteger) {
        separate()
        text.append(quoted: key)
        text.append(byte: UInt8(ascii: ":"))
        text.append(value)
        needsComma = true
    }

    /// Writes an element of a list of texts.
    mutating func element(_ value: String) {
        begin(nil)
        text.append(quoted: value)
    }

    /// Writes a number in a list.
    mutating func element(_ value: Int) {
        begin(nil)
        text.append(value)
    }

    /// Writes a number, or null, in a list.
    mutating func element(_ value: UInt64?) {
        begin(nil)
        if let value { text.append(value) } else { text.append("null") }
    }

    /// Writes a duration in a list.
    mutating func element(seconds value: TimeSpan) {
        begin(nil)
        text.append(seconds: value)
    }

    /// Writes a value in a list that is JSON already.
    mutating func element(json value: [UInt8]) {
        begin(nil)
        for byte in value { text.append(byte: byte) }
    }

    private mutating func enclose(
        _ key: StaticString?, _ open: StaticString, _ close: StaticString,
        _ body: (inout JSONWriter) -> Void
    ) {
        begin(key)
        text.append(open)
        needsComma = false
        body(&self)
        text.append(close)
        needsComma = true
    }

    private mutating func begin(_ key: StaticString?) {
        separate()
        if let key {
            text.append(byte: UInt8(ascii: "\""))
            text.append(key)
            text.append("\":")
        }
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { text.append(byte: UInt8(ascii: ",")) }
    }
}
