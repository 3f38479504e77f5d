extension Setting {
    static let recycling = limits + memory + replacing

    private static let limits = [
        Setting(
            "max-requests", in: .recycling,
            .pool(
                .value(
                    \.policy.maxRequests, .requests(allowed: "0 (off) or more, such as 1000"))),
            reload: .newWorkers, default: "0 (off)",
            summary: "Recycle a worker after this many requests",
            details: """
                Limits how much a slow leak can grow. The count is what the worker reports. For \
                a worker that reports nothing, the preload library counts the HTTP/1 requests. \
                If it cannot see them, it counts accepted connections, each of which may carry \
                many requests: behind a proxy with keep-alive connections, such a worker may \
                never reach the limit (see count). The replacement is ready before the old \
                worker is asked to stop, so a worker serves slightly more than its limit. \
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
                Each worker draws its own limit between max-requests and max-requests plus this \
                value, so that workers that started together do not reach their limits together. \
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
                The age counts from the start of the worker. Example: max-lifetime = 12h.
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
                Each worker draws its own limit between max-lifetime and max-lifetime plus this \
                value. Example: max-lifetime-jitter = 30m.
                """),
    ]

    private static let replacing = [
        Setting(
            "max-surge", in: .recycling,
            .pool(.optional(\.policy.maxSurge, .amount)), reload: .live,
            default: "1 with listeners, else 0",
            summary: "Extra workers during replacement",
            details: """
                A number, or a percentage of workers, rounded up. With 1 or more, the \
                replacement is ready before the old worker is asked to stop; this needs the \
                memory of one more worker. With 0, the old worker stops first, for hosts with \
                little memory and for jobs that must not run twice; max-unavailable must then be \
                at least 1. Example: max-surge = 25%.
                """),
        Setting(
            "max-unavailable", in: .recycling,
            .pool(.optional(\.policy.maxUnavailable, .amount)), reload: .live,
            default: "0 with listeners, else 1",
            summary: "Missing workers during replacement",
            details: """
                A number, or a percentage of workers, rounded down. It limits what recycling and \
                reloads stop, not crashes. It must not be 0 if max-surge is 0. Example: \
                max-unavailable = 1.
                """),
        Setting(
            "max-hold", in: .recycling,
            .pool(.value(\.policy.maxHold, .duration(allowed: "a duration such as 0 or 15m"))),
            reload: .live,
            summary: "Maximum time that a worker can defer its recycling",
            details: """
                A worker can send X_HOLD=SECONDS to defer its recycling, for example during a \
                long job. This value limits the total, however often the worker sends it. \
                Example: max-hold = 1h.
                """),
    ]
}
