import Glibc
import Synchronization

/// The worker side of `supervise`: its listeners and settings, and messages to its master.
///
///     let worker = Worker.current
///     worker.catchStopSignal()
///     // open the database, load the model, …
///     worker.ready()
///     while !worker.stopRequested {
///         // accept on worker.listeners, send the response, then
///         worker.countRequest()
///     }
///
/// Outside `supervise` every call is a no-op, so a program needs no separate mode. All calls are
/// thread-safe. After fork(2), the child uses the same page and socket as its parent, as part of the same
/// worker; it must call `catchStopSignal` itself.
public final class Worker: Sendable {
    /// The worker of this process, read once from its environment.
    public static let current = Worker(environment: { name in
        getenv(name).map { String(cString: $0) }
    })

    /// The descriptors of the listening sockets in the order of `bind`; empty if none were passed to this
    /// process (sd_listen_fds(3)).
    ///
    /// The sockets and their blocking mode are shared with the other workers.
    public let listeners: [Int32]
    /// The names of the listeners (`LISTEN_FDNAMES`); `unknown` for a listener without a name.
    public let listenerNames: [String]
    /// The name of the pool; nil outside `supervise`.
    public let pool: String?
    /// The slot in the pool, which the replacement of the worker will have as well; nil outside
    /// `supervise`.
    public let slot: Int?
    /// The generation of settings that the worker belongs to; nil outside `supervise`.
    public let generation: Int?
    /// The number of requests after which this worker is replaced, drawn by the master at its start; nil if
    /// there is no limit.
    public let requestLimit: UInt64?
    /// The maximum interval between calls of `watchdog`; nil if there is no watchdog. A worker should
    /// call it at half of this interval (sd_watchdog_enabled(3)).
    public let watchdogInterval: Duration?

    private let page: WorkerPage?
    private let notify: NotifyAddress?
    // Messages that could not be sent yet, because the socket of the master was full.
    private let unreported = Atomic<UInt64>(0)
    private let owesTotal = Atomic<Bool>(false)
    private let unreportedBy = Atomic<pid_t>(getpid())

    /// Creates a worker from these variables. Programs use `current`; tests pass their own variables.
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
        // Before this process opens a descriptor of its own, which could reuse the number of a listener.
        let inherited = InheritedListeners(environment: environment, isOurWorker: isOurWorker)
        listeners = inherited.descriptors
        listenerNames = inherited.names
        notify = environment("NOTIFY_SOCKET").flatMap { NotifyAddress(name: $0) }
    }

    // MARK: Counting

    /// Counts completed requests with one atomic add and no system call.
    ///
    /// The addition that reaches the limit also sends `X_REQUESTS=<total>`, once. The worker keeps
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

    /// The number of requests on the page, counted by all processes of this worker; nil without a page.
    public var requestsCounted: UInt64? { page?.count }

    /// Whether the total must still be sent because the socket of the master was full. The first thread
    /// that reads this must send it.
    private func takeDebt() -> Bool {
        owesTotal.load(ordering: .relaxed) && owesTotal.exchange(false, ordering: .relaxed)
    }

    private func report(_ requests: UInt64) {
        guard notify != nil, requests > 0 else { return }
        // A child of fork(2) must not send the pending message of its parent again.
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

    /// Handles `signal` (the pool's `stop-signal`, SIGTERM by default) as the request to stop. Before this
    /// call the signal terminates the process, which is appropriate while it boots.
    public func catchStopSignal(_ signal: Int32 = SIGTERM) {
        StopSignal.catchSignal(signal)
    }

    /// Whether the master asked this process to stop. The process should then accept no more connections,
    /// finish the requests in flight and exit with 0.
    public var stopRequested: Bool { StopSignal.isRequested }

    /// A descriptor that becomes and remains readable when `stopRequested` becomes true, for the poll set of
    /// the loop. Do not read from it. -1 before `catchStopSignal`.
    public var stopDescriptor: Int32 { StopSignal.descriptor }

    // MARK: Messages (sd_notify(3))

    /// Reports readiness to the master (`READY=1`). Returns false if the message was not sent.
    @discardableResult
    public func ready() -> Bool { insist("READY=1") }

    /// Sends a line of text for `supervise status` (`STATUS=`).
    @discardableResult
    public func status(_ text: String) -> Bool {
        // A line break would start another assignment.
        let line = String(text.map { $0.isNewline ? " " : $0 })
        return send("STATUS=\(line)")
    }

    /// Reports that the worker is about to exit (`STOPPING=1`), so that its replacement can start.
    @discardableResult
    public func stopping() -> Bool { insist("STOPPING=1") }

    /// Requests a replacement (`X_RECYCLE=1`). The worker serves until it is asked to stop.
    @discardableResult
    public func recycle() -> Bool { insist("X_RECYCLE=1") }

    /// Defers recycling for the next `seconds` (`X_HOLD=`), for work that must not be interrupted. It can be
    /// repeated up to `max-hold`; 0 ends the deferral.
    @discardableResult
    public func hold(seconds: Int) -> Bool { insist("X_HOLD=\(max(0, seconds))") }

    /// Reports to the watchdog that the worker is alive (`WATCHDOG=1`).
    @discardableResult
    public func watchdog() -> Bool { insist("WATCHDOG=1") }

    /// Whether there is a notify socket.
    public var isSupervised: Bool { notify != nil }

    private func send(_ message: String) -> Bool {
        notify?.send(message) ?? false
    }

    /// Sends a message that a later one would not supersede.
    private func insist(_ message: String) -> Bool {
        notify?.send(message, waits: true) ?? false
    }
}
