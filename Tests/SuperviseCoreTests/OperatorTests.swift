import Testing

@testable import SuperviseCore

/// A worker replaced on request of an operator: a planned cause like the others.
struct OperatorTests {
    @Test func oneSlotIsReplacedThroughTheBudget() {
        let bench = Bench(workers: 2)
        bench.bringUp()
        bench.wait(.seconds(5))
        #expect(
            bench.tell(.recycle(slot: 1))
                == [.note(.due(id(1), .operator, facts(5))), start(id(1, 2))])
        bench.tell(id(1, 2), .running)
        #expect(
            bench.tell(id(1, 2), .ready)
                == [.note(.ready(id(1, 2), by: .notify, after: .zero))]
                + told(id(1), .recycle(.operator), facts(5)))
    }

    @Test func allSlotsAreReplacedOneByOne() {
        let bench = Bench(workers: 3)
        bench.bringUp()
        #expect(bench.tell(.recycle(slot: nil)).started == [id(0, 2)])
        bench.makeReady(id(0, 2))
        #expect(bench.exit(id(0)).started == [id(1, 2)])
    }

    @Test func whatBootsIsNewEnough() {
        let bench = Bench(workers: 1)
        bench.tell(.start)
        bench.tell(id(0), .running)
        #expect(bench.tell(.recycle(slot: nil)) == [])
        bench.tell(id(0), .ready)
        #expect(bench.tell(.recycle(slot: 7)) == [])
    }

    @Test func theServiceFindsThePool() {
        let bench = ServiceBench([plan("a"), plan("b")])
        bench.bringUp()
        #expect(
            bench.tell(.recycle(pool: 1, slot: 0)).performed.started == [worker(1, 0, 2)])
        #expect(bench.tell(.recycle(pool: 9, slot: 0)) == [])
    }
}
