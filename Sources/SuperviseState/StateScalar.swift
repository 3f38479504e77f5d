/// A value that is not composed of other values.
protocol StateScalar {
    var stateValue: StateValue { get }
    /// Nil if the value has another kind or is out of range.
    init?(_ value: StateValue)
}

extension Bool: StateScalar {
    var stateValue: StateValue { .bool(self) }

    init?(_ value: StateValue) {
        guard case .bool(let isTrue) = value else { return nil }
        self = isTrue
    }
}

extension String: StateScalar {
    var stateValue: StateValue { .text(self) }

    init?(_ value: StateValue) {
        guard case .text(let text) = value else { return nil }
        self = text
    }
}

extension Double: StateScalar {
    var stateValue: StateValue { .real(bitPattern) }

    init?(_ value: StateValue) {
        guard case .real(let bits) = value else { return nil }
        self.init(bitPattern: bits)
    }
}

extension StateScalar where Self: FixedWidthInteger {
    var stateValue: StateValue {
        Self.isSigned ? .signed(Int64(self)) : .unsigned(UInt64(self))
    }

    init?(_ value: StateValue) {
        switch value {
        case .signed(let number): self.init(exactly: number)
        case .unsigned(let number): self.init(exactly: number)
        case .null, .bool, .real, .text, .list, .record: return nil
        }
    }
}

extension Int: StateScalar {}
extension Int8: StateScalar {}
extension Int16: StateScalar {}
extension Int32: StateScalar {}
extension Int64: StateScalar {}
extension UInt: StateScalar {}
extension UInt8: StateScalar {}
extension UInt16: StateScalar {}
extension UInt32: StateScalar {}
extension UInt64: StateScalar {}
