/// What a sample of a pool's closing listeners shows.
public enum ListenerSample: Equatable, Sendable {
    /// A connection waits to be accepted, a handshake is in progress, or a listener still takes new
    /// connections.
    case waiting
    /// No connection waits, and no handshake is in progress.
    case empty
    /// No connection waits; handshakes in progress are not visible.
    case emptyAsFarAsSeen
    /// The pool has no closing listener.
    case none
}

/// The listeners of a pool that refuse new connections, until the waiting ones are accepted.
struct ClosingListeners: Equatable, Sendable, Codable {
    private static let pause = TimeSpan.milliseconds(5)
    /// A connection whose handshake has just completed is temporarily in no table.
    private static let emptyFor = TimeSpan.milliseconds(20)
    /// The same if handshakes in progress are not visible.
    private static let emptyForUnseen = TimeSpan.milliseconds(200)

    /// The end of the wait at the latest.
    var until: Instant
    /// The time since which all samples were empty.
    var emptySince: Instant?
    /// The time of the next sample; nil while one is awaited.
    var sampleAt: Instant?

    init(until: Instant) {
        self.until = until
    }

    /// Records a sample. Returns true once nothing waits there.
    mutating func record(_ sample: ListenerSample, at now: Instant) -> Bool {
        sampleAt = now + ClosingListeners.pause
        let required: TimeSpan
        switch sample {
        case .waiting:
            emptySince = nil
            return false
        case .empty: required = ClosingListeners.emptyFor
        case .emptyAsFarAsSeen: required = ClosingListeners.emptyForUnseen
        case .none: return true
        }
        let since = emptySince ?? now
        emptySince = since
        return now - since >= required
    }

    /// Extends the wait by a time in which nothing ran, not even the clients.
    mutating func shift(by span: TimeSpan) {
        until = until + span
        emptySince = nil
    }
}
