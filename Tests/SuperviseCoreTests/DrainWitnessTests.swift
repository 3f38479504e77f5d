import Testing

@testable import SuperviseCore

struct DrainWitnessTests {
    private func traffic(_ sent: UInt32, _ received: UInt32) -> ReuseWitness.Traffic {
        ReuseWitness.Traffic(sent: sent, received: received)
    }

    @Test func aRequestAfterAResponseIsReuse() {
        var witness = ReuseWitness()
        witness.saw(1, traffic(3, 4))
        witness.saw(1, traffic(4, 4))
        #expect(!witness.isReused)
        witness.saw(1, traffic(4, 5))
        #expect(witness.isReused)
    }

    @Test func uploadsAndLongResponsesAreNone() {
        var witness = ReuseWitness()
        for count in 1..<20 {
            witness.saw(1, traffic(0, UInt32(count)))
            witness.saw(2, traffic(UInt32(count), 1))
            // Each is new.
            witness.saw(UInt64(count + 10), traffic(1, 1))
        }
        #expect(!witness.isReused)
    }

    @Test func connectionsThatEndOneByOneWereFinished() {
        #expect(
            verdicts([(1_000, [1, 2, 3]), (2_000, [2, 3]), (3_000, [3]), (4_000, [3])])
                == [false, false, true, false])
    }

    @Test func connectionsThatAllEndAtOnceWereNot() {
        #expect(verdicts([(20, [])]) == [false])
        #expect(verdicts([(50, [2]), (90, []), (200, [])]) == [false, false, false])
    }

    @Test func whatIsLeftAtAnEarlyEndWasDropped() {
        var witness = StopWitness(waiting: [1, 2], at: second(0))
        #expect(witness.hasDropped)
        _ = witness.saw(open: [1], at: Instant(nanoseconds: 99_000_000))
        #expect(witness.hasDropped)
        _ = witness.saw(open: [1], at: Instant(nanoseconds: 100_000_000))
        #expect(!witness.hasDropped)
    }

    /// The state of two waiting connections, 1 and 2, at these times in milliseconds.
    private func verdicts(_ looks: [(Int64, Set<UInt64>)]) -> [Bool] {
        var witness = StopWitness(waiting: [1, 2], at: second(0))
        return looks.map { witness.saw(open: $1, at: second(0) + .milliseconds($0)) }
    }
}
