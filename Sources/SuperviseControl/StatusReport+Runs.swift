import SuperviseCore

/// The runs of pools with a schedule.
extension StatusReport {
    func write(_ runs: RunSnapshot, to json: inout JSONWriter) {
        json.field("schedule", runs.schedule)
        json.field(
            "next_in_seconds", seconds: runs.next.map { max(.zero, $0.at - snapshot.at) })
        json.field("next_at_seconds", runs.next.map(wallSeconds(of:)))
        json.field("running", runs.isRunning)
        json.field("queued", runs.isQueued)
        json.field("skipped", runs.history.skips)
        json.field("duration_seconds", seconds: runs.history.duration)
        json.object("outcomes") { json in
            for outcome in RunOutcome.allCases {
                json.field(named: outcome.rawValue, runs.history[outcome])
            }
        }
        json.field("last_success_at_seconds", runs.history.lastSuccessAt.map(wallSeconds(of:)))
        guard let last = runs.history.last else { return }
        json.object("last") { json in
            json.field("outcome", last.outcome.rawValue)
            json.field("cause", last.cause)
            if let status = last.status { write(status, to: &json) }
            json.field("trigger", last.trigger.rawValue)
            json.field("pid", process(last.id)?.pid)
            json.field("ago_seconds", seconds: snapshot.at - last.endedAt)
            json.field("duration_seconds", seconds: last.duration)
        }
    }

    func writeRuns(to text: inout MetricsText) {
        let pools = snapshot.pools.compactMap { pool in
            pool.runs.map { (name: pool.name, runs: $0) }
        }
        guard !pools.isEmpty else { return }
        text.family("supervise_job_runs_total", .counter, "Runs that ended, by outcome.")
        for pool in pools {
            for outcome in RunOutcome.allCases {
                text.sample(
                    ("pool", pool.name), ("outcome", outcome.rawValue),
                    number: pool.runs.history[outcome])
            }
        }
        text.family(
            "supervise_job_skips_total", .counter, "Runs that were due and did not take place.")
        for pool in pools { text.sample(("pool", pool.name), number: pool.runs.history.skips) }
        text.family("supervise_job_running", .gauge, "Whether a run is in progress.")
        for pool in pools {
            text.sample(("pool", pool.name), number: pool.runs.isRunning ? 1 : 0)
        }
        text.family("supervise_job_duration_seconds", .summary, "Duration of the runs that ended.")
        for pool in pools {
            text.sample(
                suffix: "_sum", ("pool", pool.name), seconds: pool.runs.history.duration)
            text.sample(suffix: "_count", ("pool", pool.name), number: pool.runs.history.ended)
        }
        text.family(
            "supervise_job_last_duration_seconds", .gauge, "Duration of the last run that ended.")
        for pool in pools {
            guard let last = pool.runs.history.last else { continue }
            text.sample(("pool", pool.name), seconds: last.duration)
        }
        text.family(
            "supervise_job_last_success_timestamp_seconds", .gauge,
            "End of the last successful run in seconds since the Unix epoch.")
        for pool in pools {
            guard let at = pool.runs.history.lastSuccessAt else { continue }
            text.sample(("pool", pool.name), number: wallSeconds(of: at))
        }
        text.family(
            "supervise_job_next_timestamp_seconds", .gauge,
            "Time of the next run in seconds since the Unix epoch.")
        for pool in pools {
            guard let next = pool.runs.next else { continue }
            text.sample(("pool", pool.name), number: wallSeconds(of: next))
        }
    }

    private func wallSeconds(of run: PlannedRun) -> Int64 {
        run.wallSeconds ?? wallSeconds(of: run.at)
    }

    /// The time of day at a point of the monotonic clock, to the nearest second.
    private func wallSeconds(of instant: Instant) -> Int64 {
        let nanoseconds = master.wallNanoseconds + (instant - snapshot.at).nanoseconds
        return (nanoseconds + 500_000_000) / 1_000_000_000
    }
}
