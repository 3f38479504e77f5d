import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Sampling of workers: the kernel's side. The core decides when a pool is sampled, and which
/// contents.
final class Sampler {
    /// Figures younger than this are not read again for a client.
    private static let freshness = TimeSpan.milliseconds(500)
    /// The number of workers whose memory is read per scrape, which limits its cost for any number
    /// of workers. A larger service needs several scrapes.
    private static let measuredPerScrape = 64

    private let core: Core
    private let workers: WorkerTable
    private let molds: MoldTable
    private let log: Log
    private let cgroup: Cgroup
    /// Reads the count of a worker, and reports it to the core.
    var readCount: (RunningWorker) -> Void = { _ in }
    /// Returns the count on the page of a worker, as an event.
    var currentCount: (RunningWorker) -> WorkerEvent? = { _ in nil }
    /// Returns the workers of a pool with requests that wait for a response.
    var waitingRequests: (Int) -> [WaitingRequests] = { _ in [] }
    /// Returns the load of a pool.
    var load: (Int) -> PoolSample.Load = { _ in PoolSample.Load(waiting: 0) }
    /// The evidence about routes that retain memory.
    let leaks: LeakWatch
    /// Whether an unreadable memory of a worker was logged.
    private var isMemoryUnreadable = false
    /// The files of `memory-log`, by path.
    private var memoryLogs: [String: MemoryLog] = [:]
    /// The pools whose figures were read and not recorded yet.
    private var fresh = FreshFigures()
    /// The time at which the counts and the memory of all workers were last read for a client.
    private var refreshedAt: Instant?
    /// The serial of the worker whose memory was last read for a scrape.
    private var lastMeasured: UInt64 = 0

    init(core: Core, workers: WorkerTable, molds: MoldTable, log: Log, cgroup: Cgroup) {
        self.core = core
        leaks = LeakWatch(core)
        self.workers = workers
        self.molds = molds
        self.log = log
        self.cgroup = cgroup
    }

    /// Samples a pool, and reports the result to the core.
    func sample(pool number: Int, _ contents: SampleContents) {
        var sample = PoolSample()
        if contents.contains(.room) { sample.room = room() }
        if contents.contains(.memory) {
            sample.memory = memory(ofPool: number)
            sample.moldBytes = molds.residentBytes(ofPool: number)
        }
        if contents.contains(.memoryLog) { logMemory(ofPool: number) }
        if contents.contains(.responses) { sample.responses = responses(ofPool: number) }
        if contents.contains(.requests) { sample.requests = waitingRequests(number) }
        if contents.contains(.progress) { sample.waiting = waiting(atPool: number) }
        if contents.contains(.load) { sample.load = load(number) }
        core.enqueue(.sampled(pool: number, sample))
        // Both read the counts as well.
        if contents.contains(.memory) || contents.contains(.progress) {
            fresh.counts.insert(number)
        }
        if contents.contains(.memory) { fresh.memory.insert(number) }
    }

    /// Returns the pools whose figures were read since the last call.
    func takeFresh() -> FreshFigures {
        defer { fresh = FreshFigures() }
        return fresh
    }

    private func responses(ofPool number: Int) -> [PoolSample.Responses] {
        workers.ofPool(number).compactMap { worker in
            guard !worker.hasExited, let count = worker.responses else { return nil }
            return PoolSample.Responses(worker.id, count)
        }
    }

    /// Measures one worker between the samples of its pool.
    func measure(_ id: WorkerID) {
        guard let worker = workers[id], !worker.hasExited else { return }
        let pool = core.service.member(id.pool)?.pool
        report(worker, at: MonotonicClock.nanoseconds(), nearBytes: pool?.lowestCapBytes(of: id))
    }

    /// Reads the counts of all workers, and the memory of those that are not sampled regularly: of
    /// all of them for an operator, of some for a scrape.
    func refresh(for access: ControlAccess, at now: Instant) {
        if let refreshedAt, now - refreshedAt < Sampler.freshness { return }
        refreshedAt = now
        let sampled = Set(core.service.members.filter(\.pool.isSampled).map(\.pool.number))
        var unmeasured: [UInt64] = []
        for worker in workers.bySerial.values where !worker.hasExited {
            readCount(worker)
            if !sampled.contains(worker.id.pool) { unmeasured.append(worker.serial) }
        }
        fresh.counts.formUnion(core.service.members.map(\.pool.number))
        fresh.memory.formUnion(fresh.counts)
        for serial in nextToMeasure(of: unmeasured, for: access) {
            guard let worker = workers[serial: serial] else { continue }
            report(worker, at: now.nanoseconds, nearBytes: nil)
        }
    }

    /// Returns the next workers to measure, in cyclic order.
    private func nextToMeasure(of serials: [UInt64], for access: ControlAccess) -> [UInt64] {
        guard access == .readOnly, serials.count > Sampler.measuredPerScrape else { return serials }
        let sorted = serials.sorted()
        let start = sorted.firstIndex { $0 > lastMeasured } ?? 0
        let turn = (0..<Sampler.measuredPerScrape).map { sorted[(start + $0) % sorted.count] }
        lastMeasured = turn.last ?? 0
        return turn
    }

