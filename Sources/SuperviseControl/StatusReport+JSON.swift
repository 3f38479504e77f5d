import SuperviseCore

/// `/status`. `supervise help schema` describes the fields; fields without a value are omitted.
extension StatusReport {
    /// The report as one JSON object with a trailing line break.
    public var json: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("schema", "supervise-status")
            json.field("version", StatusReport.schemaVersion)
            json.object("master") { write(master, to: &$0) }
            writeReload(to: &json)
            json.array("pools") { json in
                for pool in snapshot.pools { json.object { write(pool, to: &$0) } }
            }
        }
        return json.bytes + [0x0A]
    }

    private func write(_ master: Master, to json: inout JSONWriter) {
        json.field("name", master.name)
        json.field("pid", master.pid)
        json.field("version", master.version)
        json.field("state", state)
        json.field("ready", snapshot.isReady)
        json.field("generation", snapshot.generation)
        json.field("started_at_seconds", master.startedAtSeconds)
        json.field("uptime_seconds", seconds: master.uptime)
        json.field("time_seconds", seconds: TimeSpan(nanoseconds: master.wallNanoseconds))
        json.field("last_change", master.lastChange)
        json.field("memory_bytes", master.memoryBytes)
        json.field("processor_seconds", seconds: master.processorTime)
        json.field("names_routes", showsRoutes)
        json.field("events_dropped", master.eventsDropped)
        json.field("output_lines_dropped", master.outputLinesDropped)
        json.field("upgrades", master.upgradesComplete)
        json.field("upgrades_failed", master.upgradesFailed)
    }

    /// The last reload. A reload whose configuration had errors comes after a finished rollout.
    private func writeReload(to json: inout JSONWriter) {
        let isUnderWay = snapshot.rollout.map { $0.endedAt == nil } ?? false
        guard master.configurationProblems.isEmpty || isUnderWay else {
            json.object("reload") { json in
                json.field("state", "failed")
                json.array("reasons") { json in
                    for problem in master.configurationProblems { json.element(problem) }
                }
            }
            return
        }
        guard let rollout = snapshot.rollout else { return }
        json.object("reload") { json in
            json.field("generation", rollout.generation)
            json.field("state", rollout.stage.name(isStalled: isStalled))
            json.field("age_seconds", seconds: snapshot.at - rollout.begunAt)
            json.field("took_seconds", seconds: rollout.endedAt.map { $0 - rollout.begunAt })
            json.field("replaced", snapshot.pools.map(\.renewed).reduce(0, +))
            json.field("of", snapshot.pools.map(\.size).reduce(0, +))
            let reasons = rollout.stage.reasons(master.canaryOutputs)
            guard !reasons.isEmpty else { return }
            json.array("reasons") { json in for reason in reasons { json.element(reason) } }
        }
    }

    /// Whether the new workers of a rollout fail repeatedly.
    private var isStalled: Bool {
        snapshot.rollout?.stage == .rolling && snapshot.pools.contains { $0.failingSlots > 0 }
    }

    private func write(_ pool: PoolSnapshot, to json: inout JSONWriter) {
        json.field("name", pool.name)
        json.field("state", pool.isRemoved ? "removed" : pool.stage.name)
        json.field("ready", pool.isReady)
        json.field("generation", pool.generation)
        json.field("workers", pool.size)
        if let elastic = pool.elastic { write(elastic, busy(in: pool)?.workers, to: &json) }
        json.field("serving", pool.serving)
        json.field("live", pool.live)
        json.field("min_ready", pool.minReady)
        json.field("max_surge", pool.budget.surge)
        json.field("max_unavailable", pool.budget.unavailable)
        json.array("listeners") { json in
            for listener in listeners where listener.pool == pool.number {
                json.object {
                    $0.field("address", listener.address)
                    $0.field("queue", listener.waiting)
                    $0.field("queue_limit", listener.limit)
                }
            }
        }
        writeMolds(of: pool, to: &json)
        json.array("slots") { json in
            for worker in pool.workers { json.object { write(worker, to: &$0) } }
            for vacancy in pool.vacancies { json.object { write(vacancy, to: &$0) } }
        }
        if let runs = pool.runs { json.object("runs") { write(runs, to: &$0) } }
        json.object("totals") { write(pool.history, to: &$0) }
        json.array("exits") { json in
            for exit in pool.history.exits { json.object { write(exit, to: &$0) } }
        }
    }

    private func write(_ worker: WorkerSnapshot, to json: inout JSONWriter) {
        let process = process(worker.id)
        json.field("slot", worker.id.slot)
        json.field("incarnation", worker.id.incarnation)
        json.field("pid", process?.pid)
        json.field("state", "\(worker.isDraining ? "draining" : worker.state.name)")
        if case .retiring(let cause) = worker.state { json.field("cause", cause.name) }
        json.field("connections", worker.connections)
        json.field("due", worker.due?.name)
        if worker.isReplacement { json.field("replacement", true) }
        if worker.isHunted { json.field("hunted", true) }
        write(worker.facts, to: &json)
        json.field("own_bytes", process?.forked?.ownBytes)
        json.field("shared_bytes", process?.forked?.sharedBytes)
        json.field("boot_seconds", seconds: worker.bootTime)
        json.field("lifetime_limit_seconds", seconds: worker.lifetimeLimit)
        json.field("memory_limit_bytes", worker.memoryLimitBytes)
        json.field("memory_limit_in_seconds", seconds: worker.timeToMemoryLimit)
        let requests = requests(worker.id)
        if let areVisible = requests.areVisible { json.field("requests_visible", areVisible) }
        write(requests.inFlight, as: "current", to: &json)
        json.field("status", process?.text)
    }

    private func write(
        _ requests: RequestsInFlight?, as key: StaticString, to json: inout JSONWriter
    ) {
        guard let requests else { return }
        json.object(key) { json in
            if showsRoutes { json.field("route", requests.route) }
            json.field("age_seconds", seconds: requests.age)
            json.field("count", requests.count)
        }
    }

    private func write(_ facts: WorkerFacts, to json: inout JSONWriter) {
        json.field("generation", facts.generation)
        json.field("age_seconds", seconds: facts.age)
        json.field("requests", facts.requests)
        json.field("requests_unit", facts.unit?.rawValue)
        json.field("request_limit", facts.requestLimit)
        json.field(
            "requests_left",
            facts.requestLimit.map { $0 > facts.requests ? $0 - facts.requests : 0 })
        json.field("memory_bytes", facts.memoryBytes)
        json.field("growth_bytes_per_request", decimal: facts.growth?.bytesPerRequest)
        json.field("growth_bytes_per_hour", facts.growth?.bytesPerHour)
    }

    private func write(_ vacancy: PoolSnapshot.Vacancy, to json: inout JSONWriter) {
        json.field("slot", vacancy.slot)
        switch vacancy.reason {
        case .waiting: json.field("state", "waiting")
        case .backingOff(let failures, let span):
            json.field("state", "backoff")
            json.field("failures", failures)
            json.field("starts_in_seconds", seconds: span)
        case .awaitingRun: json.field("state", "scheduled")
        case .done(let failed): json.field("state", failed ? "failed" : "finished")
        }
    }

    private func write(_ history: History, to json: inout JSONWriter) {
        json.field("starts", history.starts)
        json.field("start_failures", history.startFailures)
        json.field("boots", history.boots)
        json.field("boot_seconds", seconds: history.bootTime)
        json.field("requests", history.requests)
        json.field("connections", history.connections)
        json.field("kills", history.kills)
        json.field("backoffs", history.backoffs)
        json.field("memory_alarms", history.memoryAlarms)
        json.field("stuck_requests", history.stuckRequests)
        json.object("exits") { json in
            for entry in history.exitCounts { json.field(named: entry.cause, entry.count) }
        }
    }

    func write(_ status: ExitStatus, to json: inout JSONWriter) {
        switch status {
        case .code(let code): json.field("status", code)
        case .signal(let signal): json.field("signal", signal.description)
        case .outOfMemory: json.field("signal", "KILL")
        }
    }

    private func write(_ exit: ExitRecord, to json: inout JSONWriter) {
        json.field("slot", exit.id.slot)
        json.field("incarnation", exit.id.incarnation)
        json.field("pid", process(exit.id)?.pid)
        json.field("ago_seconds", seconds: snapshot.at - exit.at)
        json.field("cause", exit.cause)
        write(exit.status, to: &json)
        write(exit.facts, to: &json)
        write(exit.facts.during, as: "during", to: &json)
        json.field("boot_seconds", seconds: exit.bootTime)
        guard let output = process(exit.id)?.finalOutput else { return }
        json.array("output") { json in
            let lines = output.utf8.split(
                separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            for line in lines { json.element(String(Substring(line))) }
        }
    }
}

extension RolloutRecord.Stage {
    func name(isStalled: Bool) -> String {
        switch self {
        case .trial: "canary"
        case .rolling: isStalled ? "stalled" : "rolling"
        case .complete: "complete"
        case .aborted(let failures): failures.isEmpty ? "superseded" : "aborted"
        case .stopped: "stopped"
        }
    }

    /// The reasons of an aborted rollout.
    func reasons(_ outputs: [String: String]) -> [String] {
        guard case .aborted(let failures) = self else { return [] }
        return failures.map {
            "pool \($0.pool): the first new worker \($0.reason.text)".with(outputs[$0.pool])
        }
    }
}
