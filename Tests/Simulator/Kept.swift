/// A value in storage of its own, shared by copies until one of them changes it: what contains it
/// is copied at every step of a simulation, and mostly to be read.
@propertyWrapper
struct Kept<Value: Equatable>: Equatable {
    private var kept: [Value]

    init(wrappedValue: Value) { kept = [wrappedValue] }

    var wrappedValue: Value {
        _read { yield kept[0] }
        _modify { yield &kept[0] }
    }
}

/// The same of a value that is mostly absent.
@propertyWrapper
struct Rare<Value: Equatable>: Equatable {
    private var kept: [Value] = []

    init() {}

    var wrappedValue: Value? {
        get { kept.first }
        _modify {
            var value = kept.popLast()
            defer { if let value { kept.append(value) } }
            yield &value
        }
    }
}
