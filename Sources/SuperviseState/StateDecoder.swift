/// Decodes one value.
struct StateDecoder: Decoder {
    let value: StateValue
    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]

    static func decode<Value: Decodable>(
        _ type: Value.Type, from value: StateValue, path: [any CodingKey]
    ) throws -> Value {
        guard let scalar = type as? any StateScalar.Type else {
            return try Value(from: StateDecoder(value: value, codingPath: path))
        }
        guard let result = scalar.init(value) as? Value else { throw mismatch(type, path) }
        return result
    }

    fileprivate static func mismatch(_ type: Any.Type, _ path: [any CodingKey]) -> DecodingError {
        .typeMismatch(type, .init(codingPath: path, debugDescription: ""))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .record(let fields) = value else {
            throw StateDecoder.mismatch([String: Any].self, codingPath)
        }
        let values = Dictionary(fields.map { ($0.key, $0.value) }) { first, _ in first }
        return KeyedDecodingContainer(
            RecordReader<Key>(values: values, names: fields.map(\.key), codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .list(let elements) = value else {
            throw StateDecoder.mismatch([Any].self, codingPath)
        }
        return ListReader(elements: elements, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        ScalarReader(value: value, codingPath: codingPath)
    }
}

private struct RecordReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let values: [String: StateValue]
    let names: [String]
    let codingPath: [any CodingKey]

    var allKeys: [Key] { names.compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool { values[key.stringValue] != nil }

    func decodeNil(forKey key: Key) throws -> Bool { try value(key) == .null }

    // The generic method also replaces those of the single types.
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try StateDecoder.decode(type, from: try value(key), path: codingPath + [key])
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try decoder(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try decoder(StateKey("super")) }

    func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }

    private func decoder(_ key: any CodingKey) throws -> StateDecoder {
        StateDecoder(value: try value(key), codingPath: codingPath + [key])
    }

    private func value(_ key: any CodingKey) throws -> StateValue {
        guard let value = values[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key, .init(codingPath: codingPath, debugDescription: ""))
        }
        return value
    }
}

private struct ListReader: UnkeyedDecodingContainer {
    let elements: [StateValue]
    let codingPath: [any CodingKey]
    private(set) var currentIndex = 0

    init(elements: [StateValue], codingPath: [any CodingKey]) {
        self.elements = elements
        self.codingPath = codingPath
    }

    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex == elements.count }

    private var path: [any CodingKey] { codingPath + [StateKey(currentIndex)] }

    mutating func decodeNil() throws -> Bool {
        guard try next() == .null else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let result = try StateDecoder.decode(type, from: try next(), path: path)
        currentIndex += 1
        return result
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        try decoder().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try decoder().unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder { try decoder() }

    private mutating func decoder() throws -> StateDecoder {
        let decoder = StateDecoder(value: try next(), codingPath: path)
        currentIndex += 1
        return decoder
    }

    private func next() throws -> StateValue {
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                Any.self, .init(codingPath: path, debugDescription: ""))
        }
        return elements[currentIndex]
    }
}

private struct ScalarReader: SingleValueDecodingContainer {
    let value: StateValue
    let codingPath: [any CodingKey]

    func decodeNil() -> Bool { value == .null }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try StateDecoder.decode(type, from: value, path: codingPath)
    }
}
