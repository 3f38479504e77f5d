/// A value that most of its owners leave as it began: as long as it is that, it takes the room of a word
/// and no more. There are ten thousand slots and workers to keep in mind, and few of them in trouble.
@propertyWrapper
struct Rare<Value: Initial & Sendable>: Equatable, Sendable, Codable {
    /// At most one, and that never as it began.
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

/// What has a state to begin with.
protocol Initial: Equatable, Codable {
    init()
}

extension Optional: Initial where Wrapped: Equatable & Codable {
    /// Nothing.
    init() { self = nil }
}
