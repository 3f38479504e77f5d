import SuperviseCore

/// The response to `/leaks`: the routes of each pool that seem to retain memory.
public struct LeaksReport {
    /// The version of the schema. It changes when a field is removed or changes its meaning, but not
    /// for new fields.
    public static let schemaVersion = 1

    /// The reason for which a pool has no evidence.
    public enum Obstacle: String, Sendable {
        /// It runs a command by a schedule.
        case schedule
        /// It has no listeners.
        case noListeners = "no-listeners"
        /// `request-info = off`.
        case requestInfoOff = "request-info-off"
        /// Neither the program nor the preload library writes a ledger.
        case notObserved = "not-observed"
        /// The connections carry requests that cannot be read.
        case notVisible = "not-visible"
        /// No setting requires samples of the memory.
        case notSampled = "not-sampled"
        /// The memory of a worker could not be read.
        case memoryUnreadable = "memory-unreadable"
    }

    /// One pool.
    public struct Pool {
        /// The name.
        public var name: String
        /// The reason for which there is no evidence, if any.
        public var obstacle: Obstacle?
        /// What the evidence shows.
        public var report = LeakReport()
        /// The time since the evidence began.
        public var age: TimeSpan?
        /// The generation of the workers.
        public var generation: Int
        /// The usual growth of a worker; nil while it is unknown.
        public var bytesPerHour: Int64?

        /// Creates a pool.
        public init(name: String, generation: Int) {
            self.name = name
            self.generation = generation
        }
    }

    /// The pools.
    public var pools: [Pool]

    /// Creates a report.
    public init(pools: [Pool]) {
        self.pools = pools
    }

    /// The report as one JSON object with a trailing line break. `supervise help schema` describes
    /// the fields.
    public var json: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("schema", "supervise-leaks")
            json.field("version", LeaksReport.schemaVersion)
            json.array("pools") { json in
                for pool in pools { json.object { write(pool, to: &$0) } }
            }
        }
        return json.bytes + [0x0A]
    }

    private func write(_ pool: Pool, to json: inout JSONWriter) {
        json.field("name", pool.name)
        json.field("state", pool.obstacle?.rawValue ?? pool.report.verdict.rawValue)
        json.field("message", pool.message)
        json.field("generation", pool.generation)
        json.field("age_seconds", seconds: pool.age)
        json.field("growth_bytes_per_hour", pool.bytesPerHour)
        json.field("observations", pool.report.observations)
        json.field("workers", pool.report.workers)
        json.field("requests", pool.report.requests)
        json.field("growth_bytes", pool.report.growthBytes)
        json.array("routes") { json in
            for route in pool.report.routes { json.object { write(route, to: &$0) } }
        }
    }

    private func write(_ route: LeakReport.Route, to json: inout JSONWriter) {
        json.field("route", route.name)
        json.field("requests", route.requests)
        json.field("bytes_per_request", decimal: route.bytesPerRequest)
        json.field("error_bytes", decimal: route.error)
        json.field("confidence", decimal: route.confidence)
        json.field("share", decimal: route.share)
        json.field("standing", route.standing.rawValue)
        json.field("rival", route.rival)
    }
}

extension LeaksReport.Pool {
    /// What the state means, and what to do.
    var message: String {
        if let obstacle { return obstacle.message }
        switch report.verdict {
        case .gathering: return gathering
        case .shortLives:
            return "the workers end before their warm-up, the first \(LeakReport.warmUpSamples) "
                + "samples of their memory; raise max-requests or max-lifetime, or reduce memory-interval"
        case .noGrowth:
            return "no route is named: the memory of the workers does not grow by more than it "
                + "varies"
        case .withoutRequests:
            return "no route is named: the memory grows with time, also without requests; suspect "
                + "threads and timers of the program"
        case .unclear: return unclear
        case .suspects:
            let names = report.routes.filter { $0.standing == .suspect }.map(\.title)
            return names.joined(separator: " and ")
                + (names.count == 1 ? " retains" : " retain") + " memory with every request"
        }
    }

    private var gathering: String {
        "too early: \(report.observations) of about \(LeakReport.neededObservations) observations; "
            + "wait. Each takes \(LeakReport.samplesPerObservation) samples of a worker's memory, "
            + "and the first \(LeakReport.warmUpSamples) samples of a worker are its warm-up"
    }

    private var unclear: String {
        let head = "no route is named yet: the memory grows, but "
        if let route = report.routes.first, route.standing == .unsure, let rival = route.rival {
            let other = LeakReport.Route.title(of: rival)
            return head
                + "\(route.title) and \(other) explain it almost equally, because they are "
                + "requested in proportion; supervise hunt measures each alone"
        }
        return head
            + "no route explains it well enough; wait for more requests, or run supervise hunt"
    }
}

extension LeakReport.Route {
    /// The name.
    var title: String { LeakReport.Route.title(of: name) }

    static func title(of name: String?) -> String { name ?? "other routes" }
}

extension LeaksReport.Obstacle {
    /// The reason, and what to do.
    fileprivate var message: String {
        switch self {
        case .schedule: "a pool with a schedule serves no requests"
        case .noListeners: "the pool has no bind, so its requests are not visible"
        case .requestInfoOff: "request-info is off; set request-info = auto"
        case .notObserved:
            "the preload library is not loaded into this program, so its requests are not visible: "
                + "see supervise help request-info"
        case .notVisible:
            "the requests of this program are not visible, for example because it decrypts TLS itself: "
                + "see supervise help request-info"
        case .notSampled:
            "the memory of this pool is not sampled, because nothing depends on it; set warn-rss or "
                + "max-rss, and reload"
        case .memoryUnreadable:
            "the master may not read the memory of the workers: see the warning memory-unreadable in "
                + "the log"
        }
    }
}

extension ControlRefusal {
    /// 403: the resource names routes, which this address does not.
    public static let routesHidden = ControlRefusal(
        .forbidden,
        "this address names no routes of requests; use the control socket, or set status-routes = "
            + "yes")
}
