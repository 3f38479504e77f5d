/// What the connections of a worker show while it drains and after its stop-signal. They are known by
/// numbers that the caller gives them.

/// Notices a client that sends request after request on one connection.
struct ReuseWitness: Equatable, Sendable, Codable {
    private struct Mark: Equatable, Codable {
        var sent: UInt32
        /// What had been received when a response was first seen.
        var receivedAtResponse: UInt32?
    }

    private var marks: [UInt64: Mark] = [:]
    /// Whether a connection carried a request after a response. An upload alone, or a response alone,
    /// is no such thing, however long it takes.
    private(set) var isReused = false

    /// Takes in what one connection has carried by now.
    mutating func saw(_ connection: ConnectionSample.Connection) {
        guard var mark = marks[connection.id] else {
            marks[connection.id] = Mark(sent: connection.sent)
            return
        }
        if let received = mark.receivedAtResponse {
            if connection.received != received { isReused = true }
        } else if connection.sent != mark.sent {
            mark.receivedAtResponse = connection.received
            marks[connection.id] = mark
        }
    }
}

/// Notices whether a worker finishes the requests that were in flight when it got the stop-signal.
struct StopWitness: Equatable, Sendable, Codable {
    /// A program that closes all of its connections at once responds to none of them.
    private static let tooSoon = TimeSpan.milliseconds(100)

    private let since: Instant
    /// The connections with a request in flight that are still open.
    private(set) var remaining: Set<UInt64>
    private var hasLasted = false

    /// Whether the worker, which has ended now, ended at once and dropped them. What is left of those
    /// that were there for longer may have been finished since the last look.
    var hasDropped: Bool { !remaining.isEmpty && !hasLasted }

    /// The worker gets its stop-signal while these connections wait for a response.
    init(waiting: Set<UInt64>, at now: Instant) {
        since = now
        remaining = waiting
    }

    /// Takes in which connections the worker, which runs, has now. True when it has closed the last of
    /// those that waited, one after the other, as a program does that finishes its requests.
    mutating func saw(open: Set<UInt64>, at now: Instant) -> Bool {
        guard !remaining.isEmpty else { return false }
        remaining.formIntersection(open)
        if !remaining.isEmpty, now - since >= StopWitness.tooSoon { hasLasted = true }
        return remaining.isEmpty && hasLasted
    }
}
