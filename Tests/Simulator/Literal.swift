import SuperviseCore

/// A schedule prints itself as Swift source for a pinned regression.
extension Schedule: CustomStringConvertible {
    package var description: String {
        var text = "Schedule(\n    seed: \(seed),\n"
        text += "    pools: [\n" + pools.map { "        \($0.literal)" }.joined(separator: ",\n")
        text += "\n    ],\n    program: \(program.literal),\n    faults: [\n"
        text += faults.map { "        TimedFault(\($0.at), \($0.fault.literal)),\n" }.joined()
        return text + "    ], healAt: \(healAt), haste: .\(haste))"
    }
}

extension Service.Plan {
    /// Creates a plan with default settings.
    package init(
        _ name: String, dropsListeners: Bool = false, _ adjust: (inout PoolPolicy) -> Void
    ) {
        var policy = PoolPolicy()
        adjust(&policy)
        self.init(name: name, policy: policy, dropsListeners: dropsListeners)
    }

    var literal: String {
        let settings = PolicyField.all.compactMap { $0.literal(policy) }
        let drops = dropsListeners ? ", dropsListeners: true" : ""
        return "Service.Plan(\"\(name)\"\(drops)) { \(settings.joined(separator: "; ")) }"
    }
}

extension Program {
    var literal: String {
        let changed = Program.fields.filter {
            self[keyPath: $0.path] != Program()[keyPath: $0.path]
        }
        guard !changed.isEmpty else { return "Program()" }
        let settings = changed.map { "$0.\($0.name) = \(self[keyPath: $0.path])" }
        return "Program { \(settings.joined(separator: "; ")) }"
    }
}

extension Fault {
    var literal: String {
        guard case .reload(let plans, let program) = self else { return ".\(self)" }
        return ".reload([\(plans.map(\.literal).joined(separator: ", "))], \(program.literal))"
    }
}

/// A setting of a pool, for the printer and the shrinker.
struct PolicyField {
    let name: String
    let literal: (PoolPolicy) -> String?
    let reset: (inout PoolPolicy) -> Void

    private init<Value: Equatable>(
        _ name: String, _ path: WritableKeyPath<PoolPolicy, Value>,
        _ show: @escaping (Value) -> String
    ) {
        self.name = name
        literal = { policy in
            let value = policy[keyPath: path]
            return value == PoolPolicy()[keyPath: path] ? nil : "$0.\(name) = \(show(value))"
        }
        reset = { $0[keyPath: path] = PoolPolicy()[keyPath: path] }
    }

    nonisolated(unsafe) static let all: [PolicyField] = [
        PolicyField("workers", \.workers) { "\($0)" },
        PolicyField("bootParallel", \.bootParallel) { "\($0)" },
        PolicyField("hasListeners", \.hasListeners) { "\($0)" },
        PolicyField("readiness", \.readiness, readiness),
        PolicyField("readyTimeout", \.readyTimeout, span),
        PolicyField("maxRequests", \.maxRequests) { "\($0)" },
        PolicyField("maxRequestsJitter", \.maxRequestsJitter) { "\($0)" },
        PolicyField("maxLifetime", \.maxLifetime) { $0.map(span) ?? "nil" },
        PolicyField("maxLifetimeJitter", \.maxLifetimeJitter, span),
        PolicyField("maxRSSBytes", \.maxRSSBytes) { $0.map { "\($0)" } ?? "nil" },
        PolicyField("killRSS", \.killRSS) { $0.map { ".\($0)" } ?? "nil" },
        PolicyField("warnRSSBytes", \.warnRSSBytes) { $0.map { "\($0)" } ?? "nil" },
        PolicyField("maxPoolRSSBytes", \.maxPoolRSSBytes) { $0.map { "\($0)" } ?? "nil" },
        PolicyField("memoryPressure", \.memoryPressure) { ".\($0)" },
        PolicyField("runsBeforeRecycle", \.runsBeforeRecycle) { "\($0)" },
        PolicyField("sendsEvidenceSignal", \.sendsEvidenceSignal) { "\($0)" },
        PolicyField("memoryLimitBytes", \.memoryLimitBytes) { $0.map { "\($0)" } ?? "nil" },
        PolicyField("memoryLogInterval", \.memoryLogInterval) { $0.map(span) ?? "nil" },
        PolicyField("memoryInterval", \.memoryInterval, span),
        PolicyField("memorySamples", \.memorySamples) { "\($0)" },
        PolicyField("minLifetime", \.minLifetime, span),
        PolicyField("maxSurge", \.maxSurge) { $0.map { ".\($0)" } ?? "nil" },
        PolicyField("maxUnavailable", \.maxUnavailable) { $0.map { ".\($0)" } ?? "nil" },
        PolicyField("maxHold", \.maxHold, span),
        PolicyField("gracefulTimeout", \.gracefulTimeout, span),
        PolicyField("drain", \.drain) { ".\($0)" },
        PolicyField("drainDelay", \.drainDelay, span),
        PolicyField("watchdogTimeout", \.watchdogTimeout) { $0.map(span) ?? "nil" },
        PolicyField("stallTimeout", \.stallTimeout) { $0.map(span) ?? "nil" },
        PolicyField("requestTimeout", \.requestTimeout) { $0.map(span) ?? "nil" },
        PolicyField("checksCanary", \.checksCanary) { "\($0)" },
        PolicyField("restart", \.restart) { ".\($0)" },
        PolicyField("backoff", \.backoff, span),
        PolicyField("backoffMax", \.backoffMax, span),
        PolicyField("stableAfter", \.stableAfter, span),
        PolicyField("bootAttempts", \.bootAttempts) { "\($0)" },
    ]

    private static func span(_ span: TimeSpan) -> String {
        ".milliseconds(\(span.nanoseconds / 1_000_000))"
    }

    private static func readiness(_ readiness: Readiness) -> String {
        switch readiness {
        case .auto: ".auto"
        case .notify: ".notify"
        case .exec: ".exec"
        case .after(let time): ".after(\(span(time)))"
        }
    }
}
