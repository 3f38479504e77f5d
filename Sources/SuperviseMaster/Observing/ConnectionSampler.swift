import SuperviseCore
import SuperviseLinux

/// A request for a sample of a worker's connections.
struct ConnectionRequest: Codable {
    /// The worker's process, and its orphans.
    var roots: [Int32]
    /// The ports of its listeners.
    var ports: Set<UInt16>
    /// The inodes of its listeners.
    var listeners: Set<UInt64>
    var stopSignal: Int32
    /// The library that a process with a listener must have loaded; nil once that is known.
    var library: String?
    /// Whether to shut down connections without a known request in flight.
    var endsIdle: Bool

    /// The worker's current processes, parents first.
    fileprivate var tree: [Int32] {
        roots + roots.flatMap { ProcessTree.descendants(of: $0) }
    }
}

/// The reply to it.
enum ConnectionReply: Codable {
    /// The connections cannot be read, or the worker cannot be stopped from accepting them.
    case unreadable
    case sample(Sample)

    struct Sample: Codable {
        var connections: [Connection]
        var count: Int
        var acceptors: [BlockedThreads.Acceptor]
        var hasRunning: Bool
        var handlesStopSignal: Bool
        var endedIdle: Bool
        var cost: TimeSpan
    }

    /// Coded as a list, which keeps messages small.
    struct Connection: Codable {
        let inCore: ConnectionSample.Connection

        init(_ connection: ConnectionSample.Connection) { inCore = connection }

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            inCore = ConnectionSample.Connection(
                id: try list.decode(UInt64.self),
                use: try list.decode(ConnectionSample.Use.self),
                sent: try list.decode(UInt32.self), received: try list.decode(UInt32.self),
                hasReader: try list.decode(Bool.self))
        }

        func encode(to encoder: any Encoder) throws {
            var list = encoder.unkeyedContainer()
            try list.encode(inCore.id)
            try list.encode(inCore.use)
            try list.encode(inCore.sent)
            try list.encode(inCore.received)
            try list.encode(inCore.hasReader)
        }
    }
}

extension ConnectionReply.Sample {
    var inCore: ConnectionSample {
        ConnectionSample(
            connections.map(\.inCore), count: count, acceptors: acceptors.count,
            hasRunning: hasRunning, handlesStopSignal: handlesStopSignal, endedIdle: endedIdle,
            cost: cost)
    }
}

/// Takes samples of connections, in the observer.
final class ConnectionSampler {
    /// The number that fits into a message.
    private static let mostConnections = 1_000
    private static let mostAcceptors = 500
    private static let mostRounds = 3
    /// Opened when first needed.
    private var diagnosis: SocketDiagnosis?

    func sample(_ request: ConnectionRequest) -> ConnectionReply {
        let begin = MonotonicClock.nanoseconds()
        let budget = SampleBudget.ofConnections()
        do throws(SystemCallError) {
            if let library = request.library {
                guard try holds(library, request.tree, request, within: budget) else {
                    return .unreadable
                }
            }
            var tree = request.tree
            var held = try connections(of: tree, request, within: budget)
            // A child that was forked meanwhile may hold a connection that its parent has closed
            // (sshd).
            for _ in 0..<Self.mostRounds {
                let grown = request.tree
                guard !Set(grown).isSubset(of: tree) else { break }
                tree = grown
                held = try connections(of: tree, request, within: budget)
            }
            guard var held else { return .unreadable }
            // With a request in flight, the threads are irrelevant.
            var threads: BlockedThreads?
            if !held.contains(where: { $0.use == .inFlight }) {
                threads = BlockedThreads(of: tree, listeners: request.listeners)
                // A thread that has just left accept(2) may have returned with a connection.
                guard let later = try connections(of: tree, request, within: budget) else {
                    return .unreadable
                }
                held = later
            }
            return .sample(reply(held, threads, tree, request, since: begin))
        } catch {
            return .unreadable
        }
    }

    private func holds(
        _ library: String, _ tree: [Int32], _ request: ConnectionRequest,
        within budget: SampleBudget
    ) throws(SystemCallError) -> Bool {
        var holders: [Int32] = []
        for pid in tree
        where try !ProcessSockets.inodes(of: pid, within: budget)
            .isDisjoint(with: request.listeners)
        {
            holders.append(pid)
        }
        return ProcessMaps.contain("/" + library, in: holders) == true
    }

    private func reply(
        _ held: [HeldConnection], _ threads: BlockedThreads?, _ tree: [Int32],
        _ request: ConnectionRequest, since begin: Int64
    ) -> ConnectionReply.Sample {
        let connections = held.map { connection in
            ConnectionSample.Connection(
                id: connection.inode, use: connection.use.inCore, sent: connection.segmentsSent,
                received: connection.segmentsReceived,
                hasReader: threads?.read.contains(connection.inode) ?? false)
        }
        let byUse = connections.sorted { $0.rank < $1.rank }
        let acceptors = threads?.acceptors.filter(\.isInterruptible) ?? []
        return ConnectionReply.Sample(
            connections: byUse.prefix(Self.mostConnections).map(ConnectionReply.Connection.init),
            count: held.count, acceptors: Array(acceptors.prefix(Self.mostAcceptors)),
            hasRunning: threads?.hasRunning ?? false,
            handlesStopSignal: tree.contains { ProcessSignals.handles(request.stopSignal, $0) },
            endedIdle: request.endsIdle,
            cost: TimeSpan(nanoseconds: MonotonicClock.nanoseconds() - begin))
    }

    /// Reads the kernel's tables only if the worker's sockets cannot be copied. Nil if the tables
    /// do not show the connections either.
    private func connections(
        of tree: [Int32], _ request: ConnectionRequest, within budget: SampleBudget
    ) throws(SystemCallError) -> [HeldConnection]? {
        guard !request.ports.isEmpty else { return [] }
        // Many connections may never be idle at the same time, but each of them is at some time.
        if let held = try HeldConnections.list(
            of: tree, ports: request.ports, within: budget, endsAnswered: request.endsIdle)
        {
            return held
        }
        // Listeners of another network namespace are not in our tables, nor are their connections.
        guard let tables = tables(of: request.ports),
            request.listeners.isSubset(of: tables.listeners)
        else { return nil }
        var held: Set<UInt64> = []
        for pid in tree { held.formUnion(try ProcessSockets.inodes(of: pid, within: budget)) }
        return tables.connections(among: held)
    }

    private func tables(of ports: Set<UInt16>) -> PortConnections? {
        do throws(SystemCallError) {
            if diagnosis == nil { diagnosis = try SocketDiagnosis() }
            guard let diagnosis else { return nil }
            return try PortConnections(ports: ports, diagnosis)
        } catch {
            // The rest of the response would be read as the response to the next request.
            diagnosis = nil
            return nil
        }
    }
}

extension ConnectionSample.Connection {
    /// Orders connections so that the decisive ones come first.
    fileprivate var rank: Int { use.rawValue * 2 + (hasReader ? 1 : 0) }
}

extension HeldConnection.Use {
    fileprivate var inCore: ConnectionSample.Use {
        switch self {
        case .inFlight: .inFlight
        case .unclear: .unclear
        case .answered: .answered
        case .quiet: .quiet
        case .idle: .idle
        }
    }
}
