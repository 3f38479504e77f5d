extension Setting {
    static let memory = [
        Setting(
            "max-rss", in: .recycling,
            .pool(.value(\.policy.maxRSS, .memoryCapOrOff)), reload: .live,
            summary: "Recycle a worker whose memory is past this size",
            details: """
                A soft cap: the worker is replaced first and then asked to stop, so it loses no \
                request. Memory is the resident set, of the worker and its descendants (see \
                memory-scope). A percentage is of the tightest memory limit of the control group, \
                else of the machine, shared by all workers of all pools with those of max-surge; \
                check prints the bytes. Where a replacement would not fit beside the old worker, \
                the old one stops first. Example: max-rss = 512M.
                """),
        Setting(
            "kill-rss", in: .recycling,
            .pool(.value(\.policy.killRSS, .memoryCapOrOff)), reload: .live,
            summary: "Kill a worker whose memory is past this size",
            details: """
                A hard cap for workers that grow faster than they can be replaced: SIGKILL at \
                once, then a new worker. Requests in flight are lost. Must not be below max-rss. \
                Percentages are as those of max-rss. Example: kill-rss = 1G.
                """),
        Setting(
            "max-pool-rss", in: .recycling,
            .pool(.value(\.policy.maxPoolRSS, .memoryCapOrOff)), reload: .live,
            summary: "Recycle the largest worker when all use more than this",
            details: """
                A cap for all workers of the pool together: past it the largest one that has grown \
                since it settled (see min-lifetime) is recycled, and the next only when the memory \
                of the last one is back. A percentage is of the whole memory limit, not of a \
                worker's share. Example: max-pool-rss = 2G.
                """),
        Setting(
            "memory-metric", in: .recycling,
            .pool(.value(\.memoryMetric, .word("a metric", placeholder: "METRIC"))),
            reload: .newWorkers,
            summary: "What counts as memory",
            details: """
                rss: the resident set, in which pages shared by several processes count for each. \
                pss: shared pages are divided among those who share them. uss: only pages of the \
                process alone. The exact figures take the kernel a while, so they are read only \
                once the resident set is past a cap; below it the resident set is shown. \
                Example: memory-metric = pss, for workers that are forked from a large parent.
                """),
        Setting(
            "memory-scope", in: .recycling,
            .pool(.value(\.memoryScope, .word("a scope", placeholder: "SCOPE"))),
            reload: .newWorkers,
            summary: "Whether a worker's descendants count as its memory",
            details: """
                tree: the worker and all its descendants together, which is right for programs \
                that start helpers and for shell scripts. process: the worker's process alone. \
                Example: memory-scope = process.
                """),
        Setting(
            "memory-interval", in: .recycling,
            .pool(
                .value(
                    \.policy.memoryInterval,
                    .duration(atLeast: .milliseconds(10), allowed: "10ms or more, such as 1s"))),
            reload: .live,
            summary: "How often to look at the workers' memory",
            details: """
                The shortest time between two looks. While every worker is far from its caps the \
                gap grows to five times as much. Without a cap nothing is looked at. \
                Example: memory-interval = 5s.
                """),
        Setting(
            "memory-samples", in: .recycling,
            .pool(.value(\.policy.memorySamples, .integer(1...1000, allowed: "1 to 1000"))),
            reload: .live,
            summary: "How many looks in a row must find a worker past max-rss",
            details: """
                More than 1 forgives short peaks. Example: memory-samples = 3.
                """),
        Setting(
            "min-lifetime", in: .recycling,
            .pool(
                .value(
                    \.policy.minLifetime, .duration(allowed: "a duration such as 0 or 10s"))),
            reload: .live,
            summary: "Do not recycle for memory before this age",
            details: """
                A guard against a max-rss below the program's own size, which would recycle it \
                for ever: a worker past max-rss while younger than this raises an alarm in the \
                log instead. Example: min-lifetime = 1m.
                """),
    ]
}
