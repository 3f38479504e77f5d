/// What was found at the listeners of a pool that take no new connections.
public enum ListenerSample: Equatable, Sendable {
    /// A connection waits to be accepted, or a handshake is under way, or new connections still come.
    case waiting
    /// Nothing.
    case empty
    /// No connection waits; handshakes under way can't be seen.
    case emptyAsFarAsSeen
    /// The pool has no listener to close.
    case none
}

/// The listeners of a pool that take no new connections, until those that wait there are accepted.
struct ClosingListeners: Equatable, Sendable, Codable {
    private static let pause = TimeSpan.milliseconds(5)
    /// A client whose handshake ends just now is in no table for a moment.
    private static let emptyFor = TimeSpan.milliseconds(20)
    /// The same where handshakes under way can't be seen.
    private static let emptyForUnseen = TimeSpan.milliseconds(200)

    /// When the wait ends at the latest.
    var until: Instant
    /// Since when nothing was found there.
    var emptySince: Instant?
    /// When the next sample is to be taken; nil while one is awaited.
    var sampleAt: Instant?

    init(until: Instant) {
        self.until = until
    }

    /// Takes in a sample. True when nothing waits there any more.
    mutating func record(_ sample: ListenerSample, at now: Instant) -> Bool {
        sampleAt = now + ClosingListeners.pause
        let patience: TimeSpan
        switch sample {
        case .waiting:
            emptySince = nil
            return false
        case .empty: patience = ClosingListeners.emptyFor
        case .emptyAsFarAsSeen: patience = ClosingListeners.emptyForUnseen
        case .none: return true
        }
        let since = emptySince ?? now
        emptySince = since
        return now - since >= patience
    }

    /// Nothing ran for this long, not even the clients.
    mutating func shift(by span: TimeSpan) {
        until = until + span
        emptySince = nil
    }
}
