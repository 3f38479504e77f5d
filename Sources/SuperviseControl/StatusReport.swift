import SuperviseCore

/// A snapshot of the service with data that only the master has.
public struct StatusReport {
    /// The schema version of `/status`. It changes when a field is removed or changes its meaning, but not
    /// for new fields.
    public static let schemaVersion = 2

    /// A listener of a pool.
    public struct Listener: Equatable, Sendable {
        /// The number of the pool.
        public var pool: Int
        /// The address.
        public var address: String
        /// The number of connections in the accept queue; nil if it cannot be read.
        public var waiting: Int?
        /// The length of the accept queue.
        public var limit: Int?

        /// Creates a listener.
        public init(pool: Int, address: String, waiting: Int?, limit: Int?) {
            self.pool = pool
            self.address = address
            self.waiting = waiting
            self.limit = limit
        }
    }

    /// The requests of a worker.
    public struct Requests: Equatable, Sendable {
        /// Those in flight; nil if none is visible.
        public var inFlight: RequestsInFlight?
        /// Whether they are visible; nil as long as that is not known.
        public var areVisible: Bool?

        /// Describes requests.
        public init(inFlight: RequestsInFlight? = nil, areVisible: Bool? = nil) {
            self.inFlight = inFlight
            self.areVisible = areVisible
        }
    }

    /// The process of a worker.
    public struct Process: Equatable, Sendable {
        /// The process ID.
        public var pid: Int32
        /// The last `STATUS=` text.
        public var text: String?
        /// The final output of a worker that failed.
        public var finalOutput: String?
        /// The memory of a forked worker; nil for an executed one.
        public var forked: ForkedMemory?

        /// Creates a process.
        public init(pid: Int32, text: String?, finalOutput: String? = nil) {
            self.pid = pid
            self.text = text
            self.finalOutput = finalOutput
        }
    }

    /// The memory of a forked process in bytes.
    public struct ForkedMemory: Equatable, Sendable {
        /// The memory that no other process has.
        public var ownBytes: UInt64
        /// The resident memory that it shares.
        public var sharedBytes: UInt64

        /// Creates these figures.
        public init(ownBytes: UInt64, sharedBytes: UInt64) {
            self.ownBytes = ownBytes
            self.sharedBytes = sharedBytes
        }
    }

    /// The process of a mold.
    public struct Mold: Equatable, Sendable {
        /// Its figures in the core.
        public var facts: MoldFacts
        /// The process ID; nil if no process exists.
        public var pid: Int32?
        /// The resident memory in bytes; nil if it cannot be read.
        public var memoryBytes: UInt64?

        /// Creates a mold.
        public init(facts: MoldFacts, pid: Int32?, memoryBytes: UInt64?) {
            self.facts = facts
            self.pid = pid
            self.memoryBytes = memoryBytes
        }
    }

    /// The master.
    public struct Master: Equatable, Sendable {
        /// The name.
        public var name: String
        /// The process ID.
        public var pid: Int32
        /// The version.
        public var version: String
        /// The start time in seconds since the Unix epoch.
        public var startedAtSeconds: Int64
        /// The time since the start.
        public var uptime: TimeSpan
        /// The time of day in nanoseconds since the Unix epoch.
        public var wallNanoseconds: Int64 = 0
        /// The resident memory in bytes.
        public var memoryBytes: UInt64?
        /// The CPU time.
        public var processorTime: TimeSpan?
        /// The number of completed reloads.
        public var reloadsComplete: UInt64 = 0
        /// The number of aborted reloads.
        public var reloadsAborted: UInt64 = 0
        /// The number of reloads whose configuration had errors.
        public var reloadsFailed: UInt64 = 0
        /// The number of completed upgrades.
        public var upgradesComplete: UInt64 = 0
        /// The number of failed upgrades.
        public var upgradesFailed: UInt64 = 0
        /// The configuration errors of the newest reload, if any.
        public var configurationProblems: [String] = []
        /// Whether a configuration is being read.
        public var isReadingConfiguration = false
        /// The number of events dropped because a reader was too slow.
        public var eventsDropped: UInt64 = 0
        /// The number of output lines of workers that were dropped because stderr was too slow.
        public var outputLinesDropped: UInt64 = 0
        /// The last line of output of the canaries that failed in the last reload, by pool.
        public var canaryOutputs: [String: String] = [:]
        /// The sequence number of the newest change in `/history`; 0 if there is none.
        public var lastChange: UInt64 = 0
        /// The number of connected clients.
        public var clients = 0

