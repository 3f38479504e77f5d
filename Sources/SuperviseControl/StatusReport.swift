import SuperviseCore

/// A snapshot, and what only the kernel's side of the master knows.
public struct StatusReport {
    /// The version of what `/status` tells. A new field does not change it; a field that goes, or
    /// means something else, does.
    public static let schemaVersion = 1

    /// A listener of a pool.
    public struct Listener: Equatable, Sendable {
        /// The pool's number.
        public var pool: Int
        /// Where it listens.
        public var address: String
        /// How many connections wait to be accepted; nil where that can't be read.
        public var waiting: Int?
        /// How many may.
        public var limit: Int?

        /// A listener.
        public init(pool: Int, address: String, waiting: Int?, limit: Int?) {
            self.pool = pool
            self.address = address
            self.waiting = waiting
            self.limit = limit
        }
    }

    /// What the master knows of a worker's process.
    public struct Process: Equatable, Sendable {
        /// Its number.
        public var pid: Int32
        /// What it last said by `STATUS=`.
        public var text: String?

        /// A process.
        public init(pid: Int32, text: String?) {
            self.pid = pid
            self.text = text
        }
    }

    /// The master itself.
    public struct Master: Equatable, Sendable {
        /// Its name.
        public var name: String
        /// Its process.
        public var pid: Int32
        /// Its version.
        public var version: String
        /// When it started, in seconds since 1970.
        public var startedAtSeconds: Int64
        /// How long it has run.
        public var uptime: TimeSpan
        /// Its resident memory in bytes.
        public var memoryBytes: UInt64?
        /// The processor time that it has used.
        public var processorTime: TimeSpan?
        /// How many reloads were rolled out.
        public var reloadsComplete: UInt64 = 0
        /// How many were given up.
        public var reloadsAborted: UInt64 = 0
        /// How many failed before anything was tried: the configuration has errors.
        public var reloadsFailed: UInt64 = 0
        /// How many upgrades in place there were.
        public var upgradesComplete: UInt64 = 0
        /// How many came to nothing.
        public var upgradesFailed: UInt64 = 0
        /// Why the newest reload failed before anything was tried; empty where it did not.
        public var configurationProblems: [String] = []
        /// Whether the configuration is being read.
        public var isReadingConfiguration = false
        /// How many events were not told to a slow reader.
        public var eventsDropped: UInt64 = 0
        /// How many clients are connected.
        public var clients = 0

        /// A master.
        public init(
            name: String, pid: Int32, version: String, startedAtSeconds: Int64, uptime: TimeSpan
        ) {
            self.name = name
            self.pid = pid
            self.version = version
            self.startedAtSeconds = startedAtSeconds
            self.uptime = uptime
        }
    }

    /// The master itself.
    public var master: Master
    /// The service.
    public var snapshot: Snapshot
    /// The listeners of all pools.
    public var listeners: [Listener]
    /// The process of a worker, also of one that ended lately.
    public var process: (WorkerID) -> Process?

    /// A report of these parts.
    public init(
        master: Master, snapshot: Snapshot, listeners: [Listener],
        process: @escaping (WorkerID) -> Process?
    ) {
        self.master = master
        self.snapshot = snapshot
        self.listeners = listeners
        self.process = process
    }

    /// What the master does, in a word.
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
    /// The answer to `/healthz`. A master that answers lives.
    public static let health = HTTPResponse(.ok, .json, Array("{\"alive\":true}\n".utf8))

    /// The answer to `/readyz`: 503 while a pool lacks workers that it promises, or stops.
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
                        $0.field("promised", pool.promised)
                    }
                }
            }
        }
        return HTTPResponse(snapshot.isReady ? .ok : .unavailable, .json, json.bytes + [0x0A])
    }
}

extension Pool.Stage {
    /// The stage in a word.
    var name: String {
        switch self {
        case .idle: "idle"
        case .running: "running"
        case .parked: "parked"
        case .stopping: "stopping"
        case .ended: "ended"
        }
    }
}

extension Worker.State {
    /// The state in a word.
    var name: StaticString {
        switch self {
        case .starting: "starting"
        case .booting: "booting"
        case .ready: "ready"
        case .retiring: "retiring"
        case .outlived: "left-processes"
        }
    }
}
