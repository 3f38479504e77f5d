extension Worker {
    /// The state of a worker.
    enum State: Equatable, Sendable, Codable {
        /// Its start was ordered. Exits: `booting` (exec succeeded), `ready`, `retiring`, or its
        /// end.
        case starting(Boot)
        /// Its program runs. Exits: `ready`, `retiring`, `outlived`, or its end.
        case booting(Boot)
        /// It serves. Exits: `retiring`, `outlived`, or its end.
        case ready(Serving)
        /// It was asked to stop. Exits: `outlived` or its end.
        case retiring(Retirement)
        /// Its own process ended, and the processes that it left behind were asked to stop. Exit:
        /// its end.
        case outlived(Remains)
    }
}

/// A worker that is not ready yet.
struct Boot: Equatable, Sendable, Codable {
    /// The deadline for being ready.
    var until: Instant
    /// The time of the next poll for the kernel's evidence of readiness.
    var observeAt: Instant?
    /// The number of polls so far.
    var observations = 0
    /// The possible evidence of its readiness, apart from its own report.
    var evidence = EvidenceSource.kernel
    /// Whether it sent `READY=1`.
    var reportedReady = false
    var claims = Claims()

    init(until: Instant) { self.until = until }
}

/// A ready worker that is not retiring.
struct Serving: Equatable, Sendable, Codable {
    /// The time at which its count last changed.
    var progressAt: Instant
    /// Whether it is ready without evidence.
    var isUnproven: Bool
    var claims: Claims
}

/// The requests and announcements of a worker that is not retiring, and the master's requests to
/// it.
struct Claims: Equatable, Sendable, Codable {
    /// The time until which it postpones its recycling.
    var holdUntil: Instant?
    /// Whether it requested its replacement.
    var asksForReplacement = false
    /// The time at which it gets SIGABRT, unless it sends `WATCHDOG=1` before.
    var watchdogAt: Instant?
    /// Whether it ever reported requests or sent another message of this program's own (`X_…`).
    /// Such a worker finishes its requests itself. `READY=1` shows only that it also runs under
    /// systemd.
    var knowsContract = false
    /// The number of requests at which its replacement starts; nil if it has no limit.
    var notifyThreshold: UInt64?
}

/// A retiring worker.
struct Retirement: Equatable, Sendable, Codable {
    /// The cause.
    var cause: RetireCause
    /// The time of SIGKILL.
    var killAt: Instant
    /// Whether it got SIGKILL.
    var wasKilled = false
    /// The state of its drain, until it gets the stop-signal.
    @Rare var draining: Draining?
    /// The requests that were in flight at its stop-signal, while any of them is.
    @Rare var stopWatch: StopWatch?

    init(_ cause: RetireCause, killAt: Instant) {
        self.cause = cause
        self.killAt = killAt
    }
}

/// The processes that a worker left behind.
struct Remains: Equatable, Sendable, Codable {
    /// The time of SIGKILL.
    var killAt: Instant
    /// Whether they got SIGKILL.
    var wasKilled = false
    /// The state of their drain, until they get the stop-signal.
    @Rare var draining: Draining?

    init(killAt: Instant, draining: Draining? = nil) {
        self.killAt = killAt
        self.draining = draining
    }
}

/// The possible evidence that a worker waits on a listener. If any is possible, missing evidence
/// means that the worker still boots.
enum EvidenceSource: Equatable, Sendable, Codable {
    /// The kernel, which shows waiting workers.
    case kernel
    /// Only the preload library.
    case report
    /// Nothing.
    case none
}

extension Worker {
    /// Its boot; nil once it is ready or retiring. The setter ignores nil.
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

    /// Its service; nil unless it is ready. The setter ignores nil.
    var serving: Serving? {
        get { if case .ready(let serving) = state { serving } else { nil } }
        set { if let newValue, case .ready = state { state = .ready(newValue) } }
    }

    /// Its claims; nil once it is retiring. The setter ignores nil.
    var claims: Claims? {
        get { boot?.claims ?? serving?.claims }
        set {
            guard let newValue else { return }
            boot?.claims = newValue
            serving?.claims = newValue
        }
    }

    /// Whether it stops for a reason that is not its own, so that its exit says nothing about it.
    public var isAbandoned: Bool {
        switch retirement?.cause {
        case .superseded, .stop, .parked, .scaledDown, .huntEnded: true
        case .recycle, .announced, .bootTimeout, .killMemory, .watchdog, .stalled, nil: false
        }
    }

    /// Its retirement; nil unless it is retiring and its process runs. The setter ignores nil.
    var retirement: Retirement? {
        get { if case .retiring(let retirement) = state { retirement } else { nil } }
        set { if let newValue, case .retiring = state { state = .retiring(newValue) } }
    }

    /// The processes that it left behind; nil while its own process runs. The setter ignores nil.
    var remains: Remains? {
        get { if case .outlived(let remains) = state { remains } else { nil } }
        set { if let newValue, case .outlived = state { state = .outlived(newValue) } }
    }

    /// The time at which it gets SIGKILL, if it is retiring.
    var killAt: Instant? {
        get { retirement?.killAt ?? remains?.killAt }
        set {
            guard let newValue else { return }
            retirement?.killAt = newValue
            remains?.killAt = newValue
        }
    }

    /// The state of its drain; nil if it does not drain.
    var draining: Draining? {
        get { retirement?.draining ?? remains?.draining }
        set {
            retirement?.draining = newValue
            remains?.draining = newValue
        }
    }

    /// Whether it is retiring and gets no stop-signal before its requests are served.
    public var isDraining: Bool { draining != nil }

    /// Whether a sample of its connections is awaited.
    public var awaitsSample: Bool {
        (draining != nil || retirement?.stopWatch != nil) && sampleAt == nil
    }

    /// Whether it serves and is not retiring.
    public var isReady: Bool { if case .ready = state { true } else { false } }

    /// Whether it is ready without evidence.
    public var isUnproven: Bool { serving?.isUnproven ?? false }

    /// Whether it has sent `WATCHDOG=1` and is not retiring.
    public var announcesWatchdog: Bool { claims?.watchdogAt != nil }

    /// Whether it runs or is about to, and is not retiring.
    var isBooting: Bool { boot != nil }

    /// Whether a mold was asked to fork it and its program does not run yet.
    var isOrderedFromMold: Bool {
        if case .starting = state { forkedFrom != nil } else { false }
    }

    /// Whether its program ever ran.
    var hasProgram: Bool { if case .starting = state { false } else { true } }

    /// Whether its own process may still run.
    var hasProcess: Bool { remains == nil }
}
