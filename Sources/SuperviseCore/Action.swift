/// Outputs of the machine. The master performs the actions of one event in order.
public enum Action: Equatable, Sendable {
    /// Start this worker's process. The response is `running` or `startFailed`.
    case start(WorkerID, StartOrder)
    /// Start the process of this mold; `warm`, `unusable` or `notStarted` is the answer.
    case startMold(MoldID)
    /// Let the mold end in order.
    case endMold(MoldID)
    /// SIGKILL to the mold and what belongs to it.
    case killMold(MoldID)
    /// Send a signal to the worker's own process.
    case signal(WorkerID, StopSignal)
    /// Let the worker find no new connections. The response is `undrainable` if that is not
    /// possible.
    case drain(WorkerID)
    /// Sample the connections of the worker. The response is `connectionSample` or `undrainable`.
    /// With `endsIdle`, end each connection without a known request in flight.
    case sampleConnections(WorkerID, endsIdle: Bool)
    /// Make the threads of the worker leave accept(2) that the last sample found in it.
    case interruptAcceptors(WorkerID)
    /// Send the stop-signal to the processes that an ended worker left behind.
    case signalTree(WorkerID)
    /// Send SIGKILL to all processes that are known to belong to the worker.
    case kill(WorkerID)
    /// Check whether the worker waits on a listener. The response is `listening` or `unobservable`,
    /// or none if it does not wait yet.
    case observe(WorkerID)
    /// Sample the memory of this worker alone. The response is `memory`, unless it cannot be read.
    case measure(WorkerID)
    /// Sample this pool. The response is `sampled`.
    case sample(pool: Int, SampleContents)
    /// Announce the next connection that arrives at a listener of this pool. The response is
    /// `connectionAnnounced`.
    case awaitConnection(pool: Int)
    /// Send the worker `evidence-signal` and run `before-recycle` for it, if they are set. The
    /// response is `evidenceGathered` when the command has ended.
    case gatherEvidence(WorkerID, RecycleCause, WorkerFacts)
    /// Set the number of requests at which the worker notifies the master.
    case setNotifyThreshold(WorkerID, requests: UInt64)
    /// Determine the time of the next run of a pool with a schedule. `after` is the one that is due
    /// now; nil if the schedule is new. The response is `planned`.
    case planRun(pool: Int, after: PlannedRun?)
    /// Sample the progress of the hunt of this worker. The response is `HuntEvent.sampled`.
    case sampleHunt(WorkerID)
    /// Report an occurrence.
    case note(Notice)
}

/// The parameters of a new worker.
public struct StartOrder: Equatable, Sendable {
    /// The generation of its settings.
    public var generation: Int
    /// The drawn number of requests after which it is recycled; nil if there is none.
    public var requestLimit: UInt64?

    /// The number of requests at which the worker notifies the master: its limit, or fewer, so that
    /// its replacement can boot meanwhile.
    public var notifyThreshold: UInt64?

    /// The mold that it is forked from; nil if it is exec'd.
    public var mold: MoldID?
    /// The hunt that the worker is for.
    public var hunt: HuntOrder?

    /// Orders a worker of this generation.
    public init(
        generation: Int, requestLimit: UInt64? = nil, notifyThreshold: UInt64? = nil,
        mold: MoldID? = nil, hunt: HuntOrder? = nil
    ) {
        self.generation = generation
        self.requestLimit = requestLimit
        self.notifyThreshold = notifyThreshold ?? requestLimit
        self.mold = mold
        self.hunt = hunt
    }
}

/// The configured signals for a worker.
public enum StopSignal: Equatable, Sendable {
    /// `stop-signal`.
    case stop
    /// `quick-signal`.
    case quick
    /// SIGABRT, which produces a core file or a stack trace if that is configured.
    case abort
}
