import SuperviseCore

/// Arbitrary datagrams (the input is split at NUL), sent by a booting and by a ready worker: the
/// state machine does not trap and keeps its budget.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzNotify(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = UnsafeBufferPointer(start: data, count: count)
    var policy = PoolPolicy()
    policy.workers = 2
    policy.hasListeners = true
    policy.maxRequests = 10
    policy.watchdogTimeout = .seconds(5)
    var pool = Pool(number: 0, policy: policy, seed: 1)
    var now = Instant(nanoseconds: 0)
    var living: [WorkerID] = []

    func perform(_ actions: [Action]) {
        for case .start(let id, _) in actions {
            living.append(id)
            perform(pool.handle(.worker(id, .running), at: now))
        }
        for case .kill(let id) in actions { end(id, .signal(.kill)) }
    }
    func end(_ id: WorkerID, _ status: ExitStatus) {
        guard let index = living.firstIndex(of: id) else { return }
        living.remove(at: index)
        perform(pool.handle(.worker(id, .exited(status, leavesTree: false)), at: now))
    }

    perform(pool.handle(.start, at: now))
    for (turn, datagram) in bytes.split(separator: 0).enumerated() {
        guard let speaker = living.isEmpty ? nil : living[turn % living.count] else { break }
        for message in WorkerMessage.parse(datagram) {
            guard let news = event(message) else { continue }
            perform(pool.handle(.worker(speaker, news), at: now))
        }
        now = now + .seconds(1)
        if let deadline = pool.nextDeadline, deadline <= now {
            perform(pool.handle(.deadline, at: now))
        }
        precondition(pool.liveCount <= 3, "more workers than the budget has")
    }
    return 0
}

private func event(_ message: WorkerMessage) -> WorkerEvent? {
    switch message {
    case .ready: .ready
    case .stopping: .stopping
    case .requests(let total): .requests(total)
    case .moreRequests(let count): .moreRequests(count)
    case .responses(let total): .responses(total)
    case .connections(let total): .connections(total)
    case .recycle: .recycleRequested
    case .hold(let span): .hold(span)
    case .watchdog: .watchdog
    case .watchdogTriggered: .watchdogTriggered
    case .extendTimeout(let span): .extendTimeout(span)
    case .listening: .listening
    case .listener, .notAdopted, .alsoBinds, .status, .errno, .malformed: nil
    }
}
