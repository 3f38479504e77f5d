import SuperviseCore

/// The processes of a pool in which nothing happens by itself: even a kill ends a process only if
/// that is chosen.
struct SmallWorld: Hashable {
    struct Process: Hashable {
        let id: WorkerID
        /// The request counts at which it notifies the master.
        let marks: [UInt64]
        var hasExecuted = false
        var isWaiting = false
        /// Whether it or its process tree got the stop-signal.
        var isStopping = false
        var isKilled = false
        /// Whether it is sampled until its requests are served.
        var isDraining = false
        /// Whether a sample of its connections is awaited, and whether that ends the idle ones.
        var sample: Bool?
        /// Whether a client reused a connection meanwhile.
        var hasReused = false
        /// Whether it ended and left processes behind.
        var hasEnded = false
        var requests: UInt64 = 0
        var memory = Memory.usual
        var hasAsked = false
        var hasHeld = false
        var hasAnnounced = false
        var hasExtended = false
        /// Whether the evidence command inspects it.
        var isInspected = false
        /// Whether only SIGKILL ends it.
        var isStuck = false

        var isRunning: Bool { hasExecuted && !hasEnded }
        var nextMark: UInt64? { marks.first { $0 > requests } }
    }

    var present: [Process] = []
    /// The process whose end was reported last.
    var lastEnded: WorkerID?
    /// Whether connections may wait at closed listeners, and whether they do so without end.
    var isClosed = false
    /// Whether a sample of the closed listeners is awaited.
    var awaitsSample = false
    var isBesieged = false
    /// Whether connections wait to be accepted.
    var isQueueing = false

    /// Performs an action of the machine. Returns the resulting events of the same turn.
    mutating func perform(_ action: Service.Action) -> [Service.Event] {
        if case .closeListeners = action { (isClosed, isBesieged) = (true, false) }
        if case .sampleListeners = action { awaitsSample = true }
        if case .releaseListeners = action { (isClosed, awaitsSample) = (false, false) }
        guard case .perform(let action) = action else { return [] }
        switch action {
        case .start(let id, let order):
            let marks = Set([order.notifyThreshold, order.requestLimit].compactMap { $0 }).sorted()
            present.append(Process(id: id, marks: marks))
        case .signal(let id, _), .signalTree(let id):
            change(id) {
                $0.isStopping = true
                $0.isDraining = false
            }
        case .drain(let id): change(id) { $0.isDraining = true }
        case .sampleConnections(let id, let endsIdle): change(id) { $0.sample = endsIdle }
        case .interruptAcceptors: break
        case .kill(let id): change(id) { $0.isKilled = true }
        case .observe(let id):
            let isSeen = present.contains { $0.id == id && $0.isRunning && $0.isWaiting }
            return isSeen ? [.worker(id, .listening)] : []
        case .measure(let id):
            return present.filter { $0.id == id && $0.isRunning }.map {
                .worker(id, .memory(bytes: $0.memory.bytes))
            }
        case .sample(let pool, let contents):
            return [.sampled(pool: pool, sample(contents))]
        case .gatherEvidence(let id, _, _): change(id) { $0.isInspected = true }
        case .startMold, .endMold, .killMold, .setNotifyThreshold, .planRun, .awaitConnection,
            .sampleHunt,
            .note:
            break
        }
        return []
    }

    private func sample(_ contents: SampleContents) -> PoolSample {
        var sample = PoolSample()
        if contents.contains(.memory) {
            sample.memory = present.filter(\.isRunning).map {
                PoolSample.Figure($0.id, bytes: $0.memory.bytes)
            }
        }
        if contents.contains(.progress) { sample.waiting = isQueueing ? Array(1...9) : [] }
        return sample
    }

    private mutating func change(_ id: WorkerID, _ adjust: (inout Process) -> Void) {
        guard let place = present.firstIndex(where: { $0.id == id }) else { return }
        adjust(&present[place])
    }

