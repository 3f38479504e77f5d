/// The names of causes in logs, metrics, events and the status, which all use the same ones.

extension RecycleCause {
    /// The name of the cause in logs, metrics and events.
    public var name: String {
        switch self {
        case .requests: "max-requests"
        case .lifetime: "max-lifetime"
        case .memory: "max-rss"
        case .poolMemory: "max-pool-rss"
        case .pressure: "memory-pressure"
        case .requestTimeout: "request-timeout"
        case .requested: "requested"
        case .operator: "operator"
        case .reload: "reload"
        }
    }
}

extension RetireCause {
    /// The name of the cause in logs, metrics and events.
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
        case .huntEnded: "hunt-ended"
        case .superseded: "generation-abandoned"
        case .stop: "stop"
        }
    }
}

extension Ending {
    /// Returns the name of an exit's cause in logs, metrics and events.
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
    /// The name of the mode in logs, metrics and events.
    public var name: String {
        switch self {
        case .graceful: "graceful"
        case .quick: "quick"
        case .immediate: "immediate"
        }
    }
}

extension HuntEnd {
    /// The name of the reason in logs, events and results.
    public var name: String {
        switch self {
        case .finished: "finished"
        case .timeout: "timeout"
        case .noRequests: "no-requests"
        case .clientGone: "client-gone"
        case .reload: "reload"
        case .upgrade: "upgrade"
        case .stop: "stop"
        case .memoryShortage: "memory-shortage"
        case .memoryCap: "max-rss"
        case .requestTimeout: "request-timeout"
        case .left(let cause): cause.name
        case .exited: "exited"
        case .notStarted: "start-failed"
        }
    }
}