        /// Creates a master.
        public init(
            name: String, pid: Int32, version: String, startedAtSeconds: Int64, uptime: TimeSpan
        ) {
            self.name = name
            self.pid = pid
            self.version = version
            self.startedAtSeconds = startedAtSeconds
            self.uptime = uptime
            wallNanoseconds = startedAtSeconds * 1_000_000_000 + uptime.nanoseconds
        }
    }

    /// The master.
    public var master: Master
    /// The service.
    public var snapshot: Snapshot
    /// The listeners of all pools.
    public var listeners: [Listener]
    /// The molds of all pools.
    public var molds: [Mold] = []
    /// The process of a worker, including recently exited ones.
    public var process: (WorkerID) -> Process?
    /// The requests of a worker. Reading them costs more than the rest.
    public var requests: (WorkerID) -> Requests = { _ in Requests() }
    /// The CPU time of a running worker so far; nil if it is not known. Only the metrics contain it,
    /// because each one is read from a file.
    public var processorTime: (WorkerID) -> TimeSpan? = { _ in nil }
    /// The time that the requests of a running worker have taken so far; nil if they are not visible.
    public var requestTime: (WorkerID) -> TimeSpan? = { _ in nil }
    /// Whether it names routes.
    private(set) var showsRoutes = true

    /// The report without the names of routes, for readers who may not know them.
    public var withoutRoutes: StatusReport {
        var report = self
        report.showsRoutes = false
        return report
    }

    /// Creates a report of these parts.
    public init(
        master: Master, snapshot: Snapshot, listeners: [Listener],
        process: @escaping (WorkerID) -> Process?
    ) {
        self.master = master
        self.snapshot = snapshot
        self.listeners = listeners
        self.process = process
    }

    /// The state of the master.
    var state: String {
        if let haste = snapshot.haste {
            return haste == .graceful ? "stopping" : "stopping-quickly"
        }
        if master.isReadingConfiguration || snapshot.rollout?.endedAt == nil, isReloading {
            return "reloading"
        }
        return snapshot.pools.contains { $0.stage == .parked } ? "parked" : "running"
    }

    private var isReloading: Bool {
        guard let rollout = snapshot.rollout else { return master.isReadingConfiguration }
        return master.isReadingConfiguration || rollout.endedAt == nil
    }
}

extension StatusReport {
    /// The response to `/healthz`. A master that responds is healthy.
    public static let health = HTTPResponse(.ok, .json, Array("{\"alive\":true}\n".utf8))

    /// The response to `/readyz`: 503 while a pool lacks ready workers or the master stops.
    public static func readiness(_ snapshot: Snapshot) -> HTTPResponse {
        var json = JSONWriter()
        json.object {
            $0.field("ready", snapshot.isReady)
            $0.field("stopping", snapshot.haste != nil)
            $0.array("pools") { json in
                for pool in snapshot.pools where !pool.isRemoved {
                    json.object {
                        $0.field("pool", pool.name)
                        $0.field("ready", pool.isReady)
                        $0.field("state", pool.stage.name)
                        $0.field("serving", pool.serving)
                        $0.field("min_ready", pool.minReady)
                    }
                }
            }
        }
        return HTTPResponse(snapshot.isReady ? .ok : .unavailable, .json, json.bytes + [0x0A])
    }
}

extension Pool.Stage {
    /// The name of the stage.
    var name: String {
        switch self {
        case .idle: "idle"
        case .running: "running"
        case .parked: "parked"
        case .stopping: "stopping"
        case .ended: "stopped"
        }
    }
}

extension WorkerSnapshot.State {
    /// The name of the state.
    var name: StaticString {
        switch self {
        case .starting: "starting"
        case .booting: "booting"
        case .ready: "ready"
        case .retiring: "retiring"
        case .outlived: "stopping-orphans"
        }
    }
}
