extension Setting {
    static let memory = [
        Setting(
            "max-rss", in: .recycling,
            .pool(.value(\.policy.maxRSS, .memoryCapOrOff)), reload: .live,
            summary: "Recycle a worker whose memory exceeds this size",
            details: """
                A soft cap: the replacement is ready before the old worker is asked to stop, so \
                no request is lost. Memory is the resident set of the worker and its descendants \
                (see memory-scope). A percentage refers to the tightest memory limit of the \
                cgroup or, without one, to the memory of the machine. It is divided among the \
                workers of all pools, including those of max-surge and molds; supervise check \
                prints the bytes. If a worker's growth will reach the cap within one boot time, its \
                replacement starts ahead and the worker keeps serving until the replacement is \
                ready. If a replacement does not fit in memory beside the old worker, the old \
                worker stops first. Example: max-rss = 512M.
                """),
        Setting(
            "kill-rss", in: .recycling,
            .pool(.value(\.policy.killRSS, .memoryCapOrOff)), reload: .live,
            summary: "Kill a worker whose memory exceeds this size",
            details: """
                A hard cap for workers that grow faster than they can be replaced: the master \
                sends SIGKILL and then starts a new worker. Requests in flight are lost. The \
                value must not be below max-rss. min-lifetime describes when a worker is spared. \
                A reload is aborted if a canary exceeds the cap. Percentages work as for \
                max-rss. If a percentage yields a smaller cap after a change of the number of \
                workers, the new cap applies to new workers, and running workers above it are \
                recycled. Example: kill-rss = 1G.
                """),
        Setting(
            "warn-rss", in: .recycling,
            .pool(.value(\.policy.warnRSS, .memoryCapOrOff)), reload: .live,
            summary: "Log a warning when a worker exceeds this size",
            details: """
                The master logs one memory-warning each time a worker's memory rises above this \
                size. The next warning requires that the memory has fallen 5 % below it. \
                Percentages work as for max-rss. Example: warn-rss = 400M.
                """),
        Setting(
            "max-pool-rss", in: .recycling,
            .pool(.value(\.policy.maxPoolRSS, .memoryCapOrOff)), reload: .live,
            summary: "Recycle the largest worker if the pool exceeds this size",
            details: """
                A cap for all workers of the pool together. Above it, the master recycles the \
                largest worker that has grown since it settled (see min-lifetime). It recycles \
                the next one only after the memory of the previous one has been freed. A \
                percentage refers to the whole memory limit, not to a worker's share. Example: \
                max-pool-rss = 2G.
                """),
        Setting(
            "memory-metric", in: .recycling,
            .pool(.value(\.memoryMetric, .word("a metric", placeholder: "METRIC"))),
            reload: .newWorkers,
            summary: "How memory is measured",
            details: """
                rss: the resident set; pages shared by several processes count once per process. \
                pss: the size of a shared page is divided among the processes that share it. \
                uss: only pages that no other process shares. pss and uss are expensive to read, \
                so the master reads them only while the resident set exceeds a cap and shows the \
                resident set otherwise. Example: memory-metric = pss, for workers that are \
                forked from a large parent.
                """),
        Setting(
            "memory-scope", in: .recycling,
            .pool(.value(\.memoryScope, .word("a scope", placeholder: "SCOPE"))),
            reload: .newWorkers,
            summary: "Whether a worker's descendants count as its memory",
            details: """
                tree: the worker and all its descendants, for programs that start other \
                processes and for shell scripts. process: the worker's process alone. Example: \
                memory-scope = process.
                """),
        Setting(
            "memory-interval", in: .recycling,
            .pool(
                .value(
                    \.policy.memoryInterval,
                    .duration(atLeast: .milliseconds(10), allowed: "10ms or more, such as 1s"))),
            reload: .live,
            summary: "Minimum interval between memory samples",
            details: """
                While every worker is far below its caps, the interval grows to five times this \
                value. Without a cap, the master takes no samples. Example: memory-interval = \
                5s.
                """),
        Setting(
            "memory-samples", in: .recycling,
            .pool(.value(\.policy.memorySamples, .integer(1...1000, allowed: "1 to 1000"))),
            reload: .live,
            summary: "Consecutive samples above max-rss before a worker is recycled",
            details: """
                A value above 1 tolerates short peaks. Example: memory-samples = 3.
                """),
        Setting(
            "min-lifetime", in: .recycling,
            .pool(
                .value(
                    \.policy.minLifetime, .duration(allowed: "a duration such as 0 or 10s"))),
            reload: .live,
            summary: "Spare workers that start near their memory cap until this age",
            details: """
                Prevents endless replacement if max-rss or kill-rss is below the program's own \
                size, that is, the memory of a worker before it has served anything. The guard \
                applies if that size is above four fifths of the cap. If such a worker exceeds \
                the cap before it has been ready for min-lifetime, the master logs memory-alarm \
                and does not recycle or kill it. After that time it is recycled or killed only \
                if it still grows. A worker whose memory has doubled is recycled or killed at \
                any age. A worker that became ready below four fifths of the cap is not guarded. \
                In a pool without listeners, kill-rss is not guarded. 0 disables the guard. \
                Example: min-lifetime = 1m.
                """),
        Setting(
            "memory-pressure", in: .recycling,
            .pool(
                .value(\.policy.memoryPressure, .word("a choice", placeholder: "off|auto"))),
            reload: .live,
            summary: "Recycle the largest worker when the memory limit is near",
            details: """
                auto: when nine tenths of the cgroup's memory limit (or of the machine's memory) \
                are in use, not counting caches that the kernel can drop, the master recycles \
                the largest worker that has grown, before the kernel kills one. It recycles the \
                next one only after the memory of the previous one has been freed. Example: \
                memory-pressure = auto.
                """),
        Setting(
            "before-recycle", in: .recycling,
            .pool(.words(\.beforeRecycle, .commandOrNone)), reload: .newWorkers,
            summary: "Run a command before recycling a worker for memory",
            details: """
                The worker keeps serving until the command ends. The master kills the command \
                after 30 s. Its environment contains $SUPERVISE_WORKER_PID, _POOL, _SLOT, \
                _GENERATION, _RSS (bytes), _REQUESTS, _REQUESTS_UNIT (requests or connections), \
                _AGE (seconds), _DURING (the oldest request in flight), _ROUTE (that of a request \
                that is stuck, see request-timeout) and _CAUSE (request-timeout, max-rss, \
                max-pool-rss or memory-pressure). It runs as the master's user. It cannot \
                prevent the recycling. kill-rss does not wait for it. Example: before-recycle = sh -c "py-spy dump --pid $SUPERVISE_WORKER_PID".
                """),
        Setting(
            "evidence-signal", in: .recycling,
            .pool(.optional(\.evidenceSignal, .request)), reload: .newWorkers,
            summary: "Send a signal before recycling a worker for memory",
            details: """
                For programs that can report their own memory use, for example with a handler \
                that writes a tracemalloc snapshot. The stop-signal follows after 2 s. Example: \
                evidence-signal = USR2.
                """),
        Setting(
            "memory-log", in: .recycling,
            .pool(.optional(\.memoryLog, .text("FILE", allowed: "a file's path"))),
            reload: .newWorkers,
            summary: "Write the workers' memory to this file",
            details: """
                The master appends one line per worker every memory-log-interval: time, pool, \
                slot, pid, bytes, the request count and its unit (requests or connections). It \
                reopens the file on USR1. Pools may share a file. Lines that cannot be written \
                are dropped and counted. Symbolic links of other users are not followed, as for \
                log-file. Example: memory-log = /var/log/memory.log.
                """),
        Setting(
            "memory-log-interval", in: .recycling,
            .pool(
                .value(
                    \.memoryLogInterval,
                    .duration(atLeast: .milliseconds(100), allowed: "100ms or more, such as 1m"))),
            reload: .live,
            summary: "Interval between entries in memory-log",
            details: """
                See memory-log. Example: memory-log-interval = 5m.
                """),
    ]
}
