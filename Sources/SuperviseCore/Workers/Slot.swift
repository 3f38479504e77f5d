/// One place in a pool, filled by successive workers.
struct Slot: Equatable, Sendable, Codable {
    /// A recycle that waits for the budget.
    struct Due: Equatable, Sendable, Codable {
        /// A cause that applies apart from a stuck request.
        struct Other: Equatable, Sendable, Codable {
            var cause: RecycleCause
            var aheadUntil: Instant?
        }

        var cause: RecycleCause
        var since: Instant
        /// The time for which the incumbent keeps serving beside a replacement that was started
        /// ahead of the limit, unless it reaches the limit before.
        var aheadUntil: Instant?
        /// The cause besides a stuck request, earlier or later, which remains if the request ends.
        var other: Other?

        /// Whether its limit or cap is expected and not reached yet.
        var isForeseen: Bool { aheadUntil != nil }

        /// Whether another cause would be recorded besides the stuck request.
        var lacksOther: Bool {
            cause == .requestTimeout && other.map { $0.aheadUntil != nil } ?? true
        }

        /// The recycle without the stuck request; nil if there is no other cause.
        var withoutStuckRequest: Due? {
            other.map { Due(cause: $0.cause, since: since, aheadUntil: $0.aheadUntil) }
        }

        /// Returns whether the incumbent keeps serving although its replacement may be ready.
        func isAhead(at now: Instant) -> Bool { aheadUntil.map { now < $0 } ?? false }
    }

    /// Failures of the last workers, and their effect on the next start.
    struct Setbacks: Initial, Sendable {
        /// The number of consecutive ends that came too soon, without a stable worker in between.
        /// It determines the backoff.
        var failures = 0
        /// The time of the last of them.
        var failedAt: Instant?
        /// The number of consecutive workers that were recycled for memory after an alarm.
        var alarmedRecycles = 0
        /// The number of consecutive failed boots.
        var bootFailures = 0
        /// The earliest time of the next start.
        var notBefore: Instant?
    }

    /// Whether the slot continues after its worker has ended.
    enum Continuation: Equatable, Sendable, Codable {
        /// The next worker starts as soon as backoff and budget allow.
        case continues
        /// A worker announced its end. Whether another follows depends on how it ends.
        case awaitsExit(of: Int)
        /// The next worker starts when a run of the schedule is due.
        case awaitsRun
        /// No worker follows. `failed` is whether the last worker ended with a status other than 0.
        case done(failed: Bool)
    }

    /// Whether the slot belongs to the pool's size. A removed slot only waits for its workers to
    /// end.
    var isWanted = true
    /// The worker that fills the slot.
    var incumbent: Worker?
    /// The worker that takes over from the incumbent once it is ready.
    @Rare var replacement: Worker?
    /// Retiring workers, and those that left processes behind.
    var leaving: [Worker] = []
    /// The reason to replace the incumbent.
    @Rare var due: Due?
    /// The failures of its last workers.
    @Rare var setbacks: Setbacks
    /// The incarnation of the last worker.
    var lastIncarnation = 0
    /// Whether the next start waits until the retiring workers have released their memory.
    var awaitsRoom = false
    /// Whether another worker follows.
    var continuation = Continuation.continues
    /// The slot's part of the pool's sums, kept to be subtracted when it changes.
    var share = Share()

    /// The workers that fill it: the incumbent and its replacement.
    var present: [Worker] { [incumbent, replacement].compactMap { $0 } }

    /// Whether the slot waits for a worker.
    var isVacant: Bool { isWanted && incumbent == nil && continuation == .continues }

    /// Whether retiring workers of the slot still hold the memory that the next worker needs.
    var lacksRoom: Bool { awaitsRoom && !leaving.isEmpty }

    /// Returns whether the start of the slot's next worker is delayed at this time.
    func isBackingOff(at now: Instant) -> Bool { setbacks.notBefore.map { now < $0 } ?? false }

    /// Returns the time until which the incumbent postpones its recycling, or making room for a
    /// canary that has waited since `waiting`. It is at most `maxHold` after the worker became due,
    /// regardless of repeated requests.
    func heldUntil(maxHold: TimeSpan, waiting: Instant?) -> Instant? {
        guard let since = due?.since ?? waiting, let hold = incumbent?.claims?.holdUntil else {
            return nil
        }
        return min(hold, since + maxHold)
    }
}
