import SuperviseCore

extension Format where Value == Schedule {
    static let schedule = Format(
        "TIMES", allowed: "five cron fields such as */5 * * * *, @hourly, or every 10m",
        words: ["@hourly", "@daily", "@weekly", "@monthly", "@yearly"]
    ) { text throws(ValueFault) in
        do throws(ScheduleFault) {
            return try Schedule(text)
        } catch {
            throw .schedule(text, error)
        }
    } print: {
        $0.description
    }
}

extension Format where Value == ScheduleTimeZone {
    static let scheduleTimeZone = Format(
        "local|UTC", allowed: "local or UTC; for another zone, set TZ in the master's environment",
        words: ["local", "UTC"]
    ) { text throws(ValueFault) in
        switch text.lowercased() {
        case "local": return .local
        case "utc": return .utc
        default: throw .malformed(text, noun: "a time zone of schedules")
        }
    } print: {
        $0.rawValue
    }
}

extension PoolSettings {
    /// The settings with one worker and without a mold if there is a schedule, because both may be
    /// defaults that all pools share.
    var withOneRun: PoolSettings {
        guard schedule != nil else { return self }
        var pool = self
        pool.workers = .count(1)
        pool.mold = .off
        return pool
    }
}

extension Validation {
    /// Checks the settings of a pool with a schedule, and those that need one.
    mutating func checkSchedule(_ draft: PoolDraft) {
        let pool = draft.settings
        guard let schedule = pool.schedule else {
            for key in ["schedule-timezone", "overlap"]
            where draft.sources[key] != nil && !faultyKeys.contains("schedule") {
                warnOfIdle(draft, key, "has no effect without schedule")
            }
            return
        }
        if !pool.binds.isEmpty {
            report(draft, ["schedule", "bind"], "conflicts with bind; use a pool of its own")
        }
        if pool.workers != .count(1), !draft.sharedKeys.contains("workers") {
            report(
                draft, ["schedule", "workers"],
                "conflicts with workers (\(pool.writtenValue(of: "workers") ?? "")); a pool with a "
                    + "schedule has one run at a time: set workers = 1 in its section")
        }
        if pool.mold != .off, !draft.sharedKeys.contains("mold") {
            report(draft, ["schedule", "mold"], "conflicts with mold, whose process always runs")
        }
        let idle = [
            "restart", "ready", "max-requests", "max-surge", "max-unavailable", "stall-timeout",
        ]
        for key in idle where draft.sources[key] != nil {
            warnOfIdle(draft, key, "has no effect because the pool has a schedule")
        }
        if schedule.interval != nil, draft.sources["schedule-timezone"] != nil {
            warnOfIdle(draft, "schedule-timezone", "has no effect because schedule is an interval")
        }
        if pool.policy.maxLifetime == nil, !faultyKeys.contains("max-lifetime") {
            warnings.append(
                SettingsProblem(
                    source: draft.source(of: "schedule"), key: "schedule",
                    message:
                        "max-lifetime is off, so a run that hangs prevents all later ones; set "
                        + "it in the section of the pool"))
        }
    }
}
