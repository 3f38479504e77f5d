import Testing

@testable import SuperviseCore

struct DrainWitnessTests {
    private func traffic(
        _ id: UInt64, _ sent: UInt32, _ received: UInt32
    ) -> ConnectionSample.Connection {
        ConnectionSample.Connection(id: id, use: .inFlight, sent: sent, received: received)
    }

    @Test func aRequestAfterAResponseIsReuse() {
        var witness = ReuseWitness()
        witness.saw(traffic(1, 3, 4))
        witness.saw(traffic(1, 4, 4))
        #expect(!witness.isReused)
        witness.saw(traffic(1, 4, 5))
        #expect(witness.isReused)
    }

    @Test func uploadsAndLongResponsesAreNone() {
        var witness = ReuseWitness()
        for count in 1..<20 {
            witness.saw(traffic(1, 0, UInt32(count)))
            witness.saw(traffic(2, UInt32(count), 1))
            // Each is new.
            witness.saw(traffic(UInt64(count + 10), 1, 1))
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
