import CSupervise

/// The kernel's random numbers (getrandom(2)).
public enum RandomBytes {
    /// Random bits.
    public static func number() throws(SystemCallError) -> UInt64 {
        var bits: UInt64 = 0
        try systemCall("getrandom") { csupervise_random_bytes(&bits, 8) }
        return bits
    }
}

/// 128 unpredictable random bits: a worker's `SUPERVISE_WORKER_ID`.
public struct Nonce: Hashable, Sendable, Codable {
    private let high: UInt64
    private let low: UInt64

    /// Creates a random nonce.
    public init() throws(SystemCallError) {
        high = try RandomBytes.number()
        low = try RandomBytes.number()
    }

    /// Parses a nonce; nil for any other text.
    public init?(_ text: String) {
        guard let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.dropFirst(16), radix: 16)
        else { return nil }
        self.high = high
        self.low = low
        guard self.text == text else { return nil }
    }

    /// The nonce as 32 lower-case hexadecimal digits.
    public var text: String {
        [high, low].map {
            let digits = String($0, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
