import Glibc
import Synchronization

/// A worker's side of `supervise`: what it was given, and what it can tell its master.
///
///     let worker = Worker.current
///     worker.catchStopSignal()
///     // open the database, load the model, …
///     worker.ready()
///     while !worker.stopRequested {
///         // accept on worker.listeners, answer, then
///         worker.countRequest()
///     }
///
/// Outside `supervise` every call is a no-op, so a program needs no second mode. All of it may be
/// called from any thread. After fork(2) the child counts on the same page and talks over the same
/// socket as its parent, as one worker; it calls `catchStopSignal` for itself.
public final class Worker: Sendable {
    /// This process's worker, read from its environment once.
    public static let current = Worker(environment: { name in
        getenv(name).map { String(cString: $0) }
    })

    /// The descriptors of the listening sockets in the order of `bind`; empty when none were passed
    /// to this process (sd_listen_fds(3)).
    ///
    /// They are shared with the other workers, and so is their blocking mode.
    public let listeners: [Int32]
    /// The listeners' names (`LISTEN_FDNAMES`), one for each; `unknown` where none was given.
    public let listenerNames: [String]
    /// The pool's name; nil outside `supervise`.
    public let pool: String?
    /// The slot in the pool, which the worker's replacement will have too; nil outside `supervise`.
    public let slot: Int?
    /// The generation of settings that the worker belongs to; nil outside `supervise`.
    public let generation: Int?
    /// The requests after which this worker will be replaced, drawn by the master at its start;
    /// nil when there is no limit.
    public let requestLimit: UInt64?
    /// How often `watchdog` must be called at least; nil when nobody watches. A worker that keeps
    /// to half of it is safe (sd_watchdog_enabled(3)).
    public let watchdogInterval: Duration?

    private let page: WorkerPage?
    private let notify: NotifyAddress?
    // What could not be told yet, because the master's socket was full.
    private let unreported = Atomic<UInt64>(0)
    private let owesTotal = Atomic<Bool>(false)
    private let unreportedBy = Atomic<pid_t>(getpid())

    /// A worker described by these variables; a program uses `current`, tests bring their own.
    public init(environment: (String) -> String?) {
        func number(_ name: String) -> Int? {
            environment("SUPERVISE_WORKER_" + name).flatMap { Int($0) }
        }
        pool = environment("SUPERVISE_WORKER_POOL")
        slot = number("SLOT")
        generation = number("GENERATION")
        let limit = environment("SUPERVISE_WORKER_MAX_REQUESTS").flatMap { UInt64($0) } ?? 0
        requestLimit = limit > 0 ? limit : nil

        let watcher = environment("WATCHDOG_PID").flatMap { pid_t($0) } ?? getpid()
        let watchdog = environment("WATCHDOG_USEC").flatMap { Int64($0) } ?? 0
        watchdogInterval = watchdog > 0 && watcher == getpid() ? .microseconds(watchdog) : nil

        var isOurWorker = false
        if let descriptor = number("PAGE").flatMap({ Int32(exactly: $0) }), descriptor > 2,
            let nonce = environment("SUPERVISE_WORKER_ID"),
            let found = WorkerPage(descriptor: descriptor, nonce: nonce)
        {
            page = found
            isOurWorker = true
        } else {
            page = nil
        }
        // Before this process opens a descriptor of its own, which could take a listener's number.
        let inherited = InheritedListeners(environment: environment, isOurWorker: isOurWorker)
        listeners = inherited.descriptors
        listenerNames = inherited.names
        notify = environment("NOTIFY_SOCKET").flatMap { NotifyAddress(name: $0) }
    }

    // MARK: Counting

    /// Counts answered requests: one atomic add, no system call.
    ///
    /// The addition that reaches the limit also sends `X_REQUESTS=<total>`, once; the worker goes on
    /// serving until it is asked to stop. Without a page, but with a notify socket, every call sends
    /// `X_REQUESTS=+N` instead.
    public func countRequest(_ requests: UInt64 = 1) {
        guard let page else {
            report(requests)
            return
        }
        let isLimitReached = page.add(requests) != nil
        if isLimitReached || takeDebt() {
            let isSent = notify?.send("X_REQUESTS=\(page.count)") ?? true
            owesTotal.store(!isSent, ordering: .relaxed)
        }
    }

    /// The requests counted on the page so far, by all processes of this worker; nil without a page.
    public var requestsCounted: UInt64? { page?.count }

    /// Whether the total is still to be sent because the master's socket was full; the first thread
    /// to ask has to do it.
    private func takeDebt() -> Bool {
        owesTotal.load(ordering: .relaxed) && owesTotal.exchange(false, ordering: .relaxed)
    }

    private func report(_ requests: UInt64) {
        guard notify != nil, requests > 0 else { return }
        // A child made by fork(2) must not report again what its parent still owes.
        let process = getpid()
        if unreportedBy.exchange(process, ordering: .relaxed) != process {
            unreported.store(0, ordering: .relaxed)
        }
        unreported.wrappingAdd(requests, ordering: .relaxed)
        let due = unreported.exchange(0, ordering: .relaxed)
        if due > 0, !send("X_REQUESTS=+\(due)") {
            unreported.wrappingAdd(due, ordering: .relaxed)
        }
    }

    // MARK: Stopping

    /// Takes `signal` (the pool's `stop-signal`, SIGTERM by default) as the request to stop. Until
    /// then it ends the process, which is right for one that is still booting.
    public func catchStopSignal(_ signal: Int32 = SIGTERM) {
        StopSignal.catchSignal(signal)
    }

    /// Whether the master asked this process to stop: accept no more, finish what is in flight,
    /// exit with 0.
    public var stopRequested: Bool { StopSignal.isRequested }

    /// A descriptor that becomes readable, and stays so, when `stopRequested` turns true: put it
    /// into the set that the loop polls. Never read from it. -1 before `catchStopSignal`.
    public var stopDescriptor: Int32 { StopSignal.descriptor }

    // MARK: Messages (sd_notify(3))

    /// Tells the master that the worker serves (`READY=1`); false when nobody was told.
    @discardableResult
    public func ready() -> Bool { insist("READY=1") }

    /// A line of text for the master's `status` (`STATUS=`).
    @discardableResult
    public func status(_ text: String) -> Bool {
        // A line break would start another assignment.
        let line = String(text.map { $0.isNewline ? " " : $0 })
        return send("STATUS=\(line)")
    }

    /// Tells the master that the worker ends by itself (`STOPPING=1`), so that its replacement
    /// can start.
    @discardableResult
    public func stopping() -> Bool { insist("STOPPING=1") }

    /// Asks the master for a replacement (`X_RECYCLE=1`); the worker serves until it is told to stop.
    @discardableResult
    public func recycle() -> Bool { insist("X_RECYCLE=1") }

    /// Asks not to be recycled in the next `seconds` (`X_HOLD=`), for work that must not be cut
    /// short. To be repeated, and bounded by `max-hold`; 0 lets go.
    @discardableResult
    public func hold(seconds: Int) -> Bool { insist("X_HOLD=\(max(0, seconds))") }

    /// Tells the watchdog that the worker is alive (`WATCHDOG=1`).
    @discardableResult
    public func watchdog() -> Bool { insist("WATCHDOG=1") }

    /// Whether there is a master that listens.
    public var isSupervised: Bool { notify != nil }

    private func send(_ message: String) -> Bool {
        notify?.send(message) ?? false
    }

    /// For messages that are not made up for by the next one.
    private func insist(_ message: String) -> Bool {
        notify?.send(message, waits: true) ?? false
    }
}
