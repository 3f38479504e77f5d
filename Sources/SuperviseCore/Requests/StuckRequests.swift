/// `request-timeout`: a worker with a request that gets no response is replaced. The time runs from
/// the last byte of the request to the first byte of the response, so a client that sends or reads
/// slowly, a stream of events or a WebSocket is never stuck.
///
/// The replacement starts first, within the budget. Then the worker accepts no new connections, its
/// other requests finish, and it gets SIGABRT, and SIGKILL two seconds later. If nothing is stuck
/// by then, it gets the stop-signal.
///
/// If more than half of the workers are stuck at the same time, a dependency hangs, such as a
/// database. New workers would hang as well, so none is replaced. But not all workers get their
/// requests at the same time. So nothing is decided while more than half of them are *slow*: they
/// have requests that have waited for a quarter of the timeout. Each of these soon gets its
/// response or is stuck too. A response to a slow request shows that no dependency hangs: its
/// worker does not count as slow or stuck beside a request that was stuck before that response.
///
/// A single worker shows nothing about a dependency unless several of its requests wait, or its
/// predecessor was stuck too.

/// A request without a response.
public struct StuckRequest: Hashable, Sendable, Codable {
    /// The connection, unique among those of the worker.
    public var connection: UInt64
    /// The time of its last byte.
    public var since: Instant
    /// The method and the path, shortened; nil if the head was not understood.
    public var route: String?
    /// The address of the client, or of the proxy; nil if it is not known.
    public var peer: String?

    /// Creates a description of a request.
    public init(connection: UInt64, since: Instant, route: String?, peer: String? = nil) {
        self.connection = connection
        self.since = since
        self.route = route
        self.peer = peer
    }

    fileprivate func isSame(as other: StuckRequest) -> Bool {
        connection == other.connection && since == other.since
    }
}

/// The requests of one worker that wait for a response.
public struct WaitingRequests: Hashable, Sendable, Codable {
    /// The worker.
    public var id: WorkerID
    /// Its requests in flight.
    public var inFlight: Int
    /// Those that have waited for a quarter of `request-timeout`, oldest first. For those that have
    /// waited for all of it, the kernel has confirmed the connection.
    public var slow: [StuckRequest]
    /// The time of the last response, other than an error, to a request that had waited as long;
    /// nil if there was none.
    public var respondedAt: Instant?

    /// Creates a description of a worker's requests.
    public init(
        _ id: WorkerID, inFlight: Int, slow: [StuckRequest], respondedAt: Instant? = nil
    ) {
        self.id = id
        self.inFlight = inFlight
        self.slow = slow
        self.respondedAt = respondedAt
    }

    /// Returns the time from which a request counts as slow.
    public static func slowTime(_ timeout: TimeSpan) -> TimeSpan {
        TimeSpan(nanoseconds: timeout.nanoseconds / 4)
    }
}

/// The state of a pool's stuck requests.
struct StuckState: Initial, Sendable {
    /// The time at which it was reported that a dependency hangs, while it does.
    var hangingSince: Instant?
    /// The time at which the last worker was stopped for a stuck request.
    var lastStoppedAt: Instant?
    /// The end of the last time in which nothing could run, or a dependency hung. Requests that
    /// waited then start to wait at this time.
    var resumedAt: Instant?
}

extension Pool {
    /// A successor that is stuck within this multiple of the timeout, too, shows that a dependency
    /// hangs.
    private static let successorShare: Int64 = 10

    /// Handles a sample of the requests. Workers without a slow request are not in it.
    mutating func judgeRequests(waiting sample: [WaitingRequests], at now: Instant) {
        guard stage == .running, let timeout = policy.requestTimeout else {
            stuckState.hangingSince = nil
            return
        }
        if let id = hunt?.id,
            !waiting(timeout, among: sample.filter { $0.id == id }, at: now).isEmpty
        {
            endHunt(.requestTimeout, at: now)
        }
        let sample = sample.filter { worker($0.id)?.isHunted != true }
        let slow = waiting(WaitingRequests.slowTime(timeout), among: sample, at: now)
        if let since = stuckState.hangingSince {
            if !mostHang(slow, after: since, timeout) {
                // The dependency needs time for the requests that have waited for it.
                stuckState.hangingSince = nil
                stuckState.resumedAt = now
            }
            return forgetStuck(except: [], at: now)
        }
        let stuck = waiting(timeout, among: slow, at: now)
        let hanging = stuck.filter { !$0.hasResponded(after: stuckTime(of: $0, timeout)) }
        if areMost(hanging, timeout), let oldest = Pool.oldest(of: hanging) {
            stuckState.hangingSince = now
            note(
                .requestsHang(
                    pool: number, workers: hanging.count, of: countedWorkers, oldest,
                    waited: now - oldest.since))
            return forgetStuck(except: [], at: now)
        }
        forgetStuck(except: stuck, at: now)
        for worker in stuck where !mostHang(slow, after: stuckTime(of: worker, timeout), timeout) {
            becameStuck(worker, at: now)
        }
    }

