/// Human-readable figures.
enum Units {
    /// Bytes in powers of 1024: `63.0M`, `512K`.
    static func bytes(_ bytes: Double) -> String {
        let units: [(letter: String, size: Double)] = [
            ("T", 0x1p40), ("G", 0x1p30), ("M", 0x1p20), ("K", 0x1p10),
        ]
        let magnitude = abs(bytes)
        guard let unit = units.first(where: { magnitude >= $0.size }) else {
            return "\(Int(bytes.rounded()))"
        }
        let value = bytes / unit.size
        return (abs(value) < 9.95 ? decimal(value) : "\(Int(value.rounded()))") + unit.letter
    }

    /// A duration in its two largest units: `850ms`, `12s`, `5m 3s`, `3d 4h`.
    static func seconds(_ seconds: Double) -> String {
        if seconds < 0 { return "0s" }
        if seconds < 1 { return "\(Int((seconds * 1000).rounded()))ms" }
        if seconds < 9.95 { return decimal(seconds) + "s" }
        guard seconds < 1e12 else { return "ages" }
        let total = Int(seconds)
        let parts = [
            (total / 86_400, "d"), (total / 3600 % 24, "h"), (total / 60 % 60, "m"),
            (total % 60, "s"),
        ]
        let shown = parts.drop { $0.0 == 0 }.prefix(2).filter { $0.0 > 0 }
        return shown.map { "\($0.0)\($0.1)" }.joined(separator: " ")
    }

    /// A whole number with thin groups: `1234567` stays readable up to a million, then `1.2M`.
    static func count(_ count: Double) -> String {
        if count < 1e6 { return "\(Int(count.rounded()))" }
        if count < 1e9 { return decimal(count / 1e6) + "M" }
        return count < 1e18 ? decimal(count / 1e9) + "G" : "many"
    }

    private static func decimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }
}
