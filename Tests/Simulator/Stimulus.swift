import SuperviseCore

/// One thing that happens in a small world. A process is named by its place among those present,
/// oldest first. To add one: a case here, when it applies in `Walk.stimuli`, what it does in
/// `SmallWorld.happen`.
package enum Stimulus: Hashable, Sendable {
    // What starts do.
    /// The program runs.
    case runs(Int)
    /// The system refuses to make a process.
    case isRefused(Int)
    /// The program is not there.
    case isMissing(Int)
    // What workers say and do.
    /// It says that it is ready.
    case getsReady(Int)
    /// It has served its first request.
    case servesOne(Int)
    /// It has served as many requests as make it speak up.
    case serves(Int)
    /// It uses much memory, and is measured.
    case grows(Int)
    /// It uses very much memory, and is measured.
    case bursts(Int)
    /// It says `X_RECYCLE=1`.
    case asks(Int)
    /// It says `X_HOLD`.
    case holds(Int)
    /// It says `STOPPING=1`.
    case announces(Int)
    /// It says `WATCHDOG=1`.
    case beats(Int)
    /// It says `WATCHDOG=trigger`.
    case triggers(Int)
    /// It says `EXTEND_TIMEOUT_USEC`.
    case extends(Int)
    // How processes end. One that does not hear the stop-signal is one that does not end.
    /// It ends with status 0.
    case finishes(Int)
    /// It ends by a signal: of its own, the stop-signal or SIGKILL.
    case crashes(Int)
    /// It ends and leaves processes behind.
    case leavesProcesses(Int)
    /// What it left behind is gone.
    case treeEnds(Int)
    /// The last end is told again.
    case repeatsEnd
    // What others answer.
    /// The command that looks at a worker before it goes has ended.
    case hasEvidence(Int)
    /// A worker that finds no new connections has served those that it had.
    case isDrained(Int)
    /// A client uses one of them again.
    case reuses(Int)
    /// They can't be watched.
    case isUndrainable(Int)
    /// Nobody waits at the shut doors any more.
    case empties
    /// Connections begin to wait at the open doors.
    case queueFills
    /// They do not wait any more.
    case queueEmpties
    // What the operator does.
    case reload
    case reloadWithOthers
    case resize(Int)
    case park
    case stop(Haste)
    /// TERM.
    case terminates
    // Time.
    /// The next deadline comes; or, where there is none, some quiet time passes.
    case timePasses
    /// Half of the time to the next deadline passes.
    case halfTimePasses
    /// The master wakes up late: the next thing is told after a deadline came and before it is told.
    case oversleeps
    /// Nobody runs until some time after the next deadline.
    case freezes
}

/// What a process may use; scenes have their caps in between.
enum Memory: Int, Hashable {
    case usual
    case large
    case huge

    var bytes: UInt64 { UInt64(rawValue + 1) * 100 << 20 }
}
