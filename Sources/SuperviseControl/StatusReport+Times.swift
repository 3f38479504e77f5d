import SuperviseCore

/// The metrics of the times that boots and requests take.
extension StatusReport {
    /// The bounds of `BootHistogram` in seconds, as Prometheus writes them.
    static let bootBounds = [
        "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "30.0", "60.0", "120.0", "300.0",
    ]

    func writeBootTimes(to text: inout MetricsText) {
        text.family("supervise_pool_boot_seconds", .histogram, "Time from start to readiness.")
        for pool in snapshot.pools { writeBootTimes(of: pool, to: &text) }
    }

    private func writeBootTimes(of pool: PoolSnapshot, to text: inout MetricsText) {
        let history = pool.history
        var sum: UInt64 = 0
        for (bound, count) in zip(StatusReport.bootBounds, history.bootTimes.counts) {
            sum += count
            text.sample(suffix: "_bucket", ("pool", pool.name), ("le", bound), number: sum)
        }
        text.sample(
            suffix: "_bucket", ("pool", pool.name), ("le", "+Inf"), number: history.boots)
        text.sample(suffix: "_sum", ("pool", pool.name), seconds: history.bootTime)
        text.sample(suffix: "_count", ("pool", pool.name), number: history.boots)
    }

    func writeRequestTimes(to text: inout MetricsText) {
        text.family(
            "supervise_worker_busy_seconds_total", .counter,
            "Time that the requests of the slot's worker took, summed; resets when it is replaced.")
        forEachIncumbent { pool, worker in
            guard let time = requestTime(worker.id) else { return }
            text.sample(pool, slot: worker.id.slot, seconds: time)
        }
    }
}
