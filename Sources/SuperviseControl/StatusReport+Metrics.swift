import SuperviseCore

/// `/metrics` in the Prometheus text format, named by its conventions: base units, `_total` for
/// counters. A worker is identified by its slot, not by its process, so recycling creates no new series.
extension StatusReport {
    /// The report as metrics.
    public var metrics: [UInt8] {
        var text = MetricsText()
        writeMaster(to: &text)
        writePools(to: &text)
        writeHistories(to: &text)
        writeBootTimes(to: &text)
        writeExits(to: &text)
        writeWorkers(to: &text)
        writeMolds(to: &text)
        writeRuns(to: &text)
        writeScaling(to: &text)
        return text.bytes
    }

    private func writeMaster(to text: inout MetricsText) {
        text.family(
            "supervise_build_info", .gauge,
            "Constant 1, labelled by the version and name of the master.")
        text.sample(("version", master.version), ("name", master.name), number: 1)
        text.single(
            "supervise_start_time_seconds", .gauge,
            "Start time of the master in seconds since the Unix epoch.",
            master.startedAtSeconds)
        text.single(
            "supervise_ready", .gauge,
            "Whether every pool has its minimum number of ready workers.",
            snapshot.isReady ? 1 : 0)
        text.single(
            "supervise_generation", .gauge, "Current generation of the settings.",
            snapshot.generation)
        text.family("supervise_reloads_total", .counter, "Finished reloads, by result.")
        text.sample(("result", "complete"), number: master.reloadsComplete)
        text.sample(("result", "aborted"), number: master.reloadsAborted)
        text.sample(("result", "failed"), number: master.reloadsFailed)
        text.family("supervise_upgrades_total", .counter, "Upgrades in place, by result.")
        text.sample(("result", "complete"), number: master.upgradesComplete)
        text.sample(("result", "failed"), number: master.upgradesFailed)
        text.single(
            "supervise_events_dropped_total", .counter,
            "Events dropped because a reader was too slow.",
            master.eventsDropped)
        text.single(
            "supervise_output_lines_dropped_total", .counter,
            "Output lines of workers dropped because stderr was too slow.",
            master.outputLinesDropped)
        text.single(
            "supervise_clients", .gauge, "Connections to the control socket and status-bind.",
            master.clients)
        if let bytes = master.memoryBytes {
            text.single(
                "process_resident_memory_bytes", .gauge, "Resident memory of the master.", bytes)
        }
        if let time = master.processorTime {
            text.family(
                "process_cpu_seconds_total", .counter, "Processor time of the master.")
            text.sample(seconds: time)
        }
    }

    private func writePools(to text: inout MetricsText) {
        let gauges: [(StaticString, StaticString, (PoolSnapshot) -> Int)] = [
            ("supervise_pool_size", "Configured number of workers.", { $0.size }),
            (
                "supervise_pool_serving_workers", "Ready workers that are not being stopped.",
                { $0.serving }
            ),
            (
                "supervise_pool_live_workers",
                "Workers with a process, including those being stopped.",
                { $0.live }
            ),
            (
                "supervise_pool_promised_workers", "Minimum number of ready workers.",
                { $0.minReady }
            ),
            (
                "supervise_pool_renewed_workers", "Ready workers of the current generation.",
                { $0.renewed }
            ),
            (
                "supervise_pool_ready", "Whether the pool has its minimum number of ready workers.",
                { $0.isReady ? 1 : 0 }
            ),
            (
                "supervise_pool_failing_slots", "Slots whose workers fail repeatedly.",
                { $0.failingSlots }
            ),
        ]
        for (name, help, value) in gauges {
            text.family(name, .gauge, help)
            for pool in snapshot.pools { text.sample(("pool", pool.name), number: value(pool)) }
        }
        text.family(
            "supervise_accept_queue_connections", .gauge, "Connections that wait to be accepted.")
        for (listener, pool) in namedListeners {
            guard let waiting = listener.waiting else { continue }
            text.sample(("pool", pool), ("address", listener.address), number: waiting)
        }
        text.family(
            "supervise_accept_queue_limit_connections", .gauge, "Length of the accept queue.")
        for (listener, pool) in namedListeners {
            guard let limit = listener.limit else { continue }
            text.sample(("pool", pool), ("address", listener.address), number: limit)
        }
    }

    private var namedListeners: [(Listener, String)] {
        listeners.compactMap { listener in
            snapshot.pools.first { $0.number == listener.pool }.map { (listener, $0.name) }
        }
    }

