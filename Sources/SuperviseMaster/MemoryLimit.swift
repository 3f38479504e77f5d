import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The base of memory percentages.
struct MemoryLimit {
    let bytes: UInt64
    /// Whether a control group determines it, and not the machine.
    let isOfCgroup: Bool

    /// Returns the tightest limit of the control group and its ancestors, or the machine's memory
    /// if that is less.
    static func ofThisProcess(_ cgroup: Cgroup = .ofThisProcess()) -> MemoryLimit {
        let machine = MachineMemory.totalBytes()
        guard let limit = cgroup.memoryLimitBytes(), limit < machine else {
            return MemoryLimit(bytes: machine, isOfCgroup: false)
        }
        return MemoryLimit(bytes: limit, isOfCgroup: true)
    }

    /// Returns the bytes of a configuration's percentages on this machine, for `check`; empty if
    /// there are none.
    func explain(_ configuration: Configuration) -> String {
        var pools = configuration.pools.map { pool in
            var policy = pool.policy
            if pool.workers == .auto { policy.workers = Processors.allowed() }
            policy.memoryLimitBytes = bytes
            return (name: pool.name, policy: policy)
        }
        guard pools.contains(where: \.policy.hasMemoryPercentages) else { return "" }
        let count = PoolPolicy.workersAtOnce(pools.map { ($0.policy, $0.policy.workers) })
        var text = """

            # Percentages of memory refer to \(bytes) bytes (\(isOfCgroup ? "cgroup" : "machine")), shared by \
            \(count) workers (including max-surge):

            """
        for index in pools.indices {
            pools[index].policy.shareMemory(amongWorkers: count)
            let policy = pools[index].policy
            let caps = [
                ("warn-rss", policy.warnRSS, policy.warnRSSBytes),
                ("max-rss", policy.maxRSS, policy.maxRSSBytes),
                ("kill-rss", policy.killRSS, policy.killRSSBytes),
                ("max-pool-rss", policy.maxPoolRSS, policy.maxPoolRSSBytes),
            ]
            for case (let key, .percent(let percent), let bytes?) in caps {
                text += "# \(pools[index].name): \(key) = \(percent)% is \(bytes) bytes\n"
            }
        }
        return text
    }
}
