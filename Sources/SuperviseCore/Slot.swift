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

        /// Whether the incumbent is to serve on although its replacement may be ready.
        func isAhead(at now: Instant) -> Bool { aheadUntil.map { now < $0 } ?? false }
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
    var replacement: Worker? {
        get { replacements.first }
        set { replacements = newValue.map { [$0] } ?? [] }
    }
    /// At most one; apart, since few slots have one at a time and each would hold room for it.
    private var replacements: [Worker] = []
    /// Workers that were told to go, or that left processes behind.
    var leaving: [Worker] = []
    /// Why the incumbent is to be replaced.
    var due: Due?
    /// Ends in a row that came too soon, without a stable worker in between; the backoff grows by it.
    var failures = 0
    /// When the last of them was.
    var failedAt: Instant?
    /// Workers in a row that were recycled for memory after an alarm.
    var alarmedRecycles = 0
    /// Failed boots in a row.
    var bootFailures = 0
    /// The next start waits until then.
    var notBefore: Instant?
    /// The incarnation of the last worker.
    var lastIncarnation = 0
    /// Whether the next start waits until those that leave have given their memory back.
    var awaitsRoom = false
    /// Whether another worker follows.
    var continuation = Continuation.goesOn
    /// What the slot adds to the pool's sums, kept to be taken off again when it changes.
    var tally = Tally()

    init() {}

    /// Whether the slot waits for a worker.
    var isVacant: Bool { isWanted && incumbent == nil && continuation == .goesOn }

    /// Whether what leaves the slot still has the memory that the next worker needs.
    var lacksRoom: Bool { awaitsRoom && !leaving.isEmpty }

    /// Whether the start of the slot's next worker is put off at this time.
    func isBackingOff(at now: Instant) -> Bool { notBefore.map { now < $0 } ?? false }

    /// Until when the incumbent puts its recycling off, or giving its place to a canary that waits
    /// since `waiting`. However often it asks, no longer than `maxHold` from the moment that it was
    /// due.
    func heldUntil(maxHold: TimeSpan, waiting: Instant?) -> Instant? {
        guard let since = due?.since ?? waiting, let hold = incumbent?.holdUntil else { return nil }
        return min(hold, since + maxHold)
    }
}

/// Sums over slots, kept up to date by each change of a slot so that no event has to count.
struct Tally: Equatable, Sendable, Codable {
    /// Slots that belong to the pool's number.
    var wanted = 0
    /// Workers with a living process, or with processes left behind.
    var live = 0
    /// Workers that are ready and were not told to go.
    var serving = 0
    /// Slots with such a worker that is not on trial.
    var covered = 0
    /// Slots that wait for a worker.
    var vacant = 0
    /// Slots that are done.
    var done = 0
    /// Done slots whose last worker failed.
    var doneFailed = 0
    /// Slots whose last worker ended too soon and that have no ready one.
    var failing = 0
    /// Slots that failed to boot `boot-attempts` times in a row.
    var exhausted = 0
    /// Workers of an older generation than the one in force.
    var outdated = 0
    /// Slots with a ready worker of the generation in force.
    var renewed = 0
    /// The memory of all, in bytes.
    var memory = 0

    static func - (a: Tally, b: Tally) -> Tally { combine(a, b, by: -) }
    static func + (a: Tally, b: Tally) -> Tally { combine(a, b, by: +) }

    private static func combine(_ a: Tally, _ b: Tally, by sum: (Int, Int) -> Int) -> Tally {
        Tally(
            wanted: sum(a.wanted, b.wanted), live: sum(a.live, b.live),
            serving: sum(a.serving, b.serving), covered: sum(a.covered, b.covered),
            vacant: sum(a.vacant, b.vacant), done: sum(a.done, b.done),
            doneFailed: sum(a.doneFailed, b.doneFailed),
            failing: sum(a.failing, b.failing), exhausted: sum(a.exhausted, b.exhausted),
            outdated: sum(a.outdated, b.outdated), renewed: sum(a.renewed, b.renewed),
            memory: sum(a.memory, b.memory))
    }
}
