/// Identifies a mold: a process that has loaded the program of a pool, of which workers are forked.
public struct MoldID: Hashable, Sendable, Codable {
    /// The number of the pool.
    public let pool: Int
    /// The generation whose program it has loaded.
    public let generation: Int
    /// Counts the molds of this pool and generation from 1.
    public let incarnation: Int

    /// Creates the identity of a mold.
    public init(pool: Int, generation: Int, incarnation: Int) {
        self.pool = pool
        self.generation = generation
        self.incarnation = incarnation
    }
}

/// What happens to one mold.
public enum MoldEvent: Equatable, Sendable {
    /// It has loaded the program, and workers may be forked from it.
    case warm
    /// Its process exists and cannot be used; the text states why. The master ends it.
    case unusable(String)
    /// It could not be started. There is no process.
    case notStarted(StartFailure)
    /// Its process ended.
    case exited(ExitStatus)
}

/// Why a mold failed.
public enum MoldFailure: Hashable, Sendable, Codable {
    /// Its process ended by itself.
    case ended(ExitStatus)
    /// It was not ready within `ready-timeout`.
    case bootTimeout
    /// It could not be started.
    case notStarted(StartFailure)
    /// No worker may be forked from it; the text states why.
    case unusable(String)
    /// Two start orders in a row produced no running worker.
    case forksFail
    /// Two of its workers in a row did not become ready.
    case workersFail
}

/// The mold of one generation of a pool.
struct Mold: Equatable, Sendable, Codable {
    enum State: Equatable, Sendable, Codable {
        /// The next process starts then. Exits: `booting`, or its end with the generation.
        case waiting(until: Instant)
        /// The process loads the program. Exits: `warm`, `waiting`, `givenUp`.
        case booting(since: Instant, until: Instant)
        /// Workers are forked from the process. Exits: `booting`, `waiting`, `givenUp`.
        case warm(since: Instant)
        /// There is no process, because every slot is done. Exit: `booting`.
        case unneeded
        /// Workers are exec'd for as long as this generation lasts. No exit.
        case givenUp
    }

    /// A process that replaces the warm one as soon as it is warm itself.
    struct Successor: Equatable, Sendable, Codable {
        let incarnation: Int
        let since: Instant
        var until: Instant
    }

    /// A mold of two failed orders is not used further; after two workers that did not become
    /// ready it is compared with exec'd workers.
    static let toleratedFailures = 2

    /// The start orders that one mold may have to answer at the same time. It forks one worker
    /// after another, and each order has a deadline.
    static let ordersAtOnce = 8

    /// What is known about a mold whose workers do not become ready: the cause may be the fork, or
    /// something that exec'd workers lack too, such as a database.
    enum Comparison: Equatable, Sendable, Codable {
        /// Workers are forked.
        case none
        /// Workers are exec'd until one of them becomes ready or fails.
        case execs
        /// An exec'd worker became ready. The next forked one decides.
        case execWorked
    }

    let generation: Int
    var state: State
    /// The incarnation of the process, or of the last one.
    var incarnation = 0
    var lastIncarnation = 0
    /// Boots beside the warm process, for another address layout.
    var successor: Successor?
    /// When the last successor was started.
    var layoutChangedAt: Instant?
    /// Whether any process of this generation was ever warm.
    var wasWarm = false
    /// Processes in a row that failed to boot or ended soon.
    var failures = 0
    /// Whether workers are exec'd instead of waiting for the next process.
    var isUnavailable = false
    /// Start orders in a row that produced no running worker.
    var failedForks = 0
    /// Processes in a row of which no worker could be forked.
    var barrenProcesses = 0
    /// Forked workers in a row that did not become ready.
    var failedBoots = 0
    var comparison = Comparison.none

    /// The time of the next deadline.
    var deadline: Instant? {
        switch state {
        case .waiting(let until), .booting(_, let until): until
        case .warm: successor?.until
        case .unneeded, .givenUp: nil
        }
    }

    var isWarm: Bool {
        if case .warm = state { true } else { false }
    }

    var isGivenUp: Bool { state == .givenUp }

    /// Whether workers of its generation wait until it is warm.
    var isAwaited: Bool {
        switch state {
        case .waiting, .booting, .unneeded: !isUnavailable
        case .warm, .givenUp: false
        }
    }

    /// Whether a process exists, or is about to.
    var hasProcess: Bool {
        switch state {
        case .booting, .warm: true
        case .waiting, .unneeded, .givenUp: false
        }
    }

    /// The incarnations of its processes.
    var processes: [Int] {
        (hasProcess ? [incarnation] : []) + (successor.map { [$0.incarnation] } ?? [])
    }

    /// Another process is used from now on, of which nothing bad is known.
    mutating func use(_ incarnation: Int) {
        self.incarnation = incarnation
        failedForks = 0
        failedBoots = 0
        comparison = .none
    }

    mutating func shiftDeadlines(by span: TimeSpan) {
        switch state {
        case .waiting(let until): state = .waiting(until: until + span)
        case .booting(let since, let until): state = .booting(since: since, until: until + span)
        case .warm, .unneeded, .givenUp: break
        }
        if let until = successor?.until { successor?.until = until + span }
    }
}

/// The molds of a pool.
struct Molds: Initial, Sendable {
    /// A mold that is to end.
    struct Leaving: Equatable, Sendable, Codable {
        let id: MoldID
        var killAt: Instant
    }

    /// That of the generation in force; nil where its workers are always exec'd.
    var current: Mold?
    /// That of the generation on trial.
    var candidate: Mold?
    /// Molds of older generations. Their workers may use temporary files that a mold removes when
    /// it ends, so they stay as long as these workers.
    var superseded: [MoldID] = []
    var leaving: [Leaving] = []
    /// Their last measured memory in bytes, together: what their workers share counts here.
    var memoryBytes: UInt64 = 0

    /// Whether no process is left.
    var isEmpty: Bool {
        superseded.isEmpty && leaving.isEmpty
            && [current, candidate].allSatisfy { $0?.processes.isEmpty ?? true }
    }

    subscript(generation: Int) -> Mold? {
        get {
            if current?.generation == generation { return current }
            return candidate?.generation == generation ? candidate : nil
        }
        set {
            if current?.generation == generation {
                current = newValue
            } else if candidate?.generation == generation {
                candidate = newValue
            }
        }
    }

    var deadline: Instant? {
        ([current?.deadline, candidate?.deadline] + leaving.map(\.killAt)).compactMap { $0 }.min()
    }

    mutating func shiftDeadlines(by span: TimeSpan) {
        current?.shiftDeadlines(by: span)
        candidate?.shiftDeadlines(by: span)
        for index in leaving.indices {
            leaving[index].killAt = leaving[index].killAt + span
        }
    }
}

/// The figures of a mold for monitoring.
public struct MoldFacts: Equatable, Sendable {
    /// What it does.
    public enum State: String, Sendable {
        /// It loads the program, or its next process waits for its start.
        case booting
        /// Workers are forked from it.
        case warm
        /// No worker is forked from it. It ends with the workers of its generation.
        case leaving
        /// Workers are exec'd.
        case givenUp = "given-up"
    }

    /// Its identity; the incarnation is that of the last process.
    public var id: MoldID
    /// What it does.
    public var state: State
}
