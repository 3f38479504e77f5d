/// Messages that are logged only once.
enum LoggedOnce: Hashable, Codable {
    /// The master has started.
    case masterStarted
    /// A missing requirement of adoption or counting.
    case adoption(String)
    /// A worker of this pool was adopted from outside.
    case adopted(pool: Int)
    /// A worker of this pool could not be adopted from outside, for this reason.
    case notAdopted(pool: Int, reason: String)
    /// Workers of this pool bind an address that differs from the pool's only in its family.
    case alsoBinds(pool: Int)
    /// The binds of this pool's workers are also handled from outside.
    case filtersToo(pool: Int)
    /// The workers of this pool run with no_new_privs.
    case noNewPrivileges(pool: Int)
    /// Workers of this pool cannot be sampled, for this reason.
    case unobservable(pool: Int, reason: String)
    /// The notify sockets of this pool are open to all users.
    case unguardedNotifySocket(pool: Int)
    /// A worker altered the listener of this address.
    case interference(address: String)
    /// Processes cannot be killed as a group.
    case noKillGroup
    /// The observer cannot run here.
    case observerBroken
    /// Requests of this pool are not counted.
    case uncounted(pool: Int)
    /// The source of this pool's request counts.
    case counting(pool: Int)
    /// Connections cannot be announced to this elastic pool.
    case arrivalsUnwatched(pool: Int)
    /// `timeout` has no effect on this pool.
    case timeoutUnused(pool: Int)
    /// `request-timeout` has no effect on this pool, because its requests are not visible.
    case requestsInvisible(pool: Int)
    /// A worker of this pool listens, and the pool has no bind.
    case unboundListener(pool: Int)
    /// A program of this pool runs itself in the background.
    case daemon(pool: Int)
    /// This signal is ignored.
    case signalIgnored(Int32)
    /// Changes of the clock cannot be detected.
    case clockUnwatched
    /// The service manager could not be reached.
    case serviceManagerUnreachable
}
