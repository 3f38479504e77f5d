import SuperviseCore

/// Ends of processes, and the master's actions on them.
extension World {
    /// Ends the process. The event follows when the master reaps it.
    mutating func die(_ id: WorkerID, _ status: ExitStatus, at now: Instant) {
        guard var process = processes[id], process.isAlive else { return }
        process.isAlive = false
        process.status = status
        let late = Int64(process.draws.between(0, isHealed ? 0 : process.program.late))
        processes[id] = process
        agenda.enter(.reaped(id), at: now + .milliseconds(late))
    }

    mutating func reaped(_ id: WorkerID) -> [Service.Event] {
        guard var process = processes[id], let status = process.status, !process.isReaped else {
            return []
        }
        process.isReaped = true
        processes[id] = process
        reapedIDs.append(id)
        if !process.isPresent { forget(id) }
        return [.worker(id, .exited(status, leavesTree: process.hasTree))]
    }

    mutating func treeDied(_ id: WorkerID) -> [Service.Event] {
        guard var process = processes[id], process.hasTree else { return [] }
        process.hasTree = false
        processes[id] = process
        guard process.isReaped else { return [] }
        forget(id)
        return [.worker(id, .treeGone)]
    }

    mutating func forget(_ id: WorkerID) {
        processes[id] = nil
        clients[id] = nil
        present.removeAll { $0 == id }
    }

    /// Performs an action of the machine.
    package mutating func perform(_ action: Service.Action, at now: Instant) {
        if case .closeListeners(let pool) = action { closeListeners(ofPool: pool, at: now) }
        if case .sampleListeners(let pool) = action { agenda.enter(.listened(pool: pool), at: now) }
        guard case .perform(let action) = action else { return }
        switch action {
        case .start(let id, let order): start(id, order, at: now)
        case .startMold(let id): startMold(id, at: now)
        case .endMold(let id): moldDies(id, .code(0), at: now)
        case .killMold(let id): moldDies(id, .signal(.kill), at: now)
        case .signal(let id, _): signal(id, at: now)
        case .drain(let id): drain(id, at: now)
        case .sampleConnections(let id, let endsIdle):
            sampleConnections(of: id, endsIdle: endsIdle, at: now)
        case .interruptAcceptors(let id): interruptAcceptors(of: id)
        case .signalTree(let id): signalTree(id, at: now)
        case .kill(let id): kill(id, at: now)
        case .observe(let id): observe(id, at: now)
        case .measure(let id):
            guard let bytes = memory(of: id, at: now) else { return }
            agenda.enter(.answered(id, .memory(bytes: bytes)), at: now)
        case .sample(let pool, let contents): orderSample(contents, of: pool, at: now)
        case .gatherEvidence(let id, _, _):
            guard let process = processes[id], process.program.evidence > 0 else { return }
            let time = TimeSpan.milliseconds(Int64(process.program.evidence))
            agenda.enter(.answered(id, .evidenceGathered), at: now + time)
        case .setNotifyThreshold(let id, let requests):
            processes[id]?.notifyThreshold = requests
            processes[id]?.hasNotified = false
            readPage(of: id, at: now)
        case .planRun, .awaitConnection, .sampleHunt, .note: break
        }
    }

    private mutating func start(_ id: WorkerID, _ order: StartOrder, at now: Instant) {
        var draws = Draws(seed: seed, 2, id.pool, id.slot, id.incarnation)
        var launches = Draws(seed: seed, 15, id.pool, id.slot, id.incarnation)
        let given = programs[min(order.generation, programs.count) - 1]
        let program = isHealed ? given.healed : given
        let soon = now + .milliseconds(Int64(draws.between(0, program.exec)))
        present.append(id)
        processes[id] = Process(
            id: id, program: program, startedAt: now, draws: draws,
            isDeaf: draws.chance(program.deaf), hasTree: draws.chance(program.trees),
            isTreeDeaf: draws.chance(program.deafTrees), isHidden: draws.chance(program.hidden),
            isPaged: draws.chance(program.paging), notifyThreshold: order.notifyThreshold,
            startsLater: launches.chance(300))
        if let failedAt = failedFork(id, order, at: now) {
            let failure = StartFailure(step: "fork", message: "", isTransient: true)
            agenda.enter(.notStarted(id, failure), at: failedAt)
        } else if now < forksRefusedUntil {
            let failure = StartFailure(step: "fork", message: "EAGAIN", isTransient: true)
            agenda.enter(.notStarted(id, failure), at: soon)
        } else {
            agenda.enter(.executed(id), at: soon + .milliseconds(1))
        }
    }

