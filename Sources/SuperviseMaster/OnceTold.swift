/// What is said once and not again.
enum OnceTold: Hashable, Codable {
    /// The master has started.
    case masterStarted
    /// What adoption or counting needs and has not got.
    case adoption(String)
    /// A worker of this pool was adopted from outside.
    case adopted(pool: Int)
    /// A worker of this pool could not be adopted from outside, for this reason.
    case notAdopted(pool: Int, reason: String)
    /// Workers of this pool bind an address that is none of the pool's but for its family.
    case alsoBinds(pool: Int)
    /// The binds of this pool's workers are answered from outside too.
    case filtersToo(pool: Int)
    /// The workers of this pool run with no_new_privs.
    case noNewPrivileges(pool: Int)
    /// Workers of this pool cannot be sampled, for this reason.
    case unobservable(pool: Int, reason: String)
    /// The notify sockets of this pool are open to all.
    case unguardedNotifySocket(pool: Int)
    /// The observer cannot run here.
    case observerBroken
    /// Nothing counts the requests of this pool.
    case uncounted(pool: Int)
    /// What counts the requests of this pool.
    case counting(pool: Int)
    /// `timeout` does nothing for this pool.
    case timeoutUnused(pool: Int)
    /// A worker of this pool listens, and the pool has no bind.
    case unboundListener(pool: Int)
    /// A program of this pool puts itself in the background.
    case daemon(pool: Int)
    /// This signal has no meaning.
    case signalIgnored(Int32)
    /// The service manager could not be told something.
    case serviceManagerUnreachable
}
