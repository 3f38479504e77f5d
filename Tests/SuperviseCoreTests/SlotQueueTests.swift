import Testing

@testable import SuperviseCore

/// The heap behind deadlines and vacancies (SlotQueue.swift).
struct SlotQueueTests {
    @Test func smallestKeyThenSmallestSlot() {
        var queue = SlotQueue<Int>()
        for (slot, key) in [(4, 20), (1, 10), (9, 10), (0, 30)] { queue.set(slot, key) }
        var order: [Int] = []
        while let first = queue.first {
            order.append(first.slot)
            queue.set(first.slot, nil)
        }
        #expect(order == [1, 9, 4, 0])
    }

    @Test func takingOutWhatIsNotIn() {
        var queue = SlotQueue<Int>()
        queue.set(3, nil)
        #expect(queue.first == nil)
    }

    /// Random operations, compared with a dictionary that is scanned.
    @Test(arguments: 0..<50)
    func agreesWithANaiveModel(seed: Int) {
        var queue = SlotQueue<Int>()
        var model: [Int: Int] = [:]
        var random = Jitter(seed: UInt64(seed), slot: 0, incarnation: 0)
        let slots = random.draw(through: 40)
        for _ in 0..<2000 {
            let slot = Int(random.draw(through: slots))
            let key = random.draw(through: 3) == 0 ? nil : Int(random.draw(through: 30))
            queue.set(slot, key)
            model[slot] = key
            let expected = model.map { (key: $0.value, slot: $0.key) }.min { $0 < $1 }
            #expect(queue.first?.slot == expected?.slot)
            #expect(queue.first?.key == expected?.key)
        }
    }
}
