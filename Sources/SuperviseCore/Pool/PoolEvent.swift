/// Inputs to a pool. Each is handled at a given time.
public enum PoolEvent: Equatable, Sendable {
    /// The pool starts its workers.
    case start
    /// `nextDeadline` was reached. Comes after all other events of the turn.
    case deadline
    /// The caller could not run for this long, because the machine was suspended or the control
    /// group was frozen. Comes before all other events of the turn: workers may not have run
    /// either, so earlier deadlines are extended by that time.
    case late(by: TimeSpan)
    /// An event or a message of a worker.
    case worker(WorkerID, WorkerEvent)
    /// Something happened to a mold.
    case mold(MoldID, MoldEvent)
    /// The pool was sampled, as the response to `sample`. Comes after the workers' counts.
    /// `mayRelieve` is whether no other pool is about to release memory.
    case sampled(PoolSample, mayRelieve: Bool = true)
    /// This many more workers (or, negative, fewer); never below one. Moves both bounds of an
    /// elastic pool.
    case resize(by: Int)
    /// The bounds of an elastic pool.
    case setBounds(WorkerBounds)
    /// A connection arrived at a listener, as the response to `awaitConnection`.
    case connectionAnnounced
    /// An operator requests a replacement for the worker of this slot, or of every slot if it is
    /// nil.
    case recycle(slot: Int?)
    /// An event about the runs of a pool with a schedule.
    case run(RunEvent)
    /// An event about the hunt of its requests.
    case hunt(HuntEvent)
    /// All workers retire, and the pool stays. `unpark` and `commit` resume it.
    case park
    /// The workers of a parked pool start again.
    case unpark
    /// A new generation is tried with one worker, the canary.
    case prepare(generation: Int, PoolPolicy)
    /// The prepared generation takes over. With `isEmptying` it lacks a listener, and the workers
    /// that have it stay until no connection waits there, which `emptied` reports.
    case commit(isEmptying: Bool = false)
    /// No connection waits any longer at the removed listeners.
    case emptied
    /// The prepared generation is abandoned.
    case abort
    /// The pool stops. A graceful stop may have less than the graceful timeout left.
    case stop(Haste, within: TimeSpan? = nil)
}

/// The mode of a stop. A later, faster stop replaces a slower one.
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

/// Events of one worker.
public enum WorkerEvent: Equatable, Sendable {
    /// Its program runs: exec succeeded.
    case running
    /// It could not be started. There is no process.
    case startFailed(StartFailure)
    /// It sent `READY=1`.
    case ready
    /// The kernel shows it waiting on a listener of the pool.
    case listening
    /// The kernel cannot show whether it waits on a listener. With `mayReport` it has loaded the
    /// preload library, which will report it.
    case unobservable(mayReport: Bool)
    /// The total of requests that it has served.
    case requests(UInt64)
    /// The number of additional requests that it has served.
    case moreRequests(UInt64)
    /// The total of responses that the preload library has observed. They count as long as the
    /// worker reports no requests.
    case responses(UInt64)
    /// The total of connections that it has accepted, as counted by the preload library. They count
    /// as requests if those are neither reported nor visible.
    case connections(UInt64)
    /// Its memory in bytes. `isServing` is whether a request was in flight.
    case memory(bytes: UInt64, isServing: Bool = false)
    /// The command that inspects its memory before it is recycled has ended, or could not be run.
    case evidenceGathered
    /// Its connections, as the response to `sampleConnections`; nil if none arrived in time.
    case connectionSample(ConnectionSample?)
    /// Its connections cannot be sampled, as the response to `drain` or `sampleConnections`.
    case undrainable
    /// It sent `STOPPING=1`: it ends by itself.
    case stopping
    /// It sent `X_RECYCLE=1`: it requests its replacement.
    case recycleRequested
    /// It sent `X_HOLD=…`: it postpones its recycling for this long.
    case hold(TimeSpan)
    /// It sent `WATCHDOG=1`: it is alive.
    case watchdog
    /// It sent `WATCHDOG=trigger`: it reports its own failure.
    case watchdogTriggered
    /// It sent `EXTEND_TIMEOUT_USEC=…`: its current phase takes this much longer from now on.
    case extendTimeout(TimeSpan)
    /// These requests were in flight when its process ended. Precedes `exited`.
    case endedDuring(RequestsInFlight)
    /// Its process ended. `leavesTree` is whether processes that it started still run.
    case exited(ExitStatus, leavesTree: Bool)
    /// The last process that it left behind has ended.
    case treeGone
}

/// The way a process ended (wait(2)).
public enum ExitStatus: Hashable, Sendable, Codable {
    /// It called exit with this status.
    case code(Int32)
    /// A signal ended it.
    case signal(Signal)
    /// The kernel killed it, or a process that it waited for: out of memory.
    case outOfMemory
}

/// The reason for which a worker could not be started.
public struct StartFailure: Hashable, Sendable, Codable {
    /// The step that failed, such as `fork`, `chdir` or `exec`.
    public var step: String
    /// The system's message, such as `No such file or directory`.
    public var message: String
    /// Whether a retry may succeed, because the system is short of processes, memory or
    /// descriptors. False for a problem that an operator must fix, such as a missing program.
    public var isTransient: Bool

    /// Creates a failed start.
    public init(step: String, message: String, isTransient: Bool) {
        self.step = step
        self.message = message
        self.isTransient = isTransient
    }
}
