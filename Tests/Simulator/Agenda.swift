import SuperviseCore

/// Future items, earliest first. Items with equal times are in order of insertion.
struct Agenda<Item> {
    private var heap: [(at: Instant, number: Int, item: Item)] = []
    private var entered = 0

    var nextAt: Instant? { heap.first?.at }

    mutating func enter(_ item: Item, at instant: Instant) {
        entered += 1
        heap.append((instant, entered, item))
        var position = heap.count - 1
        while position > 0, precedes(position, (position - 1) / 2) {
            heap.swapAt(position, (position - 1) / 2)
            position = (position - 1) / 2
        }
    }

    /// Removes and returns the next item if its time has come.
    mutating func next(through now: Instant) -> Item? {
        guard let first = heap.first, first.at <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var position = 0
        while true {
            var least = position
            for child in [2 * position + 1, 2 * position + 2] where child < heap.count {
                if precedes(child, least) { least = child }
            }
            guard least != position else { return first.item }
            heap.swapAt(position, least)
            position = least
        }
    }

    /// Postpones the items that match.
    mutating func postpone(by span: TimeSpan, where isMeant: (Item) -> Bool) {
        let all = heap.sorted { $0.number < $1.number }
        heap.removeAll(keepingCapacity: true)
        entered = 0
        for entry in all { enter(entry.item, at: isMeant(entry.item) ? entry.at + span : entry.at) }
    }

    private func precedes(_ a: Int, _ b: Int) -> Bool {
        heap[a].at == heap[b].at
            ? heap[a].number < heap[b].number : heap[a].at < heap[b].at
    }
}
