import Testing

@testable import SuperviseCore

/// More slots, fewer slots (Pool+Scaling.swift).
struct ScalingTests {
    @Test func oneMore() {
        let bench = Bench(workers: 2)
        bench.bringUp()
        #expect(
            bench.tell(.resize(by: 1))
                == [.note(.resized(pool: 0, from: 2, to: 3)), start(id(2))])
        #expect(bench.pool.size == 3)
    }

    @Test func oneFewerTakesTheOldest() {
        let bench = Bench(workers: 2)
        bench.bringUp()
        bench.wait(.seconds(5))
        bench.exit(id(0), 1)
        bench.makeReady(id(0, 2))
        #expect(
            bench.tell(.resize(by: -1)) == told(id(1), .scaledDown, facts(5))
                + [.note(.resized(pool: 0, from: 2, to: 1))])
    }

    @Test func aSlotWithoutAReadyWorkerGoesFirst() {
        let bench = Bench(workers: 3)
        bench.bringUp()
        bench.exit(id(1), 1)
        #expect(bench.tell(.resize(by: -1)).retired == [id(1, 2)])
    }

    @Test func thenOneThatIsBeingReplaced() {
        let bench = Bench(workers: 3)
        bench.bringUp()
        bench.tell(id(2), .recycleRequested)
        #expect(bench.tell(.resize(by: -1)).retired == [id(2), id(2, 2)])
    }

    @Test func neverBelowOne() {
        let bench = Bench(workers: 3)
        bench.bringUp()
        #expect(bench.tell(.resize(by: -99)).retired == [id(0), id(1)])
        #expect(bench.tell(.resize(by: -1)) == [])
        #expect(bench.pool.size == 1)
    }

    @Test func aSlotComesBackWithItsNextIncarnation() {
        let bench = Bench(workers: 2)
        bench.bringUp()
        bench.tell(.resize(by: -1))
        #expect(bench.tell(.resize(by: 1)).started == [id(0, 2)])
        #expect(bench.pool.liveCount == 3)
    }

    @Test func whatLeavesKeepsItsPlaceUntilItIsGone() {
        let bench = Bench(workers: 3)
        bench.bringUp()
        bench.tell(.resize(by: -2))
        #expect(bench.tell(.resize(by: 2)).started == [id(0, 2)])
        #expect(bench.exit(id(0)).started == [id(1, 2)])
    }

    @Test func aSlotTakenAwayForgetsItsBackoff() {
        let bench = Bench(workers: 2)
        bench.bringUp()
        bench.exit(id(0), 1)
        bench.exit(id(0, 2), 1)
        bench.tell(.resize(by: -1))
        #expect(bench.tell(.resize(by: 1)).started == [id(0, 3)])
    }

    @Test func percentagesFollowTheSize() {
        let bench = Bench(workers: 4) { $0.maxSurge = .percent(50) }
        bench.bringUp()
        #expect(bench.pool.budget.surge == 2)
        bench.tell(.resize(by: 1))
        #expect(bench.pool.budget.surge == 3)
    }

    @Test func aStoppingPoolKeepsItsSize() {
        let bench = Bench(workers: 2)
        bench.bringUp()
        bench.tell(.stop(.graceful))
        #expect(bench.tell(.resize(by: 1)) == [])
        #expect(bench.pool.size == 2)
    }
}