    /// Returns whether most workers may hang, because they have sent no response to a slow request
    /// since this time.
    private func mostHang(
        _ slow: [WaitingRequests], after time: Instant, _ timeout: TimeSpan
    ) -> Bool {
        areMost(slow.filter { !$0.hasResponded(after: time) }, timeout)
    }

    /// Returns the time at which the oldest of these requests was stuck.
    private func stuckTime(of stuck: WaitingRequests, _ timeout: TimeSpan) -> Instant {
        let since = stuck.slow.map(\.since).min() ?? Instant(nanoseconds: .min)
        return max(since, stuckState.resumedAt ?? since) + timeout
    }

    private static func oldest(of workers: [WaitingRequests]) -> StuckRequest? {
        workers.flatMap(\.slow).min { $0.since < $1.since }
    }

    /// Returns the workers that count, with their requests that have waited for this long.
    private func waiting(
        _ span: TimeSpan, among sample: [WaitingRequests], at now: Instant
    ) -> [WaitingRequests] {
        sample.compactMap { worker in
            guard isCounted(worker.id) else { return nil }
            var worker = worker
            worker.slow.removeAll { request in
                now - max(request.since, stuckState.resumedAt ?? request.since) < span
            }
            return worker.slow.isEmpty ? nil : worker
        }
    }

    /// Returns whether these workers are so many that a dependency seems to hang.
    private func areMost(_ waiting: [WaitingRequests], _ timeout: TimeSpan) -> Bool {
        guard let one = waiting.first else { return false }
        let total = countedWorkers
        guard tally.wanted == 1, total == 1 else { return 2 * waiting.count > total }
        if one.slow.count > 1, 2 * one.slow.count > one.inFlight { return true }
        guard let last = stuckState.lastStoppedAt, let readyAt = self[one.id]?.readyAt else {
            return false
        }
        return readyAt < last + timeout.times(Pool.successorShare)
    }

    /// Returns whether a worker counts among those that may wait. One that is stopped for a stuck
    /// request does.
    private func isCounted(_ id: WorkerID) -> Bool {
        guard let worker = worker(id) else { return false }
        return worker.isReady || worker.isStoppedAsStuck
    }

    private var countedWorkers: Int {
        tally.serving
            + slots.reduce(0) { $0 + $1.leaving.count { $0.isStoppedAsStuck } }
    }

    private mutating func becameStuck(_ waiting: WaitingRequests, at now: Instant) {
        let id = waiting.id
        guard var worker = self[id], worker.isReady, let oldest = waiting.slow.first else {
            return
        }
        let known = worker.stuck
        worker.stuck = waiting.slow
        worker.during = RequestsInFlight(
            route: oldest.route, age: now - oldest.since, count: waiting.inFlight)
        self[id] = worker
        for request in waiting.slow where !known.contains(where: request.isSame) {
            note(
                .requestStuck(id, worker.facts(at: now), request, waited: now - request.since))
        }
        setDue(id, .requestTimeout, at: now)
        refresh(id.slot, at: now)
    }

    /// Handles the workers that are no longer stuck. One whose replacement was not started stays.
    private mutating func forgetStuck(except still: [WaitingRequests], at now: Instant) {
        for slot in slots.indices {
            guard let worker = slots[slot].incumbent, !worker.stuck.isEmpty,
                !still.contains(where: { $0.id == worker.id })
            else { continue }
            slots[slot].incumbent?.stuck = []
            slots[slot].incumbent?.during = nil
            if let due = slots[slot].due, due.cause == .requestTimeout, !isBeingReplaced(slot) {
                slots[slot].due = due.withoutStuckRequest
                judgeRequests(of: worker.id, at: now)
            }
            refresh(slot, at: now)
        }
    }

    /// Returns whether a replacement was started for the incumbent. The canary of a generation on
    /// trial is none.
    private func isBeingReplaced(_ slot: Int) -> Bool {
        slots[slot].replacement.map { candidate?.isTrying($0.id) != true } ?? false
    }

    /// Returns whether all requests in flight of a draining worker are stuck, so that it need not
    /// be waited for.
    func isOnlyStuck(_ worker: Worker, _ sample: ConnectionSample) -> Bool {
        worker.isStoppedAsStuck && stuckState.hangingSince == nil && sample.isOnlyStuck
    }
}

extension WaitingRequests {
    fileprivate func hasResponded(after time: Instant) -> Bool {
        respondedAt.map { $0 >= time } ?? false
    }
}

extension Worker {
    /// Whether it is stopped because of a stuck request, and was not killed.
    public var isStoppedAsStuck: Bool {
        guard let retirement else { return false }
        return retirement.cause == .recycle(.requestTimeout) && !retirement.wasKilled
    }
}
