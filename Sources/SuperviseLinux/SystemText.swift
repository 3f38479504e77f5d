import CSupervise

/// Text from the system's interfaces, where a string consists of any bytes but NUL: arguments,
/// variables, paths.
///
/// Bytes that are not UTF-8 become scalars of a private use area, U+10FE80 to U+10FEFF, one per
/// byte from 0x80 on, and become bytes again on output. UTF-8 of these scalars themselves is
/// treated as such bytes, so that any input is preserved. `Unicode.Scalar.undecodedByte` recognises
/// the same scalars.
public enum SystemText {
    private static let base: UInt32 = 0x10FE00
    private static let reserved: ClosedRange<UInt32> = 0x10FE80...0x10FEFF
    /// The first bytes of the reserved scalars in UTF-8, and of few others.
    private static let rareByte: UInt8 = 0xF4

    /// Decodes bytes.
    public static func text(_ bytes: some Collection<UInt8>) -> String {
        if !bytes.contains(rareByte), let text = String(validating: bytes, as: UTF8.self) {
            return text
        }
        var scalars = String.UnicodeScalarView()
        var rest = Array(bytes)[...]
        while let first = rest.first {
            if let (scalar, length) = scalar(at: rest), !reserved.contains(scalar.value) {
                scalars.append(scalar)
                rest = rest.dropFirst(length)
            } else {
                // A byte below 0x80 is a scalar by itself, so this one is not below.
                if let stand = Unicode.Scalar(base + UInt32(first)) { scalars.append(stand) }
                rest = rest.dropFirst()
            }
        }
        return String(scalars)
    }

    /// Encodes a text.
    public static func bytes(_ text: String) -> [UInt8] {
        guard text.utf8.contains(rareByte) else { return Array(text.utf8) }
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if reserved.contains(scalar.value) {
                bytes.append(UInt8(scalar.value - base))
            } else {
                bytes += UTF8.encode(scalar).map(Array.init) ?? []
            }
        }
        return bytes
    }

    /// The bytes of a path for C functions.
    static func path(_ text: String) -> [CChar] {
        bytes(text).map { CChar(bitPattern: $0) } + [0]
    }

    private static func scalar(
        at bytes: ArraySlice<UInt8>
    ) -> (scalar: Unicode.Scalar, length: Int)? {
        for length in 1...4 where length <= bytes.count {
            let piece = bytes.prefix(length)
            if let scalar = String(validating: piece, as: UTF8.self)?.unicodeScalars.first {
                return (scalar, length)
            }
        }
        return nil
    }
}

/// The arguments and environment of this process, as bytes.
public enum ProcessStart {
    /// The arguments, including the program's name; nil if the C library does not expose them. Read
    /// this before the title is set. Without /proc, `CommandLine.arguments` is empty.
    public static var arguments: [String]? {
        var count: Int32 = 0
        guard let vector = csupervise_arguments(&count) else { return nil }
        return (0..<Int(count)).compactMap { vector[$0].map(text) }
    }

    /// The environment, as `KEY=VALUE`.
    public static var environment: [String] {
        var variables: [String] = []
        var next = csupervise_environment()
        while let entry = next?.pointee {
            variables.append(text(entry))
            next = next?.successor()
        }
        return variables
    }

    private static func text(_ string: UnsafeMutablePointer<CChar>) -> String {
        var count = 0
        while string[count] != 0 { count += 1 }
        return string.withMemoryRebound(to: UInt8.self, capacity: count) {
            SystemText.text(UnsafeBufferPointer(start: $0, count: count))
        }
    }
}
