import SuperviseCore

/// The number of workers of elastic pools, and the busy ones of all pools.
extension StatusReport {
    /// The busy workers of a pool and their requests; nil if its requests are not visible: a zero
    /// would look like an idle pool.
    func busy(in pool: PoolSnapshot) -> (workers: Int, requests: Int)? {
        let all = pool.workers.map { requests($0.id) }
        guard all.contains(where: { $0.areVisible == true }) else { return nil }
        let counts = all.map { $0.inFlight?.count ?? 0 }
        return (counts.count { $0 > 0 }, counts.reduce(0, +))
    }

    func write(_ elastic: ElasticSnapshot, _ busy: Int?, to json: inout JSONWriter) {
        json.field("min_workers", elastic.bounds.minimum)
        json.field("max_workers", elastic.bounds.maximum)
        json.field("busy_workers", busy)
        json.field("demand_workers", decimal: elastic.demand)
        json.field("scale_blocked", elastic.blocked?.rawValue)
    }

    func writeScaling(to text: inout MetricsText) {
        let pools = snapshot.pools.compactMap { pool in pool.elastic.map { (pool, $0) } }
        guard !pools.isEmpty else { return }
        let gauges: [(StaticString, StaticString, (ElasticSnapshot) -> Int)] = [
            (
                "supervise_pool_min_workers", "Smallest number of workers of an elastic pool.",
                { $0.bounds.minimum }
            ),
            (
                "supervise_pool_max_workers", "Largest number of workers of an elastic pool.",
                { $0.bounds.maximum }
            ),
        ]
        for (name, help, value) in gauges {
            text.family(name, .gauge, help)
            for (pool, elastic) in pools {
                text.sample(("pool", pool.name), number: value(elastic))
            }
        }
        text.family(
            "supervise_pool_scale_blocked", .gauge,
            "Whether an elastic pool needs workers and does not get them, by reason.")
        for (pool, elastic) in pools {
            for block in ScaleBlock.allCases {
                text.sample(
                    ("pool", pool.name), ("by", block.rawValue),
                    number: elastic.blocked == block ? 1 : 0)
            }
        }
        let counters: [(StaticString, StaticString, (ScaleHistory) -> UInt64)] = [
            (
                "supervise_pool_scale_ups_total", "Times that workers were added for the load.",
                { $0.ups }
            ),
            (
                "supervise_pool_scale_downs_total",
                "Times that a worker was removed because fewer sufficed.", { $0.downs }
            ),
            (
                "supervise_pool_scale_blocks_total",
                "Times that workers were needed and not added.", { $0.blocks }
            ),
        ]
        for (name, help, value) in counters {
            text.family(name, .counter, help)
            for (pool, _) in pools {
                text.sample(("pool", pool.name), number: value(pool.history.scaling))
            }
        }
    }
}
