extension Unicode.Scalar {
    /// Whether it is better escaped in logs and left out on terminals: the control characters of ASCII
    /// and Latin 1, which terminals obey, the line separators, and the controls that change the order
    /// in which a line reads (Unicode Standard Annex #9, 2).
    public var isUnprintable: Bool {
        switch value {
        case 0..<0x20, 0x7F...0x9F, 0x2028...0x202E, 0x061C, 0x200E, 0x200F, 0x2066...0x2069: true
        default: false
        }
    }
}

extension Unicode.Scalar {
    /// The byte that this scalar stands for in a text of the system that is no UTF-8, such as an argument;
    /// nil for any other scalar. It is written as `\xe9` in logs and messages.
    public var undecodedByte: UInt8? {
        (0x10FE80...0x10FEFF).contains(value) ? UInt8(truncatingIfNeeded: value) : nil
    }
}
