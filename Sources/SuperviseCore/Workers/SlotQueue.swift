/// Slots ordered by a key, smallest first, and by number if keys are equal. A binary heap that
/// records the position of each slot, so that setting or removing a key takes logarithmic time: a
/// pool of 10,000 workers never scans them.
struct SlotQueue<Key: Comparable & Sendable & Codable>: Equatable, Sendable, Codable {
    private struct Entry: Equatable, Sendable, Codable {
        var key: Key
        var slot: Int

        static func < (a: Entry, b: Entry) -> Bool {
            a.key == b.key ? a.slot < b.slot : a.key < b.key
        }
    }

    private var heap: [Entry] = []
    /// The position of each slot in the heap, or -1.
    private var positions: [Int] = []

    /// The slot with the smallest key.
    var first: (slot: Int, key: Key)? {
        heap.first.map { ($0.slot, $0.key) }
    }

    /// Sets the slot's key, or removes it from the queue.
    mutating func set(_ slot: Int, _ key: Key?) {
        while positions.count <= slot { positions.append(-1) }
        let position = positions[slot]
        switch (key, position) {
        case (nil, -1):
            return
        case (nil, _):
            remove(at: position)
        case (let key?, -1):
            heap.append(Entry(key: key, slot: slot))
            positions[slot] = heap.count - 1
            siftUp(heap.count - 1)
        case (let key?, _):
            guard heap[position].key != key else { return }
            heap[position].key = key
            siftDown(siftUp(position))
        }
    }

    private mutating func remove(at position: Int) {
        positions[heap[position].slot] = -1
        let last = heap.removeLast()
        defer { giveBackRoom() }
        guard position < heap.count else { return }
        heap[position] = last
        positions[last.slot] = position
        siftDown(siftUp(position))
    }

    /// At some time, such as the start, all slots are in a queue; later only a few are.
    private mutating func giveBackRoom() {
        if heap.capacity > 64, heap.count < heap.capacity / 4 { heap = Array(heap[...]) }
    }

    @discardableResult
    private mutating func siftUp(_ start: Int) -> Int {
        var position = start
        while position > 0 {
            let parent = (position - 1) / 2
            guard heap[position] < heap[parent] else { break }
            exchange(position, parent)
            position = parent
        }
        return position
    }

    private mutating func siftDown(_ start: Int) {
        var position = start
        while true {
            var smallest = position
            for child in [2 * position + 1, 2 * position + 2] where child < heap.count {
                if heap[child] < heap[smallest] { smallest = child }
            }
            guard smallest != position else { return }
            exchange(position, smallest)
            position = smallest
        }
    }

    private mutating func exchange(_ a: Int, _ b: Int) {
        heap.swapAt(a, b)
        positions[heap[a].slot] = a
        positions[heap[b].slot] = b
    }
}
