/// The reason to replace a working worker. All of these share one budget.
public enum RecycleCause: Hashable, Sendable, Codable, CaseIterable {
    /// It has served its drawn number of requests.
    case requests
    /// It has reached its drawn lifetime.
    case lifetime
    /// Its memory exceeds `max-rss`.
    case memory
    /// The pool's workers together exceed `max-pool-rss`, and it is the largest.
    case poolMemory
    /// The memory limit is near, and it is the largest.
    case pressure
    /// One of its requests got no response within `request-timeout`.
    case requestTimeout
    /// It requested its replacement (`X_RECYCLE=1`).
    case requested
    /// An operator requested it.
    case `operator`
    /// A newer generation of settings is current.
    case reload

    /// Memory takes precedence over the others, because waiting makes it worse.
    var isUrgent: Bool {
        switch self {
        case .memory, .poolMemory, .pressure: true
        case .requests, .lifetime, .requestTimeout, .requested, .operator, .reload: false
        }
    }

    /// A cause replaces earlier ones of a lower rank.
    var rank: Int { isUrgent ? 2 : self == .requestTimeout ? 1 : 0 }
}

/// The reason to stop a worker.
public enum RetireCause: Hashable, Sendable, Codable {
    /// A planned replacement.
    case recycle(RecycleCause)
    /// It announced its own end (`STOPPING=1`).
    case announced
    /// It was not ready within `ready-timeout`.
    case bootTimeout
    /// Its memory exceeded `kill-rss`.
    case killMemory
    /// It did not repeat `WATCHDOG=1` in time, or sent `WATCHDOG=trigger`.
    case watchdog
    /// Connections waited and its count did not change for `stall-timeout`.
    case stalled
    /// The pool has fewer slots now.
    case scaledDown
    /// The pool was parked (WINCH).
    case parked
    /// It was hunted, and its hunt ended.
    case huntEnded
    /// It belonged to a generation that was abandoned, or that was superseded while it booted.
    case superseded
    /// The pool stops.
    case stop
}

/// The way a worker ended.
public enum Ending: Hashable, Sendable, Codable {
    /// It was stopped.
    case retired(RetireCause)
    /// It ended by itself with status 0, as jobs and programs with their own limit do.
    case finished
    /// It ended by itself in another way, once ready.
    case crashed
    /// It ended before it was ready.
    case bootFailed
}
