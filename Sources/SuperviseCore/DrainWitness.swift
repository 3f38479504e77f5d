/// What the connections of a worker show while it drains and after its stop-signal. They are known by
/// numbers that the caller gives them.

/// Notices a client that sends request after request on one connection.
public struct ReuseWitness: Equatable, Sendable {
    /// The segments with data of one connection so far.
    public struct Traffic: Equatable, Sendable {
        /// Those that the worker has sent.
        public var sent: UInt32
        /// Those that it has received.
        public var received: UInt32

        /// Describes a connection at one moment.
        public init(sent: UInt32, received: UInt32) {
            self.sent = sent
            self.received = received
        }
    }

    private struct Mark: Equatable {
        var first: Traffic
        /// What had been received when a response was first seen.
        var receivedAtResponse: UInt32?
    }

    private var marks: [UInt64: Mark] = [:]
    /// Whether a connection carried a request after a response. An upload alone, or a response alone,
    /// is no such thing, however long it takes.
    public private(set) var isReused = false

    /// Nothing was seen so far.
    public init() {}

    /// Takes in what one connection has carried by now.
    public mutating func saw(_ connection: UInt64, _ traffic: Traffic) {
        guard var mark = marks[connection] else {
            marks[connection] = Mark(first: traffic)
            return
        }
        if let received = mark.receivedAtResponse {
            if traffic.received != received { isReused = true }
        } else if traffic.sent != mark.first.sent {
            mark.receivedAtResponse = traffic.received
            marks[connection] = mark
        }
    }
}

/// Notices whether a worker finishes the requests that were in flight when it got the stop-signal.
public struct StopWitness: Equatable, Sendable {
    /// A program that closes all of its connections at once responds to none of them.
    private static let tooSoon = TimeSpan.milliseconds(100)

    private let since: Instant
    /// The connections with a request in flight that are still open.
    public private(set) var remaining: Set<UInt64>
    private var hasLasted = false

    /// Whether the worker, which has ended now, ended at once and dropped them. What is left of those
    /// that were there for longer may have been finished since the last look.
    public var hasDropped: Bool { !remaining.isEmpty && !hasLasted }

    /// The worker gets its stop-signal while these connections wait for a response.
    public init(waiting: Set<UInt64>, at now: Instant) {
        since = now
        remaining = waiting
    }

    /// Takes in which connections the worker, which runs, has now. True when it has closed the last of
    /// those that waited, one after the other, as a program does that finishes its requests.
    public mutating func saw(open: Set<UInt64>, at now: Instant) -> Bool {
        guard !remaining.isEmpty else { return false }
        remaining.formIntersection(open)
        if !remaining.isEmpty, now - since >= StopWitness.tooSoon { hasLasted = true }
        return remaining.isEmpty && hasLasted
    }
}
