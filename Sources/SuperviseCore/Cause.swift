/// Why a worker is replaced while it works. All of these share one budget.
public enum RecycleCause: Hashable, Sendable, Codable, CaseIterable {
    /// It has served its drawn number of requests.
    case requests
    /// It has reached its drawn age.
    case lifetime
    /// It uses more memory than `max-rss`.
    case memory
    /// The pool's workers use more than `max-pool-rss` together, and it is the largest.
    case poolMemory
    /// The memory limit is near, and it is the largest.
    case pressure
    /// It asked to be replaced (`X_RECYCLE=1`).
    case requested
    /// An operator asked for it.
    case `operator`
    /// A newer generation of settings is in force.
    case reload

    /// Memory overtakes the others: waiting makes it worse.
    var isUrgent: Bool {
        switch self {
        case .memory, .poolMemory, .pressure: true
        case .requests, .lifetime, .requested, .operator, .reload: false
        }
    }
}

/// Why a worker was told to go.
public enum RetireCause: Hashable, Sendable, Codable {
    /// A planned replacement.
    case recycle(RecycleCause)
    /// It announced its own end (`STOPPING=1`).
    case announced
    /// It was not ready within `ready-timeout`.
    case bootTimeout
    /// It used more memory than `kill-rss`.
    case killMemory
    /// It did not repeat `WATCHDOG=1` in time, or said `WATCHDOG=trigger`.
    case watchdog
    /// Connections waited and its count did not move for `stall-timeout`.
    case stalled
    /// The pool has fewer slots now.
    case scaledDown
    /// The pool was parked (WINCH).
    case parked
    /// It belonged to a generation that was given up, or that was overtaken while it booted.
    case superseded
    /// The pool stops.
    case stop
}

/// What the end of a worker was.
public enum Ending: Hashable, Sendable, Codable {
    /// It was told to go.
    case retired(RetireCause)
    /// It ended by itself with status 0, as programs with an own limit and jobs do.
    case finished
    /// It ended by itself in another way, once ready.
    case crashed
    /// It ended before it was ready.
    case bootFailed
}
