import SuperviseCore

/// The settings of one pool.
public struct PoolSettings: Equatable, Sendable {
    /// The pool's name, 1 to 64 of `A-Za-z0-9_-`.
    public var name: String

    /// The addresses of the pool's listeners, in the order of the workers' descriptors.
    public var binds: [BindAddress] = [] {
        didSet { policy.hasListeners = !binds.isEmpty }
    }
    /// The length of the accept queue of each listener, as for listen(2).
    public var backlog = 2048
    /// The permissions of unix socket files.
    public var socketMode: UInt32 = 0o660
    /// The owner of unix socket files: `USER`, `USER:GROUP` or `:GROUP`; nil means the master's user.
    public var socketOwner: String?
    /// Whether the listeners are set to O_NONBLOCK.
    public var nonblocking = false
    /// Whether the environment of the workers announces the listeners, as systemd does.
    public var passListeners = true

    /// The program and its arguments, with placeholders: see `expandPlaceholders`.
    public var command: [String] = []
    /// The number of workers. A count is copied to `policy`; the master resolves `auto`.
    public var workers = WorkerCount.count(1) {
        didSet {
            policy.minimumWorkers = nil
            switch workers {
            case .count(let count): policy.workers = count
            case .range(let range):
                policy.workers = range.upperBound
                policy.minimumWorkers = range.lowerBound
            case .auto: break
            }
        }
    }
    /// When the command runs; nil means that the workers run all the time.
    public var schedule: Schedule? { didSet { policy.runs = runRule } }
    /// The time zone of the schedule.
    public var scheduleTimeZone = ScheduleTimeZone.local { didSet { policy.runs = runRule } }
    /// What happens to a run that is due while the last one has not ended.
    public var overlap = RunOverlap.skip { didSet { policy.runs = runRule } }
    /// The number of slots that may boot their first worker at the same time; nil means one per processor,
    /// at least 2.
    public var bootParallel: Int?
    /// Variables added to the environment of the workers; of two with the same name, the later one applies.
    public var environment: [EnvironmentVariable] = []
    /// Files of such variables, read before `environment` is added. See
    /// `Configuration.inliningEnvironmentFiles`.
    public var environmentFiles: [String] = []
    /// Whether the workers start without the master's environment.
    public var clearEnvironment = false
    /// The working directory of the workers; nil means that of the master.
    public var workingDirectory: String?
    /// The user that the workers run as, a name or number; nil means that of the master.
    public var user: String?
    /// The group that the workers run as, a name or number; nil means that of the user, or else that of
    /// the master.
    public var group: String?
    /// The umask(2) of the workers; nil means that of the master.
    public var umask: UInt32?
    /// RLIMIT_AS in bytes (setrlimit(2)); nil keeps the inherited limit.
    public var addressSpaceLimit: ResourceLimit?
    /// RLIMIT_NOFILE; nil keeps the inherited limit.
    public var openFilesLimit: ResourceLimit?
    /// RLIMIT_CORE in bytes; nil keeps the inherited limit.
    public var coreSizeLimit: ResourceLimit?
    /// The nice value of the workers, -20 to 19; nil keeps the inherited one.
    public var nice: Int?
    /// The oom_score_adj of the workers, -1000 to 1000 (proc_pid_oom_score_adj(5)); nil keeps the
    /// inherited one.
    public var oomScoreAdjust: Int?
    /// How a worker that binds an address of the pool gets the listener.
    public var adopt = AdoptRule.auto
    /// The source of request counts.
    public var count = CountRule.auto
    /// What writes to the ledger of requests.
    public var requestInfo = RequestInfoRule.auto
    /// The process that workers are forked from.
    public var mold = MoldRule.off {
        didSet { policy.usesMold = mold != .off }
    }
    /// The names of what the mold loads, in order.
    public var moldImports: [String] = []
    /// Whether workers may share connections and epoll sets of the mold.
    public var moldShares = MoldShareRule.refuse

    /// Whether a reload compares the responses of its first new worker with those of the old workers.
    public var canaryCheck = CanaryCheckRule.auto

    /// Where the workers' stdout and stderr go.
    public var output = OutputRule.inherit
    /// What happens to prefixed output that the master's stderr cannot take.
    public var outputOverflow = OutputOverflow.drop
    /// The size in bytes at which a new output file begins; nil means never.
    public var outputMaximumBytes: UInt64? = 50 << 20
    /// The number of older output files.
    public var outputKeep = 5

    /// The processes whose memory counts against the caps.
    public var memoryScope = MemoryScope.tree

    /// How memory is measured.
    public var memoryMetric = MemoryMetric.rss

