/// The behaviour of a worker's connections while it drains and after its stop-signal. The caller
/// identifies connections by numbers.

/// Detects a client that sends several requests on one connection.
struct ReuseWitness: Equatable, Sendable, Codable {
    private struct Mark: Equatable, Codable {
        var sent: UInt32
        /// The number of received segments when a response was first seen.
        var receivedAtResponse: UInt32?
    }

    private var marks: [UInt64: Mark] = [:]
    /// Whether a connection carried a request after a response. A long upload or a long response
    /// alone does not count.
    private(set) var isReused = false

    /// Records the traffic of one connection.
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

/// Detects whether a worker finishes the requests that were in flight when it got the stop-signal.
struct StopWitness: Equatable, Sendable, Codable {
    /// A program that closes all of its connections at the same time responds to none of them.
    private static let tooSoon = TimeSpan.milliseconds(100)

    private let since: Instant
    /// The connections with a request in flight that are still open.
    private(set) var remaining: Set<UInt64>
    private var hasLasted = false

    /// Whether the worker, which has ended, dropped its requests. If some of them lasted longer
    /// than `tooSoon`, the rest may have been finished since the last sample.
    var hasDropped: Bool { !remaining.isEmpty && !hasLasted }

    /// Starts at the stop-signal, with the connections that wait for a response.
    init(waiting: Set<UInt64>, at now: Instant) {
        since = now
        remaining = waiting
    }

    /// Records the open connections of the running worker. Returns true when it has closed the last
    /// of the waiting ones one by one, as a program does that finishes its requests.
    mutating func saw(open: Set<UInt64>, at now: Instant) -> Bool {
        guard !remaining.isEmpty else { return false }
        remaining.formIntersection(open)
        if !remaining.isEmpty, now - since >= StopWitness.tooSoon { hasLasted = true }
        return remaining.isEmpty && hasLasted
    }
}
