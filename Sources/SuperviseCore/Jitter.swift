/// Random draws that depend only on the seed and on the worker, so that a run can be repeated and
/// the draws of one worker do not affect those of another. The generator is SplitMix64 (Steele, Lea
/// and Flood, 2014).
struct Jitter {
    private var state: UInt64

    init(seed: UInt64, slot: Int, incarnation: Int) {
        state = seed
        state ^= mix(UInt64(truncatingIfNeeded: slot) &+ 0x9E37_79B9_7F4A_7C15)
        state ^= mix(UInt64(truncatingIfNeeded: incarnation) &+ 0xD1B5_4A32_D192_ED03)
    }

    /// Draws a number uniformly from 0 through `upper`.
    mutating func draw(through upper: UInt64) -> UInt64 {
        guard upper < .max else { return next() }
        return next().multipliedFullWidth(by: upper + 1).high
    }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return mix(state)
    }
}

private func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
}
