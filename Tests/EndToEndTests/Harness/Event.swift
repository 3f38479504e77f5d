/// The names of the log's events that the tests wait for.
enum Event {
    /// A listener is bound; `address`.
    static let listening = "listening"
    /// A worker's program runs.
    static let started = "started"
    /// A worker is ready; `pool`, `slot`, `pid`, `generation`.
    static let ready = "ready"
    /// A worker is to be replaced; `cause`.
    static let due = "due"
    /// A worker was told to go; `cause`.
    static let retiring = "retiring"
    /// A worker is gone; `cause`, and `status` or `signal`.
    static let exit = "exited"

    /// A slot starts its next worker only later; `delay`.
    static let backoff = "backoff"

    /// The first worker of a new generation came to nothing; `cause`.
    static let canaryFailed = "canary-failed"
    /// The first worker of a new generation starts.
    static let canaryStarted = "canary-started"
    /// A reload was given up, the old generation serves on.
    static let reloadAborted = "reload-aborted"
    /// A reload's generation is in force, and its pools roll over.
    static let reloadCommitted = "reload-committed"
    /// Every worker is of the new generation, and nothing of an older one is left.
    static let reloadComplete = "reload-complete"
}
