/// An encoded value, between a Swift value and its bytes.
///
/// The first byte is the kind, followed by the content. Numbers use LEB128: seven bits per byte, lowest
/// first, with the top bit set in all bytes but the last. Signed numbers use zigzag encoding. Texts, lists
/// and records begin with their length.
enum StateValue: Equatable {
    case null
    case bool(Bool)
    case signed(Int64)
    case unsigned(UInt64)
    /// By its bit pattern, so that it is restored exactly.
    case real(UInt64)
    case text(String)
    case list([StateValue])
    case record([Field])

    struct Field: Equatable {
        let key: String
        let value: StateValue
    }

    fileprivate enum Kind: UInt8 {
        case null, no, yes, signed, unsigned, real, text, list, record
    }
}

/// The reason that bytes are not a valid state.
public enum StateFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The bytes are truncated or too long.
    case length
    /// An unknown kind, invalid text, or too many levels.
    case form
    /// A value of an unexpected type.
    case content(path: String, String)

    /// A description of the problem.
    public var description: String {
        switch self {
        case .length: "it is cut or has something behind its end"
        case .form: "it is damaged"
        case .content(let path, let problem): path.isEmpty ? problem : "\(path): \(problem)"
        }
    }
}

/// Writes the bytes of a value.
struct StateWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ value: StateValue) {
        switch value {
        case .null: write(kind: .null)
        case .bool(let isTrue): write(kind: isTrue ? .yes : .no)
        case .signed(let number):
            write(kind: .signed)
            write(UInt64(bitPattern: (number << 1) ^ (number >> 63)))
        case .unsigned(let number):
            write(kind: .unsigned)
            write(number)
        case .real(let bits):
            write(kind: .real)
            write(bits)
        case .text(let text):
            write(kind: .text)
            write(text)
        case .list(let elements):
            write(kind: .list)
            write(UInt64(elements.count))
            for element in elements { write(element) }
        case .record(let fields):
            write(kind: .record)
            write(UInt64(fields.count))
            for field in fields {
                write(field.key)
                write(field.value)
            }
        }
    }

    private mutating func write(kind: StateValue.Kind) { bytes.append(kind.rawValue) }

    private mutating func write(_ text: String) {
        write(UInt64(text.utf8.count))
        bytes += text.utf8
    }

    private mutating func write(_ number: UInt64) {
        var rest = number
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// Parses bytes. It is total: any bytes yield a value or a fault.
struct StateReader {
    /// A limit above the depth of any state, which prevents a stack overflow.
    private static let maxLevels = 100

    private let bytes: [UInt8]
    private var place = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func read(_ bytes: [UInt8]) throws(StateFault) -> StateValue {
        var reader = StateReader(bytes)
        let value = try reader.value(level: 0)
        guard reader.place == bytes.count else { throw .length }
        return value
    }

    private mutating func value(level: Int) throws(StateFault) -> StateValue {
        guard level < StateReader.maxLevels else { throw .form }
        guard let kind = StateValue.Kind(rawValue: try byte()) else { throw .form }
        switch kind {
        case .null: return .null
        case .no: return .bool(false)
        case .yes: return .bool(true)
        case .signed:
            let number = try number()
            return .signed(Int64(bitPattern: (number >> 1) ^ (0 &- (number & 1))))
        case .unsigned: return .unsigned(try number())
        case .real: return .real(try number())
        case .text: return .text(try text())
        case .list:
            var elements: [StateValue] = []
            for _ in 0..<(try count()) { elements.append(try value(level: level + 1)) }
            return .list(elements)
        case .record:
            var fields: [StateValue.Field] = []
            for _ in 0..<(try count()) {
                fields.append(.init(key: try text(), value: try value(level: level + 1)))
            }
            return .record(fields)
        }
    }

    private mutating func byte() throws(StateFault) -> UInt8 {
        guard place < bytes.count else { throw .length }
        defer { place += 1 }
        return bytes[place]
    }

    private mutating func number() throws(StateFault) -> UInt64 {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let byte = try byte()
            let part = UInt64(byte & 0x7F)
            guard (part << shift) >> shift == part else { throw .form }
            number |= part << shift
            if byte & 0x80 == 0 { return number }
        }
        throw .form
    }

    /// Reads a count. Each element takes at least one byte, so a larger count is invalid.
    private mutating func count() throws(StateFault) -> Int {
        let number = try number()
        guard number <= UInt64(bytes.count - place) else { throw .length }
        return Int(number)
    }

    private mutating func text() throws(StateFault) -> String {
        let length = try count()
        defer { place += length }
        guard let text = String(validating: bytes[place..<place + length], as: UTF8.self) else {
            throw .form
        }
        return text
    }
}
