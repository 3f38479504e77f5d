import SuperviseCore

/// `/history`: the recent figures of all pools, and the recent changes of the service. `supervise help
/// schema` describes the fields.
public struct HistoryReport {
    /// The schema version. It changes when a field is removed or changes its meaning, but not for new
    /// fields.
    public static let schemaVersion = 1

    /// A pool with its figures.
    public struct Pool {
        /// The name.
        public var name: String
        /// Whether the current configuration lacks it.
        public var isRemoved: Bool
        /// The figures.
        public var series: PoolSeries

        /// Creates a pool.
        public init(name: String, isRemoved: Bool, series: PoolSeries) {
            self.name = name
            self.isRemoved = isRemoved
            self.series = series
        }
    }

    /// The start of the master, to which all times refer.
    public var startedAt: Instant
    /// The time of the report.
    public var at: Instant
    /// The pools, in the order of the status.
    public var pools: [Pool]
    /// The changes, oldest first: one JSON object each.
    public var changes: [[UInt8]]

    /// Creates a report of these parts.
    public init(startedAt: Instant, at: Instant, pools: [Pool], changes: [[UInt8]]) {
        self.startedAt = startedAt
        self.at = at
        self.pools = pools
        self.changes = changes
    }

    /// The report as one JSON object with a trailing line break. Points are omitted if the master was
    /// not older than `since` seconds.
    public func json(since: Int = 0) -> [UInt8] {
        let first = startedAt + (since > 0 ? .seconds(Int64(since)) : .seconds(-1))
        var json = JSONWriter()
        json.object { json in
            json.field("schema", "supervise-history")
            json.field("version", HistoryReport.schemaVersion)
            json.field("uptime_seconds", seconds: at - startedAt)
            json.field("interval_seconds", seconds: PoolSeries.interval)
            json.array("pools") { json in
                for pool in pools {
                    json.object { json in
                        json.field("name", pool.name)
                        if pool.isRemoved { json.field("removed", true) }
                        write(pool.series.points.filter { $0.at > first }, to: &json)
                    }
                }
            }
            json.array("changes") { json in
                for change in changes { json.element(json: change) }
            }
        }
        return json.bytes + [0x0A]
    }

    private func write(_ points: [PoolSeries.Point], to json: inout JSONWriter) {
        json.array("at_seconds") { json in
            for point in points { json.element(seconds: point.at - startedAt) }
        }
        let columns: [(StaticString, (PoolSeries.Point) -> UInt64?)] = [
            ("workers", { UInt64(clamping: $0.workers) }),
            ("ready", { UInt64(clamping: $0.ready) }),
            ("exits", { $0.exits }),
            ("memory_bytes", { $0.memoryBytes }),
            ("largest_bytes", { $0.largestBytes }),
            ("requests", { $0.requests }),
            ("waiting", { $0.waiting }),
        ]
        for (name, figure) in columns {
            json.array(name) { json in
                for point in points { json.element(figure(point)) }
            }
        }
    }
}
