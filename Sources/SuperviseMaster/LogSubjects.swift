import SuperviseCore
import SuperviseSettings

/// The beginnings of lines about pools and workers, with their names and numbers.
struct LogSubjects {
    /// Returns the name of a pool by its number.
    let poolName: (Int) -> String
    /// Returns the process of a worker while it exists.
    let pid: (WorkerID) -> Int32?
    /// The process of a mold, as long as there is one.
    let moldPID: (MoldID) -> Int32?
    /// Whether a worker got SIGKILL from us.
    let wasKilled: (WorkerID) -> Bool
    /// Returns the current settings of a pool by its number.
    let policy: (Int) -> PoolPolicy?
    /// Returns the `boot-attempts` of all pools, if they are equal.
    let bootAttempts: () -> Int?

    func line(
        _ level: LogLevel, _ event: String, _ pool: Int, slot: Int? = nil
    ) -> LogLine {
        LogLine(level, event).with("pool", poolName(pool)).with("slot", slot)
    }

    /// Returns the sender of the SIGKILL that ended a worker.
    func killer(of id: WorkerID, _ status: ExitStatus) -> String? {
        switch status {
        case .outOfMemory: "kernel"
        case .signal(.kill): wasKilled(id) ? "supervise" : "other"
        case .signal, .code: nil
        }
    }

    func line(_ level: LogLevel, _ event: String, _ id: WorkerID) -> LogLine {
        line(level, event, id.pool, slot: id.slot).with("pid", pid(id))
    }
}

extension RecycleCause {
    /// Returns the cap for a memory cause.
    func limitBytes(by policy: PoolPolicy) -> UInt64? {
        switch self {
        // kill-rss if it was lowered below max-rss.
        case .memory: [policy.maxRSSBytes, policy.killRSSBytes].compactMap { $0 }.min()
        case .poolMemory: policy.maxPoolRSSBytes
        case .pressure: policy.memoryLimitBytes
        case .requests, .lifetime, .requestTimeout, .requested, .operator, .reload: nil
        }
    }
}
