/// What the machine wants done. The master performs the actions of one event in order.
public enum Action: Equatable, Sendable {
    /// Start this worker's process; `running` or `startFailed` is the answer.
    case start(WorkerID, StartOrder)
    /// Send a signal to the worker's own process.
    case signal(WorkerID, StopSignal)
    /// Let the worker find no new connections; `undrainable` is the answer if that is not possible.
    case drain(WorkerID)
    /// Sample the connections of the worker; `connectionSample` or `undrainable` is the answer. With
    /// `endsIdle`, end each one on which no request is known to be in flight.
    case sampleConnections(WorkerID, endsIdle: Bool)
    /// Have the threads of the worker leave accept(2) that the last sample found in it.
    case interruptAcceptors(WorkerID)
    /// Send the stop-signal to the processes that an ended worker left behind.
    case signalTree(WorkerID)
    /// SIGKILL to all that is known to be the worker's.
    case kill(WorkerID)
    /// Look whether the worker waits on a listener; `listening` or `unobservable` is the answer, or
    /// nothing where it does not yet.
    case observe(WorkerID)
    /// Measure this worker alone; `memory` is the answer, unless it cannot be read.
    case measure(WorkerID)
    /// Sample this pool; `sampled` is the answer.
    case sample(pool: Int, SampleContents)
    /// Send the worker `evidence-signal` and run `before-recycle` about it, as far as they are set;
    /// `evidenceGathered` is the answer when the command has ended.
    case gatherEvidence(WorkerID, RecycleCause, WorkerFacts)
    /// From now on the worker is to speak up when it has served this many requests.
    case setBell(WorkerID, requests: UInt64)
    /// Tell what happened.
    case note(Notice)
}

/// What a new worker is given by the machine.
public struct StartOrder: Equatable, Sendable {
    /// The generation of settings that it runs with.
    public var generation: Int
    /// The number of requests after which it is recycled, drawn for it alone; nil where there is none.
    public var requestLimit: UInt64?

    /// The number of requests at which the worker is to speak up: its limit, or so much earlier that
    /// its replacement can boot meanwhile.
    public var bell: UInt64?

    /// Orders a worker of this generation.
    public init(generation: Int, requestLimit: UInt64? = nil, bell: UInt64? = nil) {
        self.generation = generation
        self.requestLimit = requestLimit
        self.bell = bell ?? requestLimit
    }
}

/// Which of the configured signals a worker gets.
public enum StopSignal: Equatable, Sendable {
    /// `stop-signal`.
    case stop
    /// `quick-signal`.
    case quick
    /// SIGABRT, which leaves a core file or a stack trace where that is set up.
    case abort
}
