/// Memory that the workers need together: `max-pool-rss`, `memory-pressure`, and whether a replacement
/// fits beside the worker that it replaces.
///
/// Where all together need too much, the largest worker is recycled, and nobody else before its memory
/// is back: it is gone, and another round of looks was taken. A worker that has not grown since it
/// settled would be followed by one of its size, so it is left alone; where all are such, recycling
/// cannot help, and that is said once.

extension Pool {
    /// What grew by less than this part of its settled size has not grown.
    static let noticeableGrowth: UInt64 = 20

    /// What is left for the pools, told ahead of the workers' figures. A replacement that does not fit
    /// beside its incumbent would have the kernel kill one of them.
    mutating func takeRoom(_ room: MemoryRoom, mayRelieve: Bool) {
        self.room = room
        mayRelievePressure = mayRelieve
        let wasTight = isTight
        // Sorting is for when it may matter.
        isTight = room.freeBytes < UInt64(max(0, tally.memory)) && room.freeBytes < typicalMemory
        if isTight, !wasTight, budget.surge > 0 {
            note(.memoryIsTight(pool: number, room, workerBytes: typicalMemory))
        }
    }

    /// What the ready worker in the middle needs; 0 where none was measured.
    private var typicalMemory: UInt64 {
        let sizes = slots.compactMap { slot in
            slot.incumbent.flatMap { $0.isReady ? $0.memoryBytes : nil }
        }.sorted()
        return sizes.isEmpty ? 0 : sizes[sizes.count / 2]
    }

    /// Whether the slot's worker has to go before its successor starts, for want of memory.
    func goesFirstForMemory(_ slot: Int) -> Bool {
        isTight && slots[slot].due?.cause.isUrgent == true
    }

    /// Looks, after a round of looks at the workers, whether all together need too much.
    mutating func relieve(at now: Instant) {
        if let relief, worker(relief) != nil { return }
        relief = nil
        guard stage == .running, let cause = shortage else {
            alarmedShortage = nil
            return
        }
        // Whoever leaves, or is to leave for its own memory, may be all that it takes.
        let isOnItsWay = slots.contains {
            $0.due?.cause.isUrgent == true || !$0.leaving.isEmpty || $0.replacement != nil
        }
        guard !isOnItsWay else { return }
        if let id = largestThatGrew(at: now) {
            relief = id
            setDue(id, cause, at: now)
            refresh(id.slot, at: now)
        } else if alarmedShortage != cause, slots.allSatisfy({ $0.isSettled }) {
            alarmedShortage = cause
            note(.shortage(pool: number, cause, usedBytes: UInt64(max(0, tally.memory)), room))
        }
    }

    /// The cap that all together are over.
    private var shortage: RecycleCause? {
        if let cap = policy.maxPoolRSSBytes, tally.memory > cap { return .poolMemory }
        if policy.relievesPressure, mayRelievePressure, room?.isNearLimit == true {
            return .pressure
        }
        return nil
    }

    /// The largest of the workers that would be followed by a smaller one.
    func largestThatGrew(at now: Instant) -> WorkerID? {
        var largest: (id: WorkerID, bytes: UInt64)?
        for (index, slot) in slots.enumerated() where slot.isWanted && slot.due == nil {
            guard let worker = slot.incumbent, worker.isReady, let bytes = worker.memoryBytes,
                let settled = worker.memory.settledBytes, !isHeld(index, at: now),
                candidate?.isTrying(worker.id) != true,
                bytes > settled + settled / Pool.noticeableGrowth,
                bytes > largest?.bytes ?? 0
            else { continue }
            largest = (worker.id, bytes)
        }
        return largest?.id
    }

    /// What recycling the largest worker would give back at most, to choose among pools.
    func reliefBytes(at now: Instant) -> UInt64 {
        guard policy.relievesPressure, let id = largestThatGrew(at: now) else { return 0 }
        return self[id]?.memoryBytes ?? 0
    }

    /// Whether a worker is on its way out to relieve the memory's pressure.
    var isRelieving: Bool { relief.map { worker($0) != nil } ?? false }
}

extension Slot {
    /// Whether its worker is as large as it gets by starting.
    fileprivate var isSettled: Bool { !isWanted || incumbent?.memory.settledBytes != nil }
}
