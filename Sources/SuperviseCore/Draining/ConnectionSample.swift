/// The connections that a worker's processes have accepted from the pool's listeners, at one
/// moment.
public struct ConnectionSample: Equatable, Sendable {
    /// What the client of a connection waits for, as far as the kernel shows that.
    public enum Use: Int, Sendable, Codable, CaseIterable {
        /// A response: the last data were received, or are on their way.
        case inFlight
        /// Nothing happened for a second, and the last data sent and received were so close
        /// together that either may have been the last.
        case unclear
        /// Nothing was received since something was sent, a moment ago.
        case answered
        /// The same, and nothing at all happened for a second. The response may be complete, or one
        /// that pauses.
        case quiet
        /// Nothing: one side has ended the connection, or no request was sent so far.
        case idle
    }

    /// One connection.
    public struct Connection: Equatable, Sendable {
        /// A number that no other connection of the worker has.
        public var id: UInt64
        /// What its client waits for.
        public var use: Use
        /// Segments with data that the worker has sent so far.
        public var sent: UInt32
        /// Segments with data that the worker has received so far.
        public var received: UInt32
        /// Whether a thread of the worker waits to read from it: nothing else is going on there.
        public var hasReader: Bool

        /// Describes a connection.
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

    /// The connections; of very many, those whose clients wait for most.
    public var connections: [Connection]
    /// How many connections there are.
    public var count: Int
    /// How many threads wait to accept a connection and can be interrupted. 0 also if a request is
    /// in flight, which makes that irrelevant.
    public var acceptors: Int
    /// Whether the program handles the stop-signal, so that it can do something with time after it.
    public var handlesStopSignal: Bool
    /// Whether connections were ended on which no request is known to be in flight.
    public var endedIdle: Bool
    /// What it cost to take the sample.
    public var cost: TimeSpan
    /// The number of requests in flight that the worker has begun to receive; nil if requests are
    /// not visible.
    public var inFlight: Int?
    /// Whether there are connections that the sample does not show, as those of unix sockets.
    public var isPartial = false

    /// Describes a sample.
    public init(
        _ connections: [Connection] = [], count: Int? = nil, acceptors: Int = 0,
        handlesStopSignal: Bool = true, endedIdle: Bool = false, cost: TimeSpan = .zero
    ) {
        self.connections = connections
        self.count = count ?? connections.count
        self.acceptors = acceptors
        self.handlesStopSignal = handlesStopSignal
        self.endedIdle = endedIdle
        self.cost = cost
    }

    /// Whether it leaves connections out.
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

    private var hasIdleTraffic: Bool {
        connections.allSatisfy {
            switch $0.use {
            case .idle: true
            case .quiet, .unclear: $0.hasReader
            case .answered, .inFlight: false
            }
        }
    }

    /// Whether no request is in flight that a program drops which finishes its requests: it
    /// finishes what only may be one.
    var isIdleIfFinished: Bool {
        !connections.contains { $0.use == .inFlight } && (inFlight == 0 || !isPartial)
    }

    /// Whether no request is known to be in flight.
    var isLull: Bool {
        isIdle || !isPartial && !connections.contains { $0.use == .inFlight || $0.use == .unclear }
    }
}
