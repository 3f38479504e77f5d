/// The names of the log events that the tests wait for.
enum Event {
    /// A listener is bound; `address`.
    static let listening = "listening"
    /// The program of a worker runs.
    static let started = "started"
    /// A worker is ready; `pool`, `slot`, `pid`, `generation`.
    static let ready = "ready"
    /// The recycling of a worker is scheduled; `cause`.
    static let recycleScheduled = "recycle-scheduled"
    /// A worker was asked to stop; `cause`.
    static let retiring = "retiring"
    /// A worker has exited; `cause`, and `status` or `signal`.
    static let exit = "exited"

    /// The next start of a slot is delayed; `delay`.
    static let backoff = "backoff"

    /// The canary failed; `cause`.
    static let canaryFailed = "canary-failed"
    /// The canary passed.
    static let canaryPassed = "canary-passed"
    /// The canary starts.
    static let canaryStarted = "canary-started"
    /// A reload was aborted; the old generation keeps serving.
    static let reloadAborted = "reload-aborted"
    /// A reload was committed, and its pools roll over.
    static let reloadCommitted = "reload-committed"
    /// Every worker belongs to the new generation, and no older one is left.
    static let reloadComplete = "reload-complete"
}
