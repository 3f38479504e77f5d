extension Unicode.Scalar {
    /// Whether logs must escape it and terminals must not get it: control characters of ASCII and
    /// Latin 1, line separators, and controls that change the text direction (Unicode Standard
    /// Annex #9, 2).
    public var isUnprintable: Bool {
        switch value {
        case 0..<0x20, 0x7F...0x9F, 0x2028...0x202E, 0x061C, 0x200E, 0x200F, 0x2066...0x2069: true
        default: false
        }
    }
}

extension Unicode.Scalar {
    /// The byte that this scalar represents in a system text that is not UTF-8, such as an
    /// argument; nil for any other scalar. Logs and messages write it as `\xe9`.
    public var undecodedByte: UInt8? {
        (0x10FE80...0x10FEFF).contains(value) ? UInt8(truncatingIfNeeded: value) : nil
    }
}
