import SuperviseCore

extension Validation {
    /// Checks the settings of an elastic pool, and those that only an elastic pool uses.
    mutating func checkScaling(_ draft: PoolDraft) {
        let pool = draft.settings
        guard case .range(let range) = pool.workers else {
            for key in ["scale-up-after", "scale-down-after", "scale-by"]
            where draft.sources[key] != nil && !faultyKeys.contains("workers") {
                warnOfIdle(draft, key, "has no effect because workers is not a range")
            }
            return
        }
        // A pool with a schedule has one worker, or the conflict was reported.
        guard pool.schedule == nil else { return }
        let written = WorkerRange.print(range)
        if pool.binds.isEmpty, !receivesSockets, !faultyKeys.contains("bind") {
            report(
                draft, ["workers"],
                "\(written) requires a bind, because the connections that wait there determine the "
                    + "number of workers; allowed without a bind: a number, or auto")
        }
        let caps = [
            ("max-rss", pool.policy.maxRSS), ("kill-rss", pool.policy.killRSS),
            ("warn-rss", pool.policy.warnRSS),
        ]
        for case (let key, .percent(let percent)?) in caps {
            report(
                draft, [key, "workers"],
                "\(percent)% conflicts with workers = \(written), because a worker's share would "
                    + "be that of the largest pool; allowed: a size such as 512M")
        }
        if pool.policy.restart != .always {
            report(
                draft, ["restart", "workers"],
                "\(pool.policy.restart.rawValue) conflicts with workers = \(written), because "
                    + "slots are reused; allowed: always")
        }
    }
}
