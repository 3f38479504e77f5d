extension Worker {
    /// Where a worker stands in its life.
    enum State: Equatable, Sendable, Codable {
        /// Its start was ordered. Exits: `booting` (exec succeeded), `ready`, `retiring`, or its end.
        case starting(Boot)
        /// Its program runs. Exits: `ready`, `retiring`, `outlived`, or its end.
        case booting(Boot)
        /// It serves. Exits: `retiring`, `outlived`, or its end.
        case ready(Serving)
        /// It was told to go. Exits: `outlived` or its end.
        case retiring(Retirement)
        /// Its own process ended, and what it left behind was told to go. Exit: its end.
        case outlived(Remains)
    }
}

/// A worker that is not ready yet.
struct Boot: Equatable, Sendable, Codable {
    /// Until when it has to be ready.
    var until: Instant
    /// When the kernel's evidence of readiness is looked for next.
    var observeAt: Instant?
    /// How often it was looked for.
    var observations = 0
    /// What can be learnt of its readiness, apart from its word.
    var evidence = EvidenceSource.kernel
    /// Whether it said `READY=1`.
    var saidReady = false
    var claims = Claims()

    init(until: Instant) { self.until = until }
}

/// A worker that is ready, and was not told to go.
struct Serving: Equatable, Sendable, Codable {
    /// When its count last moved.
    var progressAt: Instant
    /// Whether it is ready without any evidence of it.
    var isUnproven: Bool
    var claims: Claims
}

/// What a worker has asked for and announced until it is told to go, and what it was asked in return.
struct Claims: Equatable, Sendable, Codable {
    /// Until when it asked not to be recycled.
    var holdUntil: Instant?
    /// Whether it asked to be replaced.
    var asksForReplacement = false
    /// When it gets SIGABRT, unless it says `WATCHDOG=1` before.
    var watchdogAt: Instant?
    /// Whether it ever reported requests or sent another message of this program's own (`X_…`): such a
    /// worker finishes its requests itself. `READY=1` shows only that it runs under systemd too.
    var knowsContract = false
    /// The number of requests at which its replacement is started; nil where it has no limit.
    var bell: UInt64?
}

/// A worker that was told to go.
struct Retirement: Equatable, Sendable, Codable {
    /// Why it was.
    var cause: RetireCause
    /// When it gets SIGKILL.
    var killAt: Instant
    /// Whether it got SIGKILL.
    var wasKilled = false
    /// How it is emptied, while that lasts: it has not got the stop-signal.
    @Rare var draining: Draining?
    /// What it does with its requests, while any of those are in flight that were at its stop-signal.
    @Rare var stopWatch: StopWatch?

    init(_ cause: RetireCause, killAt: Instant) {
        self.cause = cause
        self.killAt = killAt
    }
}

/// The processes that a worker left behind.
struct Remains: Equatable, Sendable, Codable {
    /// When they get SIGKILL.
    var killAt: Instant
    /// Whether they got SIGKILL.
    var wasKilled = false
    /// How they are emptied, while that lasts: they have not got the stop-signal.
    @Rare var draining: Draining?

    init(killAt: Instant, draining: Draining? = nil) {
        self.killAt = killAt
        self.draining = draining
    }
}

/// What can show that a worker waits on a listener: where anything can, that nothing does yet means that
/// the worker still boots.
enum EvidenceSource: Equatable, Sendable, Codable {
    /// The kernel, and a worker that waits is seen.
    case kernel
    /// The preload library alone.
    case report
    /// Nothing.
    case none
}

extension Worker {
    /// Its boot; nil once it is ready or was told to go. Nil cannot be set.
    var boot: Boot? {
        get {
            switch state {
            case .starting(let boot), .booting(let boot): boot
            case .ready, .retiring, .outlived: nil
            }
        }
        set {
            guard let newValue else { return }
            switch state {
            case .starting: state = .starting(newValue)
            case .booting: state = .booting(newValue)
            case .ready, .retiring, .outlived: break
            }
        }
    }

    /// Its service; nil unless it is ready. Nil cannot be set.
    var serving: Serving? {
        get { if case .ready(let serving) = state { serving } else { nil } }
        set { if let newValue, case .ready = state { state = .ready(newValue) } }
    }

    /// Its claims; nil once it was told to go. Nil cannot be set.
    var claims: Claims? {
        get { boot?.claims ?? serving?.claims }
        set {
            guard let newValue else { return }
            boot?.claims = newValue
            serving?.claims = newValue
        }
    }

    /// Its retirement; nil unless it was told to go and its process lives. Nil cannot be set.
    var retirement: Retirement? {
        get { if case .retiring(let retirement) = state { retirement } else { nil } }
        set { if let newValue, case .retiring = state { state = .retiring(newValue) } }
    }

    /// What it left behind; nil while its own process lives. Nil cannot be set.
    var remains: Remains? {
        get { if case .outlived(let remains) = state { remains } else { nil } }
        set { if let newValue, case .outlived = state { state = .outlived(newValue) } }
    }

    /// When it gets SIGKILL, if it was told to go.
    var killAt: Instant? {
        get { retirement?.killAt ?? remains?.killAt }
        set {
            guard let newValue else { return }
            retirement?.killAt = newValue
            remains?.killAt = newValue
        }
    }

    /// How it is emptied, while that lasts.
    var draining: Draining? {
        get { retirement?.draining ?? remains?.draining }
        set {
            retirement?.draining = newValue
            remains?.draining = newValue
        }
    }

    /// Whether it was told to go and gets no stop-signal before its requests are served.
    public var isDraining: Bool { draining != nil }

    /// Whether a sample of its connections is awaited.
    public var awaitsSample: Bool {
        (draining != nil || retirement?.stopWatch != nil) && sampleAt == nil
    }

    /// Whether it serves and was not told to go.
    public var isReady: Bool { if case .ready = state { true } else { false } }

    /// Whether it is ready without any evidence of it.
    public var isUnproven: Bool { serving?.isUnproven ?? false }

    /// Whether it has sent `WATCHDOG=1`, and was not told to go.
    public var announcesWatchdog: Bool { claims?.watchdogAt != nil }

    /// Whether it runs or is about to, and was not told to go.
    var isBooting: Bool { boot != nil }

    /// Whether its program was ever run.
    var hasProgram: Bool { if case .starting = state { false } else { true } }

    /// Whether its own process may still live.
    var hasProcess: Bool { remains == nil }
}