    /// The command that runs once per generation before its first worker, with its arguments; empty means
    /// none.
    public var beforeStart: [String] = []
    /// The longest time for it; nil means no limit.
    public var beforeStartTimeout: TimeSpan?
    /// The command that runs before a worker is recycled for memory, with its arguments; empty means
    /// none.
    public var beforeRecycle: [String] = []
    /// The signal that is sent before a worker is recycled for memory; nil means none.
    public var evidenceSignal: Signal?
    /// The file that the workers' memory is written to; nil means none.
    public var memoryLog: String?
    /// The interval between its entries.
    public var memoryLogInterval = TimeSpan.seconds(60)

    /// The signal that asks a worker to stop.
    public var stopSignal = Signal.terminate
    /// The signal for a quick stop; nil means `stopSignal`.
    public var quickSignal: Signal?
    /// The signal that workers receive when the master reopens its files; nil means none.
    public var reopenSignal: Signal?

    /// The policy of the pool's state machine.
    public var policy = PoolPolicy()

    /// Creates the default settings, without a command.
    public init(name: String) {
        self.name = name
    }
}

/// The number of workers of a pool.
public enum WorkerCount: Hashable, Sendable {
    /// A fixed number.
    case count(Int)
    /// As many as the load needs, within these bounds; the upper one is at least 1.
    case range(ClosedRange<Int>)
    /// One per processor that the CPU affinity and the cgroup limit allow.
    case auto
}

/// An environment variable of the workers.
public struct EnvironmentVariable: Hashable, Sendable {
    /// The name, without blanks, quotes and equals signs.
    public var name: String
    /// The value, without NUL.
    public var value: String

    /// Creates a variable.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// A limit of setrlimit(2).
public enum ResourceLimit: Hashable, Sendable {
    /// A number of bytes or descriptors.
    case limited(UInt64)
    /// RLIM_INFINITY.
    case unlimited
}

/// Where the stdout and stderr of workers go.
public enum OutputRule: Hashable, Sendable {
    /// To those of the master.
    case inherit
    /// To the master's stderr, line by line with a prefix.
    case prefix
    /// To this file, with the placeholders `{pool}` and `{slot}`.
    case file(String)
    /// To /dev/null.
    case none
}

/// What happens to output that cannot be written now.
public enum OutputOverflow: String, Hashable, Sendable, CaseIterable {
    /// It is dropped and counted.
    case drop
    /// The workers wait, for a bounded time.
    case block
}

/// How the memory of a process is measured.
public enum MemoryMetric: String, Hashable, Sendable, CaseIterable {
    /// The resident set, including shared pages.
    case rss
    /// Private pages and a proportional part of the shared ones.
    case pss
    /// Private pages.
    case uss
}

/// The processes that count as a worker.
public enum MemoryScope: String, Hashable, Sendable, CaseIterable {
    /// The worker and its descendants.
    case tree
    /// Only the worker.
    case process
}

/// How programs that open their own socket get the pool's listener.
public enum AdoptRule: String, Hashable, Sendable, CaseIterable {
    /// By the preload library if the program can load it, otherwise by seccomp.
    case auto
    /// By the preload library.
    case preload
    /// By seccomp user notification (seccomp_unotify(2)).
    case seccomp
    /// Disabled.
    case off
}

/// The process that workers are forked from.
public enum MoldRule: Hashable, Sendable {
    /// None: workers are exec'd.
    case off
    /// The adapter for the command's interpreter.
    case auto
    /// This command.
    case command([String])
}

/// What is done with a mold whose connections or epoll sets its workers would share.
public enum MoldShareRule: String, Hashable, Sendable, CaseIterable {
    /// It is not used.
    case refuse
    /// It is used.
    case allow
}

/// The source of request counts.
public enum CountRule: String, Hashable, Sendable, CaseIterable {
    /// The reported count or, without one, the count of the preload library.
    case auto
    /// The reported count.
    case report
    /// The count of the preload library.
    case preload
    /// None.
    case off
}

/// What writes to the ledger of a worker's requests.
public enum RequestInfoRule: String, Hashable, Sendable, CaseIterable {
    /// The preload library, and the program itself.
    case auto
    /// The program itself.
    case report
    /// Nothing.
    case off
}

/// Whether a reload's first new worker is compared with the old workers.
public enum CanaryCheckRule: String, Hashable, Sendable, CaseIterable {
    /// If their responses are visible.
    case auto
    /// Never.
    case off
}

extension PoolSettings {
    private var runRule: RunRule? {
        schedule.map {
            RunRule(
                schedule: $0.description(in: scheduleTimeZone), overlap: overlap)
        }
    }

    /// The value of a setting as written in a config file, for messages; nil if it is not set.
    public func writtenValue(of key: String) -> String? {
        guard case .pool(let field) = Setting.named(key)?.field else { return nil }
        let texts = field.texts(self)
        return texts.isEmpty ? nil : texts.joined(separator: ", ")
    }
}
