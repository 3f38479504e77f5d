import SuperviseCore

extension Format where Value == TimeSpan {
    fileprivate static let scaleTime = duration(
        atLeast: .milliseconds(10), allowed: "a duration of 10ms or more, such as 250ms or 5m")
}

extension Setting {
    /// When the number of workers of an elastic pool changes.
    static let scaling = [
        Setting(
            "scale-up-after", in: .workers,
            .pool(.value(\.policy.scaleUpAfter, .scaleTime)), reload: .live,
            summary: "Waiting time of connections that adds workers",
            details: """
                For a pool with workers = A..B. The waiting time is estimated as the mean length \
                of the accept queue in the last second, divided by the connections accepted per \
                second. If it exceeds this time, as many workers start as the load of that second \
                needs, at most doubling their number per second. Booting workers count. If \
                connections wait this long and none is accepted, one more worker starts. No \
                worker starts that would not fit below max-pool-rss and the memory limit: a \
                scale-blocked event reports it. Example: scale-up-after = 250ms.
                """),
        Setting(
            "scale-down-after", in: .workers,
            .pool(.value(\.policy.scaleDownAfter, .scaleTime)), reload: .live,
            summary: "Time with too many workers after which one is stopped",
            details: """
                For a pool with workers = A..B. If fewer workers would have sufficed for this \
                long, the worker with the most memory is drained and stopped, one at a time. \
                After workers were added, none is stopped for this long. Example: \
                scale-down-after = 5m.
                """),
        Setting(
            "scale-by", in: .workers,
            .pool(.value(\.policy.scaleBy, .word("a measure", placeholder: "requests|cpu"))),
            reload: .live,
            summary: "Measure of how busy workers are",
            details: """
                requests: a worker is busy while it has a request in flight. Idle connections do \
                not count. For workers that serve one request at a time. If the requests of a \
                worker are not visible (see request-info), its CPU time counts instead. cpu: a \
                worker is as busy as the CPU time of its processes shows. For event loops and \
                workers with many threads, which accept connections before they have time for \
                them: if they use more than 80 % of one CPU each, workers are added, so the pool \
                is sampled every second. Example: scale-by = cpu.
                """),
    ]
}
