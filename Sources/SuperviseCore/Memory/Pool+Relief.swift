/// Memory that all workers need together: `max-pool-rss`, `memory-pressure`, and whether a
/// replacement fits beside the worker that it replaces.
///
/// If the sum is too large, the largest worker is recycled. No other one is until its memory is
/// released: it has ended, and another round of samples was taken. A worker that has not grown
/// since it settled would be followed by one of its size, so it is not recycled. If this applies to
/// all workers, recycling cannot help, and that is reported once.

extension Pool {
    /// Growth by less than this part of the settled size does not count.
    static let noticeableGrowth: UInt64 = 20

    /// The size below which the memory of no worker affects a decision, in bytes. If all workers
    /// and the mold are below their share of `max-pool-rss`, so is the sum.
    public var lowestCapBytes: UInt64? {
        let share = policy.maxPoolRSSBytes.map { $0 / UInt64(max(0, tally.live) + 1) }
        return [policy.lowestCapBytes, share].compactMap { $0 }.min()
    }

    /// Records the memory that is left for the pools, before the workers' samples. If a replacement
    /// does not fit beside its incumbent, the kernel would kill one of them.
    mutating func takeRoom(_ room: MemoryRoom, mayRelieve: Bool, at now: Instant) {
        self.room = room
        mayRelievePressure = mayRelieve
        let wasTight = isTight
        // Sorting is only needed if it can change the result.
        isTight = room.freeBytes < memoryBytes && room.freeBytes < typicalMemory
        if isTight, !wasTight, budget.surge > 0 {
            note(.memoryIsTight(pool: number, room, workerBytes: typicalMemory))
        }
        if isTight || room.isNearLimit { endHunt(.memoryShortage, at: now) }
    }

    /// The median memory of a ready worker; 0 if none was sampled.
    var typicalMemory: UInt64 {
        let sizes = slots.compactMap { slot in
            slot.incumbent.flatMap { $0.isReady && !$0.isHunted ? $0.memoryBytes : nil }
        }.sorted()
        return sizes.isEmpty ? 0 : sizes[sizes.count / 2]
    }

    /// Returns whether the slot's worker must end before its successor starts, because memory is
    /// short.
    func goesFirstForMemory(_ slot: Int) -> Bool {
        isTight && slots[slot].due?.cause.isUrgent == true
    }

    /// Checks, after a round of samples, whether the workers together need too much.
    mutating func relieve(at now: Instant) {
        if shortage != nil { endHunt(.memoryShortage, at: now) }
        if let relief, worker(relief) != nil { return }
        relief = nil
        guard stage == .running, let cause = shortage else {
            alarmedShortage = nil
            return
        }
        // Retiring workers, and those due for their own memory, may release enough.
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
            note(.shortage(pool: number, cause, usedBytes: memoryBytes, room))
        }
    }

    /// The cap that the workers together exceed.
    private var shortage: RecycleCause? {
        if let cap = policy.maxPoolRSSBytes, memoryBytes > cap { return .poolMemory }
        if policy.relievesPressure, mayRelievePressure, room?.isNearLimit == true {
            return .pressure
        }
        return nil
    }

    /// Returns the largest of the workers that would be followed by a smaller one.
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

    /// Returns the memory that recycling the largest worker would release at most, to choose among
    /// pools.
    func reliefBytes(at now: Instant) -> UInt64 {
        guard policy.relievesPressure, let id = largestThatGrew(at: now) else { return 0 }
        return self[id]?.memoryBytes ?? 0
    }

    /// Whether a worker is retiring to relieve memory pressure.
    var isRelieving: Bool { relief.map { worker($0) != nil } ?? false }
}

extension Slot {
    /// Whether its worker has reached the size that it has without growth.
    fileprivate var isSettled: Bool { !isWanted || incumbent?.memory.settledBytes != nil }
}
