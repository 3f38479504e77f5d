/// One place in a pool, filled by one worker after another.
struct Slot: Equatable, Sendable, Codable {
    /// A recycling that waits for the budget.
    struct Due: Equatable, Sendable, Codable {
        var cause: RecycleCause
        var since: Instant
        /// The replacement is started ahead of the limit; until then, or until the limit is reached,
        /// the incumbent serves on beside it.
        var aheadUntil: Instant?

        /// Until when its evidence is gathered: it is not told to go before.
        var evidenceUntil: Instant?
        /// The least of that time, which the evidence-signal needs.
        var evidenceLeast: Instant?

        /// Whether its limit or cap has not come yet.
        var isForeseen: Bool { aheadUntil != nil }

        /// Whether the incumbent is to serve on although its replacement may be ready.
        func isAhead(at now: Instant) -> Bool { aheadUntil.map { now < $0 } ?? false }
    }

    /// What the last workers did wrong, and what follows for the next.
    struct Setbacks: Initial, Sendable {
        /// Ends in a row that came too soon, without a stable worker in between; the backoff grows by
        /// it.
        var failures = 0
        /// When the last of them was.
        var failedAt: Instant?
        /// Workers in a row that were recycled for memory after an alarm.
        var alarmedRecycles = 0
        /// Failed boots in a row.
        var bootFailures = 0
        /// The next start waits until then.
        var notBefore: Instant?
    }

    /// Whether the slot's work goes on once its worker has ended.
    enum Continuation: Equatable, Sendable, Codable {
        /// The next worker starts as soon as backoff and budget allow.
        case goesOn
        /// A worker announced its end, and whether another follows depends on how it ends.
        case awaitsExit(of: Int)
        /// Nothing follows. `failed` is whether the last worker ended with anything but 0.
        case done(failed: Bool)
    }

    /// Whether the slot belongs to the pool's number; a slot scaled away only sees its workers off.
    var isWanted = true
    /// The worker that fills the slot.
    var incumbent: Worker?
    /// The worker that takes over from the incumbent when it is ready.
    @Rare var replacement: Worker?
    /// Workers that were told to go, or that left processes behind.
    var leaving: [Worker] = []
    /// Why the incumbent is to be replaced.
    @Rare var due: Due?
    /// What its last workers did wrong.
    @Rare var setbacks: Setbacks
    /// The incarnation of the last worker.
    var lastIncarnation = 0
    /// Whether the next start waits until those that leave have given their memory back.
    var awaitsRoom = false
    /// Whether another worker follows.
    var continuation = Continuation.goesOn
    /// What the slot adds to the pool's sums, kept to be taken off again when it changes.
    var share = Share()

    /// Whether the slot waits for a worker.
    var isVacant: Bool { isWanted && incumbent == nil && continuation == .goesOn }

    /// Whether what leaves the slot still has the memory that the next worker needs.
    var lacksRoom: Bool { awaitsRoom && !leaving.isEmpty }

    /// Whether the start of the slot's next worker is put off at this time.
    func isBackingOff(at now: Instant) -> Bool { setbacks.notBefore.map { now < $0 } ?? false }

    /// Until when the incumbent puts its recycling off, or giving its place to a canary that waits
    /// since `waiting`. However often it asks, no longer than `maxHold` from the moment that it was
    /// due.
    func heldUntil(maxHold: TimeSpan, waiting: Instant?) -> Instant? {
        guard let since = due?.since ?? waiting, let hold = incumbent?.holdUntil else { return nil }
        return min(hold, since + maxHold)
    }
}
