/// The connections that a worker's processes have accepted from the pool's listeners, at one
/// moment.
public struct ConnectionSample: Equatable, Sendable {
    /// The state of a connection, as far as the kernel shows it.
    public enum Use: Int, Sendable, Codable, CaseIterable {
        /// The client waits for a response: the last data were received, or are in transit.
        case inFlight
        /// Nothing was transferred for a second. The last data sent and received were so close
        /// together that their order is unknown.
        case unclear
        /// Nothing was received since the last data were sent, which was recent.
        case answered
        /// The same, and nothing was transferred for a second. The response may be complete or
        /// pausing.
        case quiet
        /// One side has ended the connection, or no request was received so far.
        case idle
    }

    /// One connection.
    public struct Connection: Equatable, Sendable {
        /// A number that is unique among the connections of the worker.
        public var id: UInt64
        /// What its client waits for.
        public var use: Use
        /// The number of data segments that the worker has sent so far.
        public var sent: UInt32
        /// The number of data segments that the worker has received so far.
        public var received: UInt32
        /// Whether a thread of the worker waits to read from it, so that no request is being
        /// processed.
        public var hasReader: Bool

        /// Creates a connection.
        public init(
            id: UInt64, use: Use, sent: UInt32 = 0, received: UInt32 = 0, hasReader: Bool = false
        ) {
            self.id = id
            self.use = use
            self.sent = sent
            self.received = received
            self.hasReader = hasReader
        }
    }

    /// The connections. If there are very many, these are the ones with the most urgent clients.
    public var connections: [Connection]
    /// The number of connections.
    public var count: Int
    /// The number of threads that wait to accept a connection and can be interrupted. 0 also if a
    /// request is in flight, because that makes the number irrelevant.
    public var acceptors: Int
    /// Whether a thread of a process that accepts runs, or waits for a processor. It may be about
    /// to accept a connection, because it has found that the worker is not drained yet.
    public var hasRunning: Bool
    /// Whether the program handles the stop-signal, and therefore can use the time after it.
    public var handlesStopSignal: Bool
    /// Whether connections without a known request in flight were ended.
    public var endedIdle: Bool
    /// The cost of taking the sample.
    public var cost: TimeSpan
    /// The number of requests in flight that the worker has begun to receive; nil if requests are
    /// not visible.
    public var inFlight: Int?
    /// Those among them that got no response within `request-timeout`.
    public var stuck = 0
    /// Whether there are connections that the sample does not show, such as those of unix sockets.
    public var isPartial = false

    /// Creates a sample.
    public init(
        _ connections: [Connection] = [], count: Int? = nil, acceptors: Int = 0,
        hasRunning: Bool = false, handlesStopSignal: Bool = true, endedIdle: Bool = false,
        cost: TimeSpan = .zero
    ) {
        self.connections = connections
        self.count = count ?? connections.count
        self.acceptors = acceptors
        self.hasRunning = hasRunning
        self.handlesStopSignal = handlesStopSignal
        self.endedIdle = endedIdle
        self.cost = cost
    }

    /// Whether it omits connections.
    var isCut: Bool { connections.count < count }

    /// The connections with a request in flight, or that may have one.
    var waiting: Set<UInt64> {
        Set(connections.filter { $0.use == .inFlight || $0.use == .unclear }.map(\.id))
    }

    /// Whether no request is in flight.
    var isIdle: Bool {
        if inFlight == 0, isIdleIfFinished { return true }
        return !isPartial && hasIdleTraffic
    }

    private var hasIdleTraffic: Bool { connections.allSatisfy(\.isIdle) }

    /// Whether all requests in flight are stuck. The kernel shows these as in flight, too, if a
    /// WebSocket or another opaque connection hides the number of requests.
    var isOnlyStuck: Bool {
        guard stuck > 0 else { return false }
        if let inFlight { return stuck >= inFlight }
        let others = connections.filter { $0.use != .inFlight }
        return !isPartial && !isCut && connections.count - others.count <= stuck
            && others.allSatisfy(\.isIdle)
    }

    /// Whether no request is in flight, if the program finishes its requests: it then finishes
    /// those that only may be in flight.
    var isIdleIfFinished: Bool {
        !connections.contains { $0.use == .inFlight } && (inFlight == 0 || !isPartial)
    }

    /// Whether no request is known to be in flight.
    var isLull: Bool {
        isIdle || !isPartial && !connections.contains { $0.use == .inFlight || $0.use == .unclear }
    }
}

extension ConnectionSample.Connection {
    /// Whether no request is in flight on it.
    fileprivate var isIdle: Bool {
        switch use {
        case .idle: true
        case .quiet, .unclear: hasReader
        case .answered, .inFlight: false
        }
    }
}
