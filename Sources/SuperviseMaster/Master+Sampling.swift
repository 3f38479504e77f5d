import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Looking at workers: what they use, what they have counted.
extension Master {
    func sampleMemory(ofPool number: Int) {
        let now = MonotonicClock.nanoseconds()
        let policy = service.member(number)?.pool.policy
        if policy?.usesMemoryLimit == true { readMemoryLimit(known: policy?.memoryLimitBytes) }
        let wasUnreadable = isMemoryUnreadable
        defer { if wasUnreadable { isMemoryUnreadable = false } }
        for worker in workers.ofPool(number) where !worker.hasExited {
            measure(
                worker, at: now, nearBytes: policy?.lowestCapBytes,
                isCapped: service.member(number)?.pool.isSampled == true)
        }
        tell(.sampled(pool: number))
    }

    /// Reads the limit that percentages refer to: a container may be resized while it runs.
    private func readMemoryLimit(known: UInt64?) {
        let bytes = MemoryLimit.ofThisProcess(context.cgroup).bytes
        guard bytes != known else { return }
        log.write(
            LogLine(.info, "memory-limit-changed").with("from", bytes: known)
                .with("to", bytes: bytes))
        tell(.memoryLimit(bytes: bytes))
    }

    /// Measures one worker, between the samples of its pool.
    func measure(_ id: WorkerID) {
        guard let worker = workers[id], !worker.hasExited else { return }
        let pool = service.member(id.pool)?.pool
        measure(
            worker, at: MonotonicClock.nanoseconds(), nearBytes: pool?.lowestCapBytes(of: id))
    }

    /// What is left in the control group or on the machine, whichever is less: read anew, since both
    /// may be given more or less at any time.
    func measureRoom(forPool number: Int) {
        let figures = [context.cgroup.memoryRoom(), MachineMemory.room()].compactMap { $0 }
        guard let room = figures.min(by: { $0.freeBytes < $1.freeBytes }) else { return }
        tell(
            .room(
                pool: number,
                MemoryRoom(limitBytes: room.limitBytes, usedBytes: room.workingSetBytes)))
    }

    /// `nearBytes` is the lowest cap that the figure is held against; it `isCapped` where anything is
    /// decided by it.
    func measure(
        _ worker: RunningWorker, at now: Int64, nearBytes: UInt64?, isCapped: Bool = false
    ) {
        guard let pid = worker.pid else { return }
        let memory =
            worker.memory
            ?? TreeMemory(
                pid: pid,
                withDescendants: worker.blueprint.settings.memoryScope == .tree,
                metric: worker.blueprint.settings.memoryMetric)
        worker.memory = memory
        do throws(SystemCallError) {
            guard
                let bytes = try memory.bytes(
                    atNanoseconds: now, capBytes: nearBytes, isCapped: isCapped)
            else { return }
            readCount(of: worker)
            tell(worker.id, .memory(bytes: bytes))
        } catch {
            // It will not be another time for the next thousand workers.
            guard !isMemoryUnreadable else { return }
            isMemoryUnreadable = true
            log.write(
                LogLine(.warning, "memory-unreadable", worker).with("error", error.description))
        }
    }

    /// The counts first: a worker that took a connection is not blamed for those that wait.
    func sampleProgress(ofPool number: Int) {
        let running = workers.ofPool(number).filter { !$0.hasExited }
        for worker in running { readCount(of: worker) }
        var queues: [Int32: Bool] = [:]
        func isWaiting(_ socket: ListenSocket) -> Bool {
            let known = queues[socket.rawValue] ?? socket.hasWaitingConnection
            queues[socket.rawValue] = known
            return known
        }
        // While a reload changes binds, generations differ in their listeners.
        let pool = service.member(number)?.pool
        var waiting: Set<Int> = []
        for worker in running {
            guard let generation = pool?.worker(worker.id)?.generation,
                !waiting.contains(generation),
                worker.blueprint.listeners.contains(where: { isWaiting($0.socket) })
            else { continue }
            waiting.insert(generation)
        }
        tell(.queue(pool: number, waiting: waiting.sorted()))
    }
}
