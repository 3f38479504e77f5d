import Testing

@testable import SuperviseCore

/// Random draws (Jitter.swift).
struct JitterTests {
    private func draws(seed: UInt64, slot: Int, incarnation: Int, through upper: UInt64) -> [UInt64]
    {
        var jitter = Jitter(seed: seed, slot: slot, incarnation: incarnation)
        return (0..<20).map { _ in jitter.draw(through: upper) }
    }

    @Test(arguments: [0, 1, 2, 100, 1 << 40, UInt64.max - 1, .max] as [UInt64])
    func withinBounds(upper: UInt64) {
        for slot in 0..<50 {
            let draws = draws(seed: 7, slot: slot, incarnation: 1, through: upper)
            #expect(draws.allSatisfy { $0 <= upper })
        }
    }

    @Test func bothBoundsAreReached() {
        let all = (0..<20).flatMap { draws(seed: 7, slot: $0, incarnation: 1, through: 3) }
        #expect(Set(all) == [0, 1, 2, 3])
    }

    @Test func evenlySpread() {
        let all = (0..<500).flatMap { draws(seed: 7, slot: $0, incarnation: 1, through: 9) }
        for value: UInt64 in 0...9 {
            let share = all.count { $0 == value }
            #expect((800...1200).contains(share), "\(value) came \(share) times in 10,000")
        }
    }

    /// The first draws are pinned: a new release must not change the behaviour of an old seed.
    @Test func stable() {
        let drawn = draws(seed: 1, slot: 0, incarnation: 1, through: 1000)
        #expect(drawn == draws(seed: 1, slot: 0, incarnation: 1, through: 1000))
        #expect(Array(drawn.prefix(4)) == [64, 510, 869, 833])
    }

    @Test func eachWorkerHasItsOwn() {
        var streams: Set<[UInt64]> = []
        for slot in 0..<20 {
            for incarnation in 1...20 {
                streams.insert(
                    draws(seed: 1, slot: slot, incarnation: incarnation, through: .max))
            }
        }
        #expect(streams.count == 400)
    }
}
