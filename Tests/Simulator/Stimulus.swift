import SuperviseCore

/// A stimulus in a small world. A process is identified by its index among those present, oldest
/// first. To add one: a case here, its condition in `Walk.stimuli`, its effect in
/// `SmallWorld.happen`.
package enum Stimulus: Hashable, Sendable {
    // Results of starts.
    /// The program runs.
    case runs(Int)
    /// The system refuses to create a process.
    case isRefused(Int)
    /// The program does not exist.
    case isMissing(Int)
    // Messages and actions of workers.
    /// It reports that it is ready.
    case getsReady(Int)
    /// It has served its first request.
    case servesOne(Int)
    /// It has served enough requests to notify the master.
    case serves(Int)
    /// It uses much memory, and is sampled.
    case grows(Int)
    /// It uses very much memory, and is sampled.
    case bursts(Int)
    /// It sends `X_RECYCLE=1`.
    case asks(Int)
    /// It sends `X_HOLD`.
    case holds(Int)
    /// It sends `STOPPING=1`.
    case announces(Int)
    /// It sends `WATCHDOG=1`.
    case beats(Int)
    /// It sends `WATCHDOG=trigger`.
    case triggers(Int)
    /// It sends `EXTEND_TIMEOUT_USEC`.
    case extends(Int)
    // Ends of processes. A process that ignores the stop-signal is one that does not end.
    /// It ends with status 0.
    case finishes(Int)
    /// It ends by its own signal, the stop-signal or SIGKILL.
    case crashes(Int)
    /// It ends and leaves processes behind.
    case leavesProcesses(Int)
    /// The processes that it left behind are gone.
    case treeEnds(Int)
    /// The last end is reported again.
    case repeatsEnd
    // Results of other commands and samples.
    /// The command that inspects a worker before it stops has ended.
    case hasEvidence(Int)
    /// A worker that accepts no new connections has served its existing ones.
    case isDrained(Int)
    /// A client reuses one of them.
    case reuses(Int)
    /// They cannot be sampled.
    case isUndrainable(Int)
    /// No connection waits at the closed listeners any longer.
    case empties
    /// Connections start to wait at the open listeners.
    case queueFills
    /// They no longer wait.
    case queueEmpties
    // Operator actions.
    case reload
    case reloadWithOthers
    case resize(Int)
    case park
    case stop(Haste)
    /// TERM.
    case terminates
    // Time.
    /// The next deadline is reached; or, if there is none, some time passes.
    case timePasses
    /// Half of the time to the next deadline passes.
    case halfTimePasses
    /// The master wakes up late: after a deadline, the next event is reported before the deadline.
    case oversleeps
    /// Nothing runs until some time after the next deadline.
    case freezes
}

/// Memory uses of a process; the caps of scenes are in between.
enum Memory: Int, Hashable {
    case usual
    case large
    case huge

    var bytes: UInt64 { UInt64(rawValue + 1) * 100 << 20 }
}
