import SuperviseCore

/// Everything that is set for one pool.
public struct PoolSettings: Equatable, Sendable {
    /// The pool's name, 1 to 64 of `A-Za-z0-9_-`.
    public var name: String

    /// What the pool listens on, in the order of the workers' descriptors.
    public var binds: [BindAddress] = [] {
        didSet { policy.hasListeners = !binds.isEmpty }
    }
    /// The accept queue of each listener, as listen(2) takes it.
    public var backlog = 2048
    /// The permissions of unix socket files.
    public var socketMode: UInt32 = 0o660
    /// The owner of unix socket files: `USER`, `USER:GROUP` or `:GROUP`; nil leaves the master's.
    public var socketOwner: String?
    /// Whether the listeners are set to O_NONBLOCK.
    public var nonblocking = false
    /// Whether the environment tells workers of the listeners as systemd and others do.
    public var passListeners = true

    /// The program and its arguments, with placeholders: see `expandPlaceholders`.
    public var command: [String] = []
    /// How many workers are kept. A count is copied to `policy`; `auto` is the master's to resolve.
    public var workers = WorkerCount.count(1) {
        didSet { if case .count(let count) = workers { policy.workers = count } }
    }
    /// Variables added to the workers' environment; of two with the same name the later counts.
    public var environment: [EnvironmentVariable] = []
    /// Files of such variables, read before `environment` is added. See
    /// `Configuration.inliningEnvironmentFiles`.
    public var environmentFiles: [String] = []
    /// Whether the workers start without the master's environment.
    public var clearEnvironment = false
    /// The folder that workers start in; nil is the master's.
    public var workingDirectory: String?
    /// The user that workers run as, a name or number; nil is the master's.
    public var user: String?
    /// The group that workers run as, a name or number; nil is the user's, else the master's.
    public var group: String?
    /// The workers' umask(2); nil is the master's.
    public var umask: UInt32?
    /// RLIMIT_AS in bytes (setrlimit(2)); nil leaves it.
    public var addressSpaceLimit: ResourceLimit?
    /// RLIMIT_NOFILE; nil leaves it.
    public var openFilesLimit: ResourceLimit?
    /// RLIMIT_CORE in bytes; nil leaves it.
    public var coreSizeLimit: ResourceLimit?
    /// The workers' nice value, -20 to 19; nil leaves it.
    public var nice: Int?
    /// The workers' oom_score_adj, -1000 to 1000 (proc_pid_oom_score_adj(5)); nil leaves it.
    public var oomScoreAdjust: Int?
    /// How a worker's own bind() to our address is answered with our listener.
    public var adopt = AdoptRule.auto
    /// Where request counts come from.
    public var count = CountRule.auto

    /// Whose memory counts against the caps.
    public var memoryScope = MemoryScope.tree

    /// What counts as memory.
    public var memoryMetric = MemoryMetric.rss

    /// What looks at a worker before it is recycled for its memory: a program and its arguments; empty
    /// is nothing.
    public var beforeRecycle: [String] = []
    /// What a worker gets before it is recycled for its memory; nil is nothing.
    public var evidenceSignal: Signal?
    /// The file that the workers' memory is written to; nil is none.
    public var memoryLog: String?
    /// How often that is.
    public var memoryLogInterval = TimeSpan.seconds(60)

    /// The signal that asks a worker to finish and end.
    public var stopSignal = Signal.terminate
    /// The signal of a quick stop; nil is `stopSignal`.
    public var quickSignal: Signal?
    /// What workers get when the master reopens its files; nil is nothing.
    public var reopenSignal: Signal?

    /// What the pool's state machine decides by.
    public var policy = PoolPolicy()

    /// A pool with the defaults, which lacks a command.
    public init(name: String) {
        self.name = name
    }
}

/// How many workers a pool keeps.
public enum WorkerCount: Hashable, Sendable {
    /// So many.
    case count(Int)
    /// One for each processor that affinity and the cgroup's limit allow.
    case auto
}

/// A variable of the workers' environment.
public struct EnvironmentVariable: Hashable, Sendable {
    /// The name, without blanks, quotes and equals signs.
    public var name: String
    /// The value, without NUL.
    public var value: String

    /// A variable.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// A limit of setrlimit(2).
public enum ResourceLimit: Hashable, Sendable {
    /// So many bytes or descriptors.
    case limited(UInt64)
    /// RLIM_INFINITY.
    case unlimited
}

/// What of a process counts as its memory.
public enum MemoryMetric: String, Hashable, Sendable, CaseIterable {
    /// The resident set, shared pages included.
    case rss
    /// Its own pages, and its part of the shared ones.
    case pss
    /// Its own pages.
    case uss
}

/// Whose memory is a worker's.
public enum MemoryScope: String, Hashable, Sendable, CaseIterable {
    /// The worker's and that of its descendants.
    case tree
    /// The worker's alone.
    case process
}

/// How programs that open their own socket get the pool's listener instead.
public enum AdoptRule: String, Hashable, Sendable, CaseIterable {
    /// By the preload library where the program can load it, else by seccomp.
    case auto
    /// By the preload library.
    case preload
    /// By seccomp user notification (seccomp_unotify(2)).
    case seccomp
    /// Not at all.
    case off
}

/// Where request counts come from.
public enum CountRule: String, Hashable, Sendable, CaseIterable {
    /// What the worker reports, else the connections that the preload library counts.
    case auto
    /// What the worker reports.
    case report
    /// The connections that the preload library counts.
    case preload
    /// Nowhere.
    case off
}
