/// What a pool is told. Each comes with the time at which it is handled.
public enum Event: Equatable, Sendable {
    /// The pool starts its workers.
    case start
    /// `nextDeadline` has come. Told after every other event of the turn.
    case deadline
    /// The caller could not run for this long (the machine was suspended, the control group frozen).
    /// Told before all other events of the turn: workers may not have run either, and the deadlines
    /// set before get that time back.
    case late(by: TimeSpan)
    /// Something happened to a worker, or a worker said something.
    case worker(WorkerID, WorkerEvent)
    /// The pool was sampled, as the answer to `sample`. Follows the workers' counts. `mayRelieve` is
    /// whether no other pool is about to give memory back.
    case sampled(PoolSample, mayRelieve: Bool = true)
    /// So many workers more (or, negative, fewer); never below one.
    case resize(by: Int)
    /// An operator wants the worker of this slot replaced, or of every slot where none is named.
    case recycle(slot: Int?)
    /// All workers retire, the pool stays. `unpark` and `commit` bring them back.
    case park
    /// The workers of a parked pool come back.
    case unpark
    /// A new generation is tried with one worker, the canary.
    case prepare(generation: Int, PoolPolicy)
    /// The prepared generation takes over. With `isEmptying` a listener is given up, and those who
    /// have it stay until nobody waits there any more, which `emptied` tells.
    case commit(isEmptying: Bool = false)
    /// Nobody waits any more at the listeners that are given up.
    case emptied
    /// The prepared generation is given up.
    case abort
    /// The pool stops. A graceful stop may have less than the graceful timeout left.
    case stop(Haste, within: TimeSpan? = nil)
}

/// How fast a pool stops. A later, faster stop overtakes a slower one.
public enum Haste: Int, Comparable, Sendable, Codable {
    /// The stop-signal, the graceful timeout, SIGKILL.
    case graceful
    /// The quick-signal, two seconds, SIGKILL.
    case quick
    /// SIGKILL.
    case immediate

    /// Orders by speed.
    public static func < (a: Haste, b: Haste) -> Bool { a.rawValue < b.rawValue }
}

/// What happens to one worker.
public enum WorkerEvent: Equatable, Sendable {
    /// Its program runs: exec succeeded.
    case running
    /// It could not be started. There is no process.
    case startFailed(StartFailure)
    /// It said `READY=1`.
    case ready
    /// The kernel shows it waiting on a listener of the pool.
    case listening
    /// Whether it waits on a listener cannot be read. With `mayReport` it has loaded the preload library,
    /// which reports it when it comes to that.
    case unobservable(mayReport: Bool)
    /// It has served so many requests in all.
    case requests(UInt64)
    /// It has served so many requests more.
    case moreRequests(UInt64)
    /// The preload library has seen this many responses of it in total. They count as long as the worker
    /// reports no requests.
    case responses(UInt64)
    /// It has accepted this many connections in total, as the preload library counts them. They stand in
    /// for requests that are neither reported nor visible.
    case connections(UInt64)
    /// It uses this much memory, in bytes.
    case memory(bytes: UInt64)
    /// What looked at its memory before it is recycled is done, or could not be run.
    case evidenceGathered
    /// Its connections, as the answer to `sampleConnections`; nil if none came in time.
    case connectionSample(ConnectionSample?)
    /// Its connections can't be watched, as the answer to `drain` or `sampleConnections`.
    case undrainable
    /// It said `STOPPING=1`: it ends of its own accord.
    case stopping
    /// It said `X_RECYCLE=1`: it asks to be replaced.
    case recycleRequested
    /// It said `X_HOLD=…`: it asks not to be recycled for this long.
    case hold(TimeSpan)
    /// It said `WATCHDOG=1`: it is alive.
    case watchdog
    /// It said `WATCHDOG=trigger`: it knows that it is not well.
    case watchdogTriggered
    /// It said `EXTEND_TIMEOUT_USEC=…`: what it is doing takes this much longer from now on.
    case extendTimeout(TimeSpan)
    /// These requests were in flight when its process ended. Precedes `exited`.
    case endedDuring(RequestsInFlight)
    /// Its process ended. `leavesTree` says whether processes that it started live on.
    case exited(ExitStatus, leavesTree: Bool)
    /// The last process that it left behind is gone.
    case treeGone
}

/// How a process ended (wait(2)).
public enum ExitStatus: Hashable, Sendable, Codable {
    /// It called exit with this status.
    case code(Int32)
    /// A signal ended it.
    case signal(Signal)
    /// The kernel killed it, or a process that it waited for, for want of memory.
    case outOfMemory
}

/// Why a worker could not be started.
public struct StartFailure: Hashable, Sendable, Codable {
    /// The step that failed, such as `fork`, `chdir` or `exec`.
    public var step: String
    /// The system's message, such as `No such file or directory`.
    public var message: String
    /// Whether trying again may help: the system is short of processes, memory or descriptors. False
    /// for what an operator has to mend, such as a missing program.
    public var isTransient: Bool

    /// Describes a failed start.
    public init(step: String, message: String, isTransient: Bool) {
        self.step = step
        self.message = message
        self.isTransient = isTransient
    }
}