    /// Cancels a start that has created no process; returns whether it is one.
    private mutating func cancelStart(of id: WorkerID, at now: Instant) -> Bool {
        guard let process = processes[id], process.startsLater, process.isAlive,
            !process.hasExecuted
        else { return false }
        processes[id]?.isAlive = false
        let failure = StartFailure(step: "start", message: "cancelled", isTransient: true)
        agenda.enter(.notStarted(id, failure), at: now)
        return true
    }

    private mutating func signal(_ id: WorkerID, at now: Instant) {
        if cancelStart(of: id, at: now) { return }
        guard var process = processes[id], process.isAlive else { return }
        process.isStopping = true
        let drain = Int64(process.draws.between(0, process.program.drain))
        let status = process.draws.chance(500) ? ExitStatus.code(0) : .signal(.terminate)
        processes[id] = process
        guard process.hasExecuted, !process.isDeaf else { return }
        let end = max(now + .milliseconds(drain), finishRequests(of: id, at: now))
        agenda.enter(.died(id, status, byItself: false), at: end)
    }

    private mutating func signalTree(_ id: WorkerID, at now: Instant) {
        guard var process = processes[id], process.hasTree, !process.isTreeDeaf else { return }
        let drain = Int64(process.draws.between(0, process.program.drain))
        processes[id] = process
        agenda.enter(.treeDied(id), at: now + .milliseconds(drain))
    }

    private mutating func kill(_ id: WorkerID, at now: Instant) {
        if cancelStart(of: id, at: now) { return }
        guard var process = processes[id] else { return }
        let linger = Int64(process.draws.between(0, process.program.linger))
        processes[id] = process
        let end = now + .milliseconds(linger)
        agenda.enter(.died(id, .signal(.kill), byItself: false), at: end)
        if process.hasTree { agenda.enter(.treeDied(id), at: end) }
    }

    private mutating func observe(_ id: WorkerID, at now: Instant) {
        guard let process = processes[id], process.isAlive else { return }
        if process.isHidden {
            agenda.enter(.answered(id, .unobservable(mayReport: false)), at: now)
        } else if process.isWaiting {
            agenda.enter(.answered(id, .listening), at: now)
        }
    }

    private func memory(of id: WorkerID, at now: Instant) -> UInt64? {
        guard let process = processes[id], process.isAlive, process.hasExecuted else { return nil }
        let program = process.program
        var age = Int((now - process.startedAt).seconds)
        if program.collecting > 0 { age %= program.collecting }
        let most = program.filling > 0 ? program.filling : .max
        let grown = isHealed ? 0 : min(program.growth * age, most) + process.extraMemory
        return UInt64(program.memory + grown) << 20
    }

    /// Reads the counts first: a worker that accepted a connection is not responsible for waiting
    /// ones.
    private mutating func orderSample(
        _ contents: SampleContents, of pool: Int, at now: Instant
    ) {
        if contents.contains(.progress) {
            for id in present where id.pool == pool { readPage(of: id, at: now) }
        }
        agenda.enter(.sampled(pool: pool, contents), at: now)
    }

    func sample(_ contents: SampleContents, of pool: Int, at now: Instant) -> PoolSample {
        var sample = PoolSample()
        if contents.contains(.room) { sample.room = room(at: now) }
        if contents.contains(.memory) {
            sample.memory = present.filter { $0.pool == pool }.compactMap { id in
                memory(of: id, at: now).map { PoolSample.Figure(id, bytes: $0) }
            }
        }
        if contents.contains(.progress) { sample.waiting = waiting(at: pool, at: now) }
        if contents.contains(.requests) {
            sample.requests = waitingRequests(ofPool: pool, at: now)
        }
        if contents.contains(.responses) {
            sample.responses = responses(ofPool: pool, at: now)
        }
        return sample
    }

    /// Measures the memory that all pools leave available. No process is killed if none is left.
    private func room(at now: Instant) -> MemoryRoom? {
        let limit = UInt64(isHealed ? 1 << 20 : programs[0].limit) << 20
        guard limit > 0 else { return nil }
        let used = present.reduce(0) { $0 + (memory(of: $1, at: now) ?? 0) }
        return MemoryRoom(limitBytes: limit, usedBytes: used)
    }

    /// Returns the generations on whose listeners connections wait: on some pools, where only the
    /// newest one listens.
    private func waiting(at pool: Int, at now: Instant) -> [Int] {
        guard let until = queuesUntil[pool], now < until else { return [] }
        let all = Array(1...programs.count)
        return pool % 2 == 0 ? all : all.suffix(1)
    }

    /// Reads the worker's count from its page.
    private mutating func readPage(of id: WorkerID, at now: Instant) {
        guard let process = processes[id], process.isPaged, process.requests > 0 else { return }
        agenda.enter(.answered(id, .requests(UInt64(process.requests))), at: now)
    }
}
