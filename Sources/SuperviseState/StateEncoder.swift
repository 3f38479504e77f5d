/// Encodes values as bytes and decodes them without loss, to pass them from one version of a program to
/// the next.
///
/// It supports any `Codable` value. Fields are identified by name: a field that a later version no longer
/// has is skipped, and a new field must be optional. Any other difference is an error.
public enum State {
    /// Encodes a value.
    public static func encode(_ value: some Encodable) throws(StateFault) -> [UInt8] {
        do {
            var writer = StateWriter()
            writer.write(try StateEncoder.value(of: value, path: []))
            return writer.bytes
        } catch let EncodingError.invalidValue(_, context) {
            throw .content(path: text(context.codingPath), context.debugDescription)
        } catch {
            throw .content(path: "", "\(error)")
        }
    }

    /// Decodes a value.
    public static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8]
    ) throws(StateFault) -> Value {
        let value = try StateReader.read(bytes)
        do {
            return try StateDecoder.decode(type, from: value, path: [])
        } catch let error as DecodingError {
            throw fault(error)
        } catch {
            throw .content(path: "", "\(error)")
        }
    }

    private static func fault(_ error: DecodingError) -> StateFault {
        switch error {
        case .keyNotFound(let key, let context):
            .content(path: text(context.codingPath + [key]), "this is missing")
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            .content(path: text(context.codingPath), "this is no \(type)")
        case .dataCorrupted(let context):
            .content(path: text(context.codingPath), context.debugDescription)
        @unknown default: .content(path: "", "\(error)")
        }
    }

    private static func text(_ path: [any CodingKey]) -> String {
        path.map(\.stringValue).joined(separator: ".")
    }
}

/// Encodes one value.
final class StateEncoder: Encoder {
    /// The parts encoded so far.
    fileprivate enum Content {
        case nothing
        case value(StateValue)
        case list([StateEncoder])
        case record([(key: String, value: StateEncoder)])
    }

    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]
    fileprivate var content = Content.nothing

    private init(_ path: [any CodingKey]) { codingPath = path }

    static func value(of value: some Encodable, path: [any CodingKey]) throws -> StateValue {
        try make(value, path).value
    }

    fileprivate static func make(
        _ value: some Encodable, _ path: [any CodingKey]
    ) throws -> StateEncoder {
        let encoder = StateEncoder(path)
        if let scalar = value as? any StateScalar {
            encoder.content = .value(scalar.stateValue)
        } else {
            try value.encode(to: encoder)
        }
        return encoder
    }

    private var value: StateValue {
        switch content {
        case .nothing: .record([])
        case .value(let value): value
        case .list(let elements): .list(elements.map(\.value))
        case .record(let fields):
            .record(fields.map { StateValue.Field(key: $0.key, value: $0.value.value) })
        }
    }

    fileprivate func add(_ key: any CodingKey, _ value: StateEncoder) {
        guard case .record(var fields) = content else {
            return content = .record([(key.stringValue, value)])
        }
        content = .nothing
        fields.append((key.stringValue, value))
        content = .record(fields)
    }

    fileprivate func add(_ value: StateEncoder) {
        guard case .list(var elements) = content else { return content = .list([value]) }
        content = .nothing
        elements.append(value)
        content = .list(elements)
    }

    fileprivate func below(_ key: any CodingKey) -> StateEncoder {
        StateEncoder(codingPath + [key])
    }

    fileprivate static func null(_ path: [any CodingKey]) -> StateEncoder {
        let encoder = StateEncoder(path)
        encoder.content = .value(.null)
        return encoder
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .nothing = content { content = .record([]) }
        return KeyedEncodingContainer(RecordWriter<Key>(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .nothing = content { content = .list([]) }
        return ListWriter(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { ScalarWriter(encoder: self) }
}

private struct RecordWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: StateEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil(forKey key: Key) { encoder.add(key, .null(codingPath)) }

    // The generic method also replaces those of the single types.
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        encoder.add(key, try StateEncoder.make(value, codingPath + [key]))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        nested(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        nested(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { nested(StateKey("super")) }

    func superEncoder(forKey key: Key) -> any Encoder { nested(key) }

    private func nested(_ key: any CodingKey) -> StateEncoder {
        let nested = encoder.below(key)
        encoder.add(key, nested)
        return nested
    }
}

private struct ListWriter: UnkeyedEncodingContainer {
    let encoder: StateEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }

    var count: Int {
        if case .list(let elements) = encoder.content { elements.count } else { 0 }
    }

    func encodeNil() { encoder.add(.null(codingPath)) }

    func encode<Value: Encodable>(_ value: Value) throws {
        encoder.add(try StateEncoder.make(value, codingPath + [StateKey(count)]))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> {
        nested().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nested().unkeyedContainer() }

    func superEncoder() -> any Encoder { nested() }

    private func nested() -> StateEncoder {
        let nested = encoder.below(StateKey(count))
        encoder.add(nested)
        return nested
    }
}

private struct ScalarWriter: SingleValueEncodingContainer {
    let encoder: StateEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil() { encoder.content = .value(.null) }

    func encode<Value: Encodable>(_ value: Value) throws {
        encoder.content = try StateEncoder.make(value, codingPath).content
    }
}

/// A key without a declaration in a type.
struct StateKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ index: Int) {
        stringValue = "\(index)"
        intValue = index
    }

    init(_ name: String) {
        stringValue = name
        intValue = nil
    }

    init(stringValue: String) { self.init(stringValue) }
    init(intValue: Int) { self.init(intValue) }
}
