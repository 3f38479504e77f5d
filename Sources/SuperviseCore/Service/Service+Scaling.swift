/// The number of workers, as operators change it.

extension Service {
    mutating func resize(_ number: Int, by change: Int, at now: Instant) {
        guard exitCode == nil, let index = index(ofPool: number) else { return }
        if members[index].pool.stage == .parked {
            if change > 0 { sendToAll(.unpark, at: now) }
        } else if !members[index].pool.isScheduled {
            // The shares are updated first, because the added workers get the smaller ones.
            let size = members[index].pool.mostWorkers(after: change)
            shareMemory(resizing: (index, size))
            send(index, .resize(by: change), at: now)
        }
    }

    mutating func setBounds(
        of number: Int, _ bounds: WorkerBounds, at now: Instant
    ) {
        guard exitCode == nil, let index = index(ofPool: number) else { return }
        shareMemory(resizing: (index, bounds.maximum))
        send(index, .setBounds(bounds), at: now)
    }
}
