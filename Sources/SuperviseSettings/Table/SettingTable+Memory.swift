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
                check prints the bytes. A worker whose growth will reach the cap within a boot \
                gets its replacement ahead, and serves on until it is there. Where a replacement \
                would not fit beside the old worker, the old one stops first. \
                Example: max-rss = 512M.
                """),
        Setting(
            "kill-rss", in: .recycling,
            .pool(.value(\.policy.killRSS, .memoryCapOrOff)), reload: .live,
            summary: "Kill a worker whose memory is past this size",
            details: """
                A hard cap for workers that grow faster than they can be replaced: SIGKILL at \
                once, then a new worker. Requests in flight are lost. Must not be below max-rss. \
                min-lifetime tells when a worker is spared. A reload is aborted if its first new \
                worker exceeds the cap. Percentages are as those of max-rss; a share that becomes \
                smaller applies to new workers, and running workers above it are recycled. \
                Example: kill-rss = 1G.
                """),
        Setting(
            "warn-rss", in: .recycling,
            .pool(.value(\.policy.warnRSS, .memoryCapOrOff)), reload: .live,
            summary: "Warn of a worker whose memory is past this size",
            details: """
                One memory-warning in the log each time that a worker comes up to this size; it \
                counts again once the worker is 5 % below. Nothing else happens. Percentages are \
                as those of max-rss. Example: warn-rss = 400M.
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
            summary: "Tolerate a cap below the own size until this age",
            details: """
                A guard against a max-rss or kill-rss below the program's own size, which would \
                replace its workers without end. A worker's own size is its memory before it \
                served anything. If that is above four fifths of a cap, a worker that exceeds the \
                cap before it has been ready for this long raises an alarm in the log instead. It \
                is recycled or killed from then on only if it still grows, or at any age when its \
                memory has doubled. A worker that became ready below that and exceeded the cap by \
                serving is recycled or killed at once. kill-rss has no guard in a pool without \
                listeners. 0 is no guard. Example: min-lifetime = 1m.
                """),
        Setting(
            "memory-pressure", in: .recycling,
            .pool(
                .value(\.policy.memoryPressure, .word("a choice", placeholder: "off|auto"))),
            reload: .live,
            summary: "Recycle the largest worker when the memory limit is near",
            details: """
                auto: when nine tenths of the control group's limit (else of the machine) are in \
                use, caches that could be dropped not counted, the largest worker that has grown \
                is recycled before the kernel kills one; the next only when its memory is back. \
                Example: memory-pressure = auto.
                """),
        Setting(
            "before-recycle", in: .recycling,
            .pool(.words(\.beforeRecycle, .commandOrNone)), reload: .newWorkers,
            summary: "Run a command about a worker that is to go for its memory",
            details: """
                The worker lives and serves until the command ends, 30 s at most, then it is \
                killed. It finds $SUPERVISE_WORKER_PID, _POOL, _SLOT, _GENERATION, _RSS (bytes), \
                _REQUESTS, _REQUESTS_UNIT (requests or connections), _AGE (seconds) and _CAUSE (max-rss, max-pool-rss or memory-pressure) in \
                its environment and runs as the master's user. Nothing it does keeps the worker. \
                kill-rss does not wait for it. Example: before-recycle = sh -c "py-spy dump --pid \
                $SUPERVISE_WORKER_PID".
                """),
        Setting(
            "evidence-signal", in: .recycling,
            .pool(.optional(\.evidenceSignal, .request)), reload: .newWorkers,
            summary: "Send a signal to a worker that is to go for its memory",
            details: """
                For programs that can tell by themselves what they hold, such as a handler that \
                writes a snapshot of tracemalloc. The worker has 2 s before the stop-signal. \
                Example: evidence-signal = USR2.
                """),
        Setting(
            "memory-log", in: .recycling,
            .pool(.optional(\.memoryLog, .text("FILE", allowed: "a file's path"))),
            reload: .newWorkers,
            summary: "Write the workers' memory to this file",
            details: """
                One line a worker every memory-log-interval: time, pool, slot, pid, bytes, \
                requests or connections, and which of the two was counted. Appended to, and opened again on USR1; pools may share it. Lines that \
                cannot be written are dropped and counted, and links of others are not followed, as \
                with log-file. Example: memory-log = \
                /var/log/memory.log.
                """),
        Setting(
            "memory-log-interval", in: .recycling,
            .pool(
                .value(
                    \.memoryLogInterval,
                    .duration(atLeast: .milliseconds(100), allowed: "100ms or more, such as 1m"))),
            reload: .live,
            summary: "How often the workers' memory is written down",
            details: """
                See memory-log. Example: memory-log-interval = 5m.
                """),
    ]
}
