extension Setting {
    static let recycling = limits + memory + replacing

    private static let limits = [
        Setting(
            "max-requests", in: .recycling,
            .pool(
                .value(
                    \.policy.maxRequests, .requests(allowed: "0 (off) or more, such as 1000"))),
            reload: .newWorkers, default: "0 (off)",
            summary: "Recycle a worker after so many requests",
            details: """
                Bounds what a slow leak can grow to. The count is what the worker reports. For a \
                worker that reports nothing it is the connections that it accepts, each of which \
                may carry many requests: behind a proxy that keeps connections open, such a worker \
                may never reach its limit (see count). The replacement is ready before \
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
    ]

    private static let replacing = [
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
