import Testing

@testable import SuperviseCore

/// A pool and a clock, so that a test can bring the pool to a state with few calls. It is a class,
/// so that calls can appear inside `#expect`.
final class Bench {
    var pool: Pool
    private(set) var now = Instant(nanoseconds: 0)

    /// A pool with listeners whose workers send `READY=1`, unless `adjust` changes that.
    init(workers: Int = 1, _ adjust: (inout PoolPolicy) -> Void = { _ in }) {
        pool = Pool(number: 0, policy: .tested(workers: workers, adjust), seed: 1)
    }

    /// Advances the clock without an event.
    func wait(_ span: TimeSpan) { now = now + span }

    @discardableResult
    func tell(_ event: PoolEvent) -> [Action] { pool.handle(event, at: now) }

    /// An event of a worker of this pool.
    @discardableResult
    func tell(_ id: WorkerID, _ news: WorkerEvent) -> [Action] { tell(.worker(id, news)) }

    /// Advances the clock to the pool's next deadline and handles it.
    @discardableResult
    func wake() -> [Action] {
        guard let deadline = pool.nextDeadline else {
            Issue.record("no deadline to wake at")
            return []
        }
        now = max(now, deadline)
        return tell(.deadline)
    }

    /// Samples that show a second request on one connection, at this time.
    @discardableResult
    func reuse(_ id: WorkerID, handlesStopSignal: Bool = true) -> [Action] {
        [(0, 1), (1, 1), (1, 2)].flatMap { (sent: UInt32, received: UInt32) in
            tell(
                id,
                .sample(
                    .inFlight, sent: sent, received: received,
                    handlesStopSignal: handlesStopSignal))
        }
    }

    /// Completes a sample of the memory: that of the incumbent of each slot.
    @discardableResult
    func sampled(_ bytes: [UInt64], molds: UInt64 = 0) -> [Action] {
        let figures = bytes.enumerated().map { slot, bytes in
            PoolSample.Figure(pool.slots[slot].incumbent?.id ?? id(slot), bytes: bytes)
        }
        return tell(.sampled(PoolSample(memory: figures, moldBytes: molds)))
    }

    /// A sample that shows only what is left of the memory limit.
    @discardableResult
    func sampled(_ room: MemoryRoom, mayRelieve: Bool = true) -> [Action] {
        tell(.sampled(PoolSample(room: room), mayRelieve: mayRelieve))
    }

    /// Brings one worker from its start action to ready.
    func makeReady(_ ids: WorkerID...) {
        for id in ids {
            tell(id, .running)
            tell(id, .ready)
        }
    }

    /// Starts the pool and makes all its workers ready, at time zero.
    func bringUp() {
        tell(.start)
        for slot in 0..<pool.policy.workers { makeReady(id(slot)) }
    }

    /// Ends the process of a worker.
    @discardableResult
    func exit(_ id: WorkerID, _ code: Int32 = 0) -> [Action] {
        tell(id, .exited(.code(code), leavesTree: false))
    }
}

extension PoolPolicy {
    /// Listeners, `ready = notify`, and the defaults for the rest.
    static func tested(
        workers: Int = 1, _ adjust: (inout PoolPolicy) -> Void = { _ in }
    ) -> PoolPolicy {
        var policy = PoolPolicy()
        policy.workers = workers
        policy.hasListeners = true
        policy.readiness = .notify
        // Draining has separate tests.
        policy.drain = .signal
        adjust(&policy)
        return policy
    }
}

/// A pool that has run long enough for its workers to be stable.
func upAndStable(
    workers: Int = 2, _ adjust: @escaping (inout PoolPolicy) -> Void = { _ in }
) -> (bench: Bench, next: PoolPolicy) {
    let bench = Bench(workers: workers, adjust)
    bench.bringUp()
    bench.wait(.seconds(60))
    return (bench, bench.pool.policy)
}

/// A worker of pool 0.
func id(_ slot: Int, _ incarnation: Int = 1) -> WorkerID {
    WorkerID(pool: 0, slot: slot, incarnation: incarnation)
}

/// The action that starts a worker without a request limit.
func start(_ id: WorkerID, generation: Int = 1, limit: UInt64? = nil) -> Action {
    .start(id, StartOrder(generation: generation, requestLimit: limit))
}

/// Facts about a worker.
func facts(
    _ ageSeconds: Int64 = 0, generation: Int = 1, requests: UInt64 = 0, limit: UInt64? = nil,
    memory: UInt64? = nil, unit: CountUnit = .requests
) -> WorkerFacts {
    WorkerFacts(
        generation: generation, age: .seconds(ageSeconds), requests: requests,
        requestLimit: limit, memoryBytes: memory, unit: requests > 0 ? unit : nil)
}

/// Asked to stop by the stop-signal.
func told(_ id: WorkerID, _ cause: RetireCause, _ facts: WorkerFacts) -> [Action] {
    [.note(.retiring(id, cause, facts)), .signal(id, .stop)]
}

/// The instant this many seconds after the epoch of the clock.
func second(_ count: Int64) -> Instant { Instant(nanoseconds: 0) + .seconds(count) }

extension [Action] {
    /// The workers whose start was requested.
    var started: [WorkerID] {
        compactMap { if case .start(let id, _) = $0 { id } else { nil } }
    }

    /// The workers that were asked to stop.
    var retired: [WorkerID] {
        compactMap { if case .note(.retiring(let id, _, _)) = $0 { id } else { nil } }
    }

    /// The delay of the first backoff notice.
    var backoffDelay: TimeSpan? {
        for case .note(.backoff(_, _, _, let delay)) in self { return delay }
        return nil
    }
}

extension WorkerEvent {
    /// A sample of a worker that has no connection.
    static let idleSample = WorkerEvent.connectionSample(ConnectionSample())

    /// A sample of a worker that has this connection.
    static func sample(
        _ use: ConnectionSample.Use, hasReader: Bool = false, sent: UInt32 = 1,
        received: UInt32 = 1, handlesStopSignal: Bool = true, endedIdle: Bool = false,
        acceptors: Int = 0
    ) -> WorkerEvent {
        let connection = ConnectionSample.Connection(
            id: 1, use: use, sent: sent, received: received, hasReader: hasReader)
        return .connectionSample(
            ConnectionSample(
                [connection], acceptors: acceptors, handlesStopSignal: handlesStopSignal,
                endedIdle: endedIdle))
    }
}
