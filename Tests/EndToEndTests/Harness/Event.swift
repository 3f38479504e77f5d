/// The names of the log's events that the tests wait for.
enum Event {
    /// A listener is bound; `address`.
    static let listening = "listening"
    /// A worker is ready; `pool`, `slot`, `pid`, `generation`.
    static let ready = "ready"
    /// A worker is gone; `cause`, and `status` or `signal`.
    static let exit = "exited"

    /// A reload was given up, the old generation serves on.
    static let reloadAborted = "reload-aborted"
}