    private func writeHistories(to text: inout MetricsText) {
        let counters: [(StaticString, StaticString, (History) -> UInt64)] = [
            ("supervise_worker_starts_total", "Worker processes started.", { $0.starts }),
            (
                "supervise_worker_start_failures_total", "Workers that could not be started.",
                { $0.startFailures }
            ),
            (
                "supervise_worker_kills_total", "Workers killed because they did not stop in time.",
                { $0.kills }
            ),
            (
                "supervise_worker_backoffs_total", "Starts delayed after failures.",
                { $0.backoffs }
            ),
            (
                "supervise_memory_alarms_total", "Workers above a memory cap before min-lifetime.",
                { $0.memoryAlarms }
            ),
            (
                "supervise_stuck_requests_total",
                "Requests without a response within request-timeout.", { $0.stuckRequests }
            ),
        ]
        for (name, help, value) in counters {
            text.family(name, .counter, help)
            for pool in snapshot.pools {
                text.sample(("pool", pool.name), number: value(pool.history))
            }
        }
        text.family(
            "supervise_requests_total", .counter,
            """
            Requests served, by unit: requests that workers reported or the preload library saw, \
            or connections that the library counted, each of which may carry many requests.
            """)
        for pool in snapshot.pools {
            let history = pool.history
            text.sample(
                ("pool", pool.name), ("unit", CountUnit.requests.rawValue),
                number: history.requests - history.connections)
            text.sample(
                ("pool", pool.name), ("unit", CountUnit.connections.rawValue),
                number: history.connections)
        }
        text.family("supervise_worker_boot_seconds", .summary, "Time from start to readiness.")
        for pool in snapshot.pools {
            text.sample(suffix: "_sum", ("pool", pool.name), seconds: pool.history.bootTime)
            text.sample(suffix: "_count", ("pool", pool.name), number: pool.history.boots)
        }
    }

    /// Causes that are reported before they first occur, so that rates are correct from the start.
    private static let usualCauses: [String] =
        RecycleCause.allCases.map(\.name)
        + [Ending.finished, .crashed, .bootFailed].map { $0.name(.code(1)) }
        + [Ending.crashed.name(.outOfMemory)]
        + [RetireCause.killMemory, .watchdog, .stalled, .bootTimeout].map(\.name)

    private func writeExits(to text: inout MetricsText) {
        text.family("supervise_worker_exits_total", .counter, "Worker exits, by cause.")
        for pool in snapshot.pools {
            let seen = pool.history.exitCounts
            for entry in seen {
                text.sample(("pool", pool.name), ("cause", entry.cause), number: entry.count)
            }
            for cause in StatusReport.usualCauses where !seen.contains(where: { $0.cause == cause })
            {
                text.sample(("pool", pool.name), ("cause", cause), number: 0)
            }
        }
    }

    private func writeWorkers(to text: inout MetricsText) {
        text.family(
            "supervise_worker_start_time_seconds", .gauge,
            "Start time of the slot's worker in seconds since the Unix epoch.")
        forEachIncumbent { pool, worker in
            let sinceStart =
                (master.uptime.nanoseconds - worker.facts.age.nanoseconds) / 1_000_000_000
            let since = master.startedAtSeconds + sinceStart
            text.sample(pool, slot: worker.id.slot, since)
        }
        text.family(
            "supervise_worker_requests_total", .counter,
            "Requests served by the slot's worker, by unit; resets when it is replaced.")
        forEachIncumbent {
            text.sample(
                $0, slot: $1.id.slot, unit: $1.facts.unit ?? .requests, $1.facts.requests)
        }
        text.family(
            "supervise_worker_memory_bytes", .gauge, "Memory of the slot's worker.")
        forEachIncumbent { pool, worker in
            guard let bytes = worker.facts.memoryBytes else { return }
            text.sample(pool, slot: worker.id.slot, bytes)
        }
        text.family(
            "supervise_worker_memory_limit_bytes", .gauge,
            "Memory above which the slot's worker is recycled.")
        forEachIncumbent { pool, worker in
            guard let bytes = worker.memoryLimitBytes else { return }
            text.sample(pool, slot: worker.id.slot, bytes)
        }
        writeSaturation(to: &text)
        writeRequestTimes(to: &text)
    }

    /// Pools whose requests are not visible have no figures.
    private func writeSaturation(to text: inout MetricsText) {
        let busy = snapshot.pools.compactMap { pool in
            self.busy(in: pool).map {
                (name: pool.name, workers: $0.workers, requests: $0.requests)
            }
        }
        text.family(
            "supervise_pool_busy_workers", .gauge, "Workers with a request in flight.")
        for pool in busy { text.sample(("pool", pool.name), number: pool.workers) }
        text.family("supervise_pool_requests_in_flight", .gauge, "Requests in flight.")
        for pool in busy { text.sample(("pool", pool.name), number: pool.requests) }
        text.family(
            "supervise_worker_growth_bytes", .gauge,
            "Growth of the memory of the slot's worker per request.")
        forEachIncumbent { pool, worker in
            guard let bytes = worker.facts.growth?.bytesPerRequest else { return }
            text.sample(pool, slot: worker.id.slot, Int64(bytes.rounded()))
        }
        text.family(
            "supervise_worker_cpu_seconds_total", .counter,
            "Processor time of the slot's worker, without its children; resets when it is replaced."
        )
        forEachIncumbent { pool, worker in
            guard let time = processorTime(worker.id) else { return }
            text.sample(pool, slot: worker.id.slot, seconds: time)
        }
    }

    /// Visits the incumbent of each slot, not its replacement nor workers being stopped.
    func forEachIncumbent(_ body: (String, WorkerSnapshot) -> Void) {
        for pool in snapshot.pools {
            for worker in pool.workers where !worker.isReplacement && worker.state.isKept {
                body(pool.name, worker)
            }
        }
    }
}

extension WorkerSnapshot.State {
    fileprivate var isKept: Bool {
        switch self {
        case .starting, .booting, .ready: true
        case .retiring, .outlived: false
        }
    }
}
