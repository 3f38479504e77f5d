/// The words by which causes go in logs, metrics, events and the status: one vocabulary for all.

extension RecycleCause {
    /// The cause as logs, metrics and events name it.
    public var name: String {
        switch self {
        case .requests: "max-requests"
        case .lifetime: "max-lifetime"
        case .memory: "max-rss"
        case .poolMemory: "max-pool-rss"
        case .pressure: "memory-pressure"
        case .requested: "requested"
        case .operator: "operator"
        case .reload: "reload"
        }
    }
}

extension RetireCause {
    /// The cause as logs, metrics and events name it.
    public var name: String {
        switch self {
        case .recycle(let cause): cause.name
        case .announced: "announced"
        case .bootTimeout: "boot-timeout"
        case .killMemory: "kill-rss"
        case .watchdog: "timeout"
        case .stalled: "stall-timeout"
        case .scaledDown: "scaled-down"
        case .parked: "parked"
        case .superseded: "generation-abandoned"
        case .stop: "stop"
        }
    }
}

extension Ending {
    /// The cause of an exit as logs, metrics and events name it.
    public func name(_ status: ExitStatus) -> String {
        switch self {
        case .retired(let cause): cause.name
        case .finished: "finished"
        case .crashed where status == .outOfMemory, .bootFailed where status == .outOfMemory:
            "out-of-memory"
        case .crashed: "crashed"
        case .bootFailed: "boot-failed"
        }
    }
}

extension Haste {
    /// The haste as logs, metrics and events name it.
    public var name: String {
        switch self {
        case .graceful: "graceful"
        case .quick: "quick"
        case .immediate: "immediate"
        }
    }
}