    /// Returns the remaining memory in the control group or on the machine, whichever is less. Both
    /// limits may change at any time.
    private func room() -> MemoryRoom? {
        [cgroup.memoryRoom(), MachineMemory.room()].compactMap { $0 }
            .min { $0.freeBytes < $1.freeBytes }
            .map { MemoryRoom(limitBytes: $0.limitBytes, usedBytes: $0.workingSetBytes) }
    }

    private func memory(ofPool number: Int) -> [PoolSample.Figure] {
        let now = MonotonicClock.nanoseconds()
        let pool = core.service.member(number)?.pool
        let (isCapped, cap) = (pool?.isSampled == true, pool?.lowestCapBytes)
        if let policy = pool?.policy, policy.usesMemoryLimit {
            readMemoryLimit(known: policy.memoryLimitBytes)
        }
        let wasUnreadable = isMemoryUnreadable
        defer { if wasUnreadable { isMemoryUnreadable = false } }
        return workers.ofPool(number).filter { !$0.hasExited }.compactMap { worker in
            let bytes = memory(of: worker, at: now, nearBytes: cap, isCapped: isCapped)
            leaks.take(worker, isReadable: bytes != nil)
            return bytes.map {
                PoolSample.Figure(worker.id, bytes: $0, isServing: isServing(worker))
            }
        }
    }

    /// Reads the base of percentages, because a container may be resized while it runs.
    private func readMemoryLimit(known: UInt64?) {
        let bytes = MemoryLimit.ofThisProcess(cgroup).bytes
        guard bytes != known else { return }
        log.write(
            LogLine(.info, "memory-limit-changed").with("from", bytes: known)
                .with("to", bytes: bytes))
        core.enqueue(.memoryLimit(bytes: bytes))
    }

    private func report(_ worker: RunningWorker, at now: Int64, nearBytes: UInt64?) {
        guard let bytes = memory(of: worker, at: now, nearBytes: nearBytes, isCapped: false) else {
            return
        }
        core.enqueue(worker.id, .memory(bytes: bytes, isServing: isServing(worker)))
    }

    /// Returns whether a request is in flight in a worker that has answered none. Only then does it
    /// make a difference.
    private func isServing(_ worker: RunningWorker) -> Bool {
        guard let known = core.worker(worker.id), known.isReady, known.requests == 0 else {
            return false
        }
        return (worker.visibleInFlight ?? 0) > 0
    }

    /// Returns the memory of a worker in bytes, after its count was read. `nearBytes` is the lowest
    /// cap that it is compared with. `isCapped` is whether any decision depends on it.
    private func memory(
        of worker: RunningWorker, at now: Int64, nearBytes: UInt64?, isCapped: Bool
    ) -> UInt64? {
        guard let pid = worker.pid else { return nil }
        let memory =
            worker.memory
            ?? TreeMemory(
                pid: pid, withDescendants: worker.blueprint.settings.memoryScope == .tree,
                metric: worker.blueprint.memoryMetric,
                isExact: worker.blueprint.settings.mold != .off)
        worker.memory = memory
        do throws(SystemCallError) {
            let bytes = try memory.bytes(
                atNanoseconds: now, capBytes: nearBytes, isCapped: isCapped)
            if bytes != nil { readCount(worker) }
            return bytes
        } catch {
            // The next thousand workers would log the same.
            guard !isMemoryUnreadable else { return nil }
            isMemoryUnreadable = true
            log.write(
                LogLine(.warning, "memory-unreadable", worker).with("error", error.description))
            return nil
        }
    }

    /// Returns the generations of a pool on whose listeners connections wait. The counts are read
    /// first: a worker that accepted a connection is not responsible for waiting ones.
    private func waiting(atPool number: Int) -> [Int] {
        let running = workers.ofPool(number).filter { !$0.hasExited }
        for worker in running { readCount(worker) }
        var queues: [Int32: Bool] = [:]
        func isWaiting(_ socket: ListenSocket) -> Bool {
            let known = queues[socket.rawValue] ?? socket.hasWaitingConnection
            queues[socket.rawValue] = known
            return known
        }
        // While a reload changes binds, generations differ in their listeners.
        let pool = core.service.member(number)?.pool
        var waiting: Set<Int> = []
        for worker in running {
            guard let generation = pool?.worker(worker.id)?.generation,
                !waiting.contains(generation),
                worker.blueprint.listeners.contains(where: { isWaiting($0.socket) })
            else { continue }
            waiting.insert(generation)
        }
        return waiting.sorted()
    }

    /// Writes the last samples of the pool's workers to its memory log.
    private func logMemory(ofPool number: Int) {
        let running = workers.ofPool(number).filter { !$0.hasExited }
        guard let path = running.first?.blueprint.settings.memoryLog else { return }
        let memoryLog = memoryLogs[path] ?? MemoryLog(path: path)
        memoryLogs[path] = memoryLog
        let time = WallClock.now()
        let pool = core.service.member(number)?.pool
        let lines = running.compactMap { worker in
            MemoryLog.line(at: time, worker, pool?.worker(worker.id), currentCount(worker))
        }
        if let report = memoryLog.write(lines) { log.write(report.line(about: path)) }
    }

    /// Continues in new files, and forgets those that no pool names.
    func reopenMemoryLogs(named: Set<String>) {
        memoryLogs = memoryLogs.filter { named.contains($0.key) }
        for memoryLog in memoryLogs.values { memoryLog.reopen() }
    }
}
