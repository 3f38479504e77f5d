import SuperviseCore
import SuperviseLinux
import SuperviseState

/// The purpose of a sample.
enum ObservationPurpose {
    /// Whether this worker is ready.
    case readiness(WorkerID)
    /// Whether this worker, which listens elsewhere, also serves one of our listeners.
    case listensElsewhere(WorkerID, HeldListeners)
    /// The connections of this worker.
    case connections(WorkerID)
    /// The response to a bind(2), by the serial of the filter's worker.
    case bind(serial: UInt64, InterceptedBinds.Call)
    /// What the workers of the mold with this serial would share.
    case mold(serial: UInt64)

    /// The system calls that a response depends on.
    enum Kind {
        case readiness
        case connections
        case bind
        case mold
    }

    var kind: Kind {
        switch self {
        case .readiness, .listensElsewhere: .readiness
        case .connections: .connections
        case .bind: .bind
        case .mold: .mold
        }
    }
}

/// A request to an observer.
enum ObservationRequest: Codable {
    /// Whether these processes wait on one of these listeners.
    case evidence(root: Int32, listeners: [FileIdentity])
    /// A sample of a worker's connections.
    case connections(ConnectionRequest)
    /// Respond to this call with these listeners. The message carries the filter and the listeners.
    case bind(InterceptedBinds.Call, [Listener])
    /// What the process `pid` would share with those forked from it: see `MoldInspection`.
    case mold(pid: Int32, except: Int32, inherited: [String])

    /// The properties of a listener, apart from its descriptor.
    struct Listener: Codable {
        var file: ListenSocket.File?
        var isAdopted: Bool
        var listensOnDemand: Bool
    }

    var bytes: [UInt8] {
        do throws(StateFault) {
            return try State.encode(self)
        } catch {
            preconditionFailure("a request of ours can be coded: \(error)")
        }
    }
}

/// A response of an observer.
enum ObservationReply: Codable {
    case evidence(AcceptEvidence)
    case connections(ConnectionReply)
    case bind(InterceptedBinds.Answer)
    case mold(MoldInspection)
}

/// A descriptor that another object keeps open.
struct OwnedDescriptorReference {
    let number: Int32
    private let owner: AnyObject

    init(_ number: Int32, of owner: AnyObject) {
        self.number = number
        self.owner = owner
    }
}

/// The observer's program: see `Observer`.
enum ObserverProgram {
    /// Handles requests until the master closes the connection. Returns the exit code.
    static func run() -> Int32 {
        ProcessTitle.setName("supervise")
        SpareDescriptors.keep()
        let sampler = ConnectionSampler()
        do {
            let socket = MessageSocket(try HandedDescriptors.take(Observer.socketDescriptor))
            while true {
                let message = try socket.receive(waits: true)
                guard !message.bytes.isEmpty else { return 0 }
                let request = try State.decode(ObservationRequest.self, from: message.bytes)
                let reply = try answer(request, message.descriptors, sampler)
                try socket.send(State.encode(reply), waits: true)
            }
        } catch {
            return 1
        }
    }

    private static func answer(
        _ request: ObservationRequest, _ descriptors: [OwnedDescriptor],
        _ sampler: ConnectionSampler
    ) throws -> ObservationReply {
        switch request {
        case .evidence(let root, let listeners):
            return .evidence(
                AcceptEvidence.observe(
                    from: root, listeners: listeners, depth: .thorough, within: .besideLoop()))
        case .connections(let request): return .connections(sampler.sample(request))
        case .bind(let call, let listeners):
            guard descriptors.count == listeners.count + 1 else {
                throw SystemCallError(call: "recvmsg", code: 0)
            }
            let sockets = try zip(listeners, descriptors.dropFirst()).map { listener, descriptor in
                try ListenSocket.resume(
                    descriptor.duplicate(), file: listener.file, isAdopted: listener.isAdopted,
                    listensOnDemand: listener.listensOnDemand)
            }
            let binds = InterceptedBinds(try descriptors[0].duplicate())
            return .bind(binds.answer(call, with: sockets))
        case .mold(let pid, let except, let inherited):
            return .mold(MoldInspection(of: pid, except: except, inherited: inherited))
        }
    }
}