    /// Applies a stimulus. Returns the events for the master.
    mutating func happen(_ stimulus: Stimulus, in scene: Scene) -> [Service.Event] {
        switch stimulus {
        case .runs(let place): return send(place, .running) { $0.hasExecuted = true }
        case .isRefused(let place):
            return end(place, .startFailed(failure("fork", "EAGAIN", isTransient: true)))
        case .isMissing(let place):
            return end(place, .startFailed(failure("exec", "ENOENT", isTransient: false)))
        case .getsReady(let place): return send(place, .ready) { $0.isWaiting = true }
        case .servesOne(let place): return send(place, .moreRequests(1)) { $0.requests = 1 }
        case .serves(let place):
            guard let mark = present[place].nextMark else { return [] }
            let more = mark - present[place].requests
            return send(place, .moreRequests(more)) { $0.requests = mark }
        case .grows(let place): return grow(place, to: .large)
        case .bursts(let place): return grow(place, to: .huge)
        case .asks(let place): return send(place, .recycleRequested) { $0.hasAsked = true }
        case .holds(let place):
            return send(place, .hold(.milliseconds(3_400))) { $0.hasHeld = true }
        case .announces(let place): return send(place, .stopping) { $0.hasAnnounced = true }
        case .beats(let place): return send(place, .watchdog) { _ in }
        case .triggers(let place): return send(place, .watchdogTriggered) { _ in }
        case .extends(let place):
            return send(place, .extendTimeout(Scene.extension)) { $0.hasExtended = true }
        case .queueFills: isQueueing = true
        case .queueEmpties: isQueueing = false
        case .finishes(let place): return end(place, .exited(.code(0), leavesTree: false))
        case .crashes(let place):
            return end(place, .exited(.signal(signal(to: place)), leavesTree: false))
        case .leavesProcesses(let place):
            lastEnded = present[place].id
            return send(place, .exited(.signal(signal(to: place)), leavesTree: true)) {
                $0.hasEnded = true
                $0.isStopping = false
            }
        case .treeEnds(let place): return end(place, .treeGone)
        case .repeatsEnd:
            return lastEnded.map { [.worker($0, .exited(.code(1), leavesTree: false))] } ?? []
        case .hasEvidence(let place):
            return send(place, .evidenceGathered) { $0.isInspected = false }
        case .isDrained(let place):
            let sample = ConnectionSample(endedIdle: present[place].sample ?? false)
            return send(place, .connectionSample(sample)) { $0.sample = nil }
        case .reuses(let place): return reuse(place)
        case .isUndrainable(let place): return send(place, .undrainable) { _ in }
        case .empties:
            isClosed = false
            awaitsSample = false
            return [.listeners(pool: 0, .none)]
        case .reload: return [.reload([scene.plan])]
        case .reloadWithOthers: return [.reload([scene.other])]
        case .resize(let change): return [.resize(pool: 0, by: change)]
        case .park: return [.park]
        case .stop(let haste): return [.stop(haste)]
        case .terminates: return [.stopSignal(.terminate)]
        case .timePasses, .halfTimePasses, .oversleeps, .freezes: break
        }
        return []
    }

    private mutating func send(
        _ place: Int, _ news: WorkerEvent, _ adjust: (inout Process) -> Void
    ) -> [Service.Event] {
        adjust(&present[place])
        return [.worker(present[place].id, news)]
    }

    /// Three samples show that a client sends a second request.
    private mutating func reuse(_ place: Int) -> [Service.Event] {
        let endsIdle = present[place].sample ?? false
        present[place].sample = nil
        present[place].hasReused = true
        return [(0, 1), (1, 1), (1, 2)].map { (sent: UInt32, received: UInt32) in
            let connection = ConnectionSample.Connection(
                id: 1, use: .inFlight, sent: sent, received: received)
            return .worker(
                present[place].id,
                .connectionSample(ConnectionSample([connection], endedIdle: endsIdle)))
        }
    }

    private mutating func grow(_ place: Int, to memory: Memory) -> [Service.Event] {
        send(place, .memory(bytes: memory.bytes)) { $0.memory = memory }
    }

    private mutating func end(_ place: Int, _ news: WorkerEvent) -> [Service.Event] {
        let process = present.remove(at: place)
        if case .exited = news { lastEnded = process.id }
        return [.worker(process.id, news)]
    }

    private func signal(to place: Int) -> Signal {
        present[place].isKilled ? .kill : present[place].isStopping ? .terminate : .abort
    }

    private func failure(_ step: String, _ message: String, isTransient: Bool) -> StartFailure {
        StartFailure(step: step, message: message, isTransient: isTransient)
    }
}
