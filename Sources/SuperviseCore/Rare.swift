/// A value that most of its owners leave at its initial state. As long as it has that, it takes one
/// word. There are up to ten thousand slots and workers, and few of them have failures.
@propertyWrapper
struct Rare<Value: Initial & Sendable>: Equatable, Sendable, Codable {
    /// At most one value, and never the initial one.
    private var kept: [Value] = []

    init() {}

    var wrappedValue: Value {
        get { kept.first ?? Value() }
        _modify {
            if kept.isEmpty { kept.append(Value()) }
            defer { if kept[0] == Value() { kept = [] } }
            yield &kept[0]
        }
    }
}

/// A type with an initial state.
protocol Initial: Equatable, Codable {
    init()
}

extension Optional: Initial where Wrapped: Equatable & Codable {
    /// Nothing.
    init() { self = nil }
}
