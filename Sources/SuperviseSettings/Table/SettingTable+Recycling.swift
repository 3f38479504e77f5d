extension Setting {
    static let recycling = [
        Setting(
            "max-requests", in: .recycling,
            .pool(
                .value(
                    \.policy.maxRequests, .requests(allowed: "0 (off) or more, such as 1000"))),
            reload: .newWorkers, default: "0 (off)",
            summary: "Recycle a worker after so many requests",
            details: """
                Bounds what a slow leak can grow to. The count is what the worker reports, or the \
                connections that it accepts (see count). The replacement is ready before \
                the old worker is told to stop, so a worker serves a little past its limit. \
                Example: max-requests = 1000.
                """),
        Setting(
            "max-requests-jitter", in: .recycling,
            .pool(
                .value(
                    \.policy.maxRequestsJitter,
                    .requests(allowed: "0 or more, such as 100"))),
            reload: .newWorkers,
            summary: "Add a random number up to this to max-requests",
            details: """
                Each worker draws its own limit between max-requests and max-requests plus this, \
                so that workers that started together are not due together. \
                Example: max-requests-jitter = 100.
                """),
        Setting(
            "max-lifetime", in: .recycling,
            .pool(
                .value(
                    \.policy.maxLifetime,
                    .durationOrOff(allowed: "off, or a duration such as 30m, 12h or 2d"))),
            reload: .newWorkers,
            summary: "Recycle a worker at this age",
            details: """
                Counted from the worker's start. Example: max-lifetime = 12h.
                """),
        Setting(
            "max-lifetime-jitter", in: .recycling,
            .pool(
                .value(
                    \.policy.maxLifetimeJitter,
                    .duration(allowed: "a duration such as 0 or 10m"))),
            reload: .newWorkers,
            summary: "Add a random time up to this to max-lifetime",
            details: """
                Each worker draws its own age between max-lifetime and max-lifetime plus this. \
                Example: max-lifetime-jitter = 30m.
                """),
        Setting(
            "max-rss", in: .recycling,
            .pool(.value(\.policy.maxRSSBytes, .memoryCapOrOff)), reload: .live,
            summary: "Recycle a worker whose memory is past this size",
            details: """
                A soft cap: the worker is replaced first and then asked to stop, so it loses no \
                request. Memory is the resident set, of the worker and its descendants (see \
                memory-scope). Example: max-rss = 512M.
                """),
        Setting(
            "kill-rss", in: .recycling,
            .pool(.value(\.policy.killRSSBytes, .memoryCapOrOff)), reload: .live,
            summary: "Kill a worker whose memory is past this size",
            details: """
                A hard cap for workers that grow faster than they can be replaced: SIGKILL at \
                once, then a new worker. Requests in flight are lost. Must not be below max-rss. \
                Example: kill-rss = 1G.
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
                The shortest time between two looks. Without max-rss and kill-rss nothing is \
                looked at. Example: memory-interval = 5s.
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
        Setting(
            "max-surge", in: .recycling,
            .pool(.optional(\.policy.maxSurge, .amount)), reload: .live,
            default: "1 with listeners, else 0",
            summary: "Extra workers while replacing others",
            details: """
                A number, or a percentage of workers, rounded up. With 1 or more the replacement \
                is ready before the old worker is told to stop, which takes the memory of one \
                worker more. 0 stops the old worker first: for hosts that are short of memory and \
                for jobs that must not run twice; max-unavailable must then be at least 1. \
                Example: max-surge = 25%.
                """),
        Setting(
            "max-unavailable", in: .recycling,
            .pool(.optional(\.policy.maxUnavailable, .amount)), reload: .live,
            default: "0 with listeners, else 1",
            summary: "Missing workers while replacing others",
            details: """
                A number, or a percentage of workers, rounded down. It bounds what recycling and \
                reloads take away; crashes are not planned. Must not be 0 together with \
                max-surge. Example: max-unavailable = 1.
                """),
        Setting(
            "max-hold", in: .recycling,
            .pool(.value(\.policy.maxHold, .duration(allowed: "a duration such as 0 or 15m"))),
            reload: .live,
            summary: "How long a worker may put off being recycled",
            details: """
                A worker in the middle of something long can send X_HOLD=SECONDS to ask for time. \
                This is the most that it gets, however often it asks. Example: max-hold = 1h.
                """),
    ]
}
