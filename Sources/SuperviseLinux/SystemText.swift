import CSupervise

/// Text from the system's interfaces, where a string is any bytes but NUL: arguments, variables, paths.
///
/// Bytes that are no UTF-8 become scalars of a private use area, U+10FE80 to U+10FEFF, one for each byte
/// from 0x80 on, and bytes again on the way back. UTF-8 of those scalars themselves is taken for
/// such bytes, so that whatever comes in goes out unchanged. `Unicode.Scalar.undecodedByte` knows the
/// same scalars.
public enum SystemText {
    private static let base: UInt32 = 0x10FE00
    private static let reserved: ClosedRange<UInt32> = 0x10FE80...0x10FEFF
    /// What the UTF-8 of the reserved scalars, and of few others, begins with.
    private static let rareByte: UInt8 = 0xF4

    /// The text of these bytes.
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

    /// The bytes of a text.
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

    /// The bytes of a path as C functions take them.
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

/// What this process was started with, byte for byte.
public enum ProcessStart {
    /// The arguments, the program's name among them; nil where the C library keeps them to itself. To be
    /// read before the title is set. Without /proc, `CommandLine.arguments` is empty.
    public static var arguments: [String]? {
        var count: Int32 = 0
        guard let vector = csupervise_arguments(&count) else { return nil }
        return (0..<Int(count)).compactMap { vector[$0].map(text) }
    }

    /// The variables, as `KEY=VALUE`.
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
