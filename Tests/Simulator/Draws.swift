/// Random numbers of the simulation (SplitMix64). Every draw comes from a stream that is named by
/// the seed and by its purpose, so that a shorter schedule replays the same draws for the remaining
/// parts.
package struct Draws {
    private var state: UInt64

    package init(seed: UInt64, _ names: Int...) {
        state = seed
        for name in names {
            state = Draws.mix(state &+ UInt64(truncatingIfNeeded: name) &* 0x9E37_79B9_7F4A_7C15)
        }
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Draws.mix(state)
    }

    /// Returns a number from `lower` through `upper`.
    package mutating func between(_ lower: Int, _ upper: Int) -> Int {
        guard upper > lower else { return lower }
        return lower + Int(next().multipliedFullWidth(by: UInt64(upper - lower + 1)).high)
    }

    /// Returns true with a probability of this many in a thousand.
    package mutating func chance(_ permille: Int) -> Bool {
        permille > 0 && between(0, 999) < permille
    }

    package mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[between(0, choices.count - 1)]
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
