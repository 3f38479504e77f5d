import CSupervise

/// The kernel's random numbers (getrandom(2)).
public enum RandomBytes {
    /// Random bits.
    public static func number() throws(SystemCallError) -> UInt64 {
        var bits: UInt64 = 0
        try systemCall("getrandom") { csupervise_random_bytes(&bits, 8) }
        return bits
    }

    /// 128 random bits as 32 lower-case hexadecimal digits.
    public static func nonce() throws(SystemCallError) -> String {
        var text = ""
        for _ in 0..<2 {
            let digits = String(try number(), radix: 16)
            text += String(repeating: "0", count: 16 - digits.count) + digits
        }
        return text
    }
}
