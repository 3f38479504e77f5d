import CSupervise
import Glibc

/// The credentials of a process, resolved in advance: the child of a fork cannot look up names.
public struct Credentials: Hashable, Sendable {
    /// The user.
    public let uid: UInt32
    /// The primary group.
    public let gid: UInt32
    /// The supplementary groups, which replace those of the parent.
    public let supplementaryGroups: [UInt32]

    /// Creates credentials.
    public init(uid: UInt32, gid: UInt32, supplementaryGroups: [UInt32]) {
        self.uid = uid
        self.gid = gid
        self.supplementaryGroups = supplementaryGroups
    }

    /// Whether this process already has these credentials. Only root can set supplementary groups,
    /// so for other users a matching user and group are sufficient.
    public var areOurs: Bool {
        guard uid == getuid(), uid == geteuid(), gid == getgid(), gid == getegid() else {
            return false
        }
        var groups = [gid_t](repeating: 0, count: Int(max(0, getgroups(0, nil))))
        let count = getgroups(Int32(groups.count), &groups)
        let current = Set(groups.prefix(Int(max(0, count))))
        return uid != 0 || current.union([gid]) == Set(supplementaryGroups).union([gid])
    }
}

/// A resource limit of getrlimit(2).
public struct ResourceLimit: Hashable, Sendable, Codable {
    /// RLIMIT_NOFILE, the number of open files.
    public static let openFiles = Int32(RLIMIT_NOFILE.rawValue)
    /// RLIMIT_AS, the address space in bytes.
    public static let addressSpace = Int32(RLIMIT_AS.rawValue)
    /// RLIMIT_CORE, the size of a core file in bytes.
    public static let coreSize = Int32(RLIMIT_CORE.rawValue)
    /// RLIM_INFINITY.
    public static let unlimited = UInt64.max

    /// The RLIMIT number.
    public let resource: Int32
    /// The soft limit.
    public let soft: UInt64
    /// The hard limit.
    public let hard: UInt64

    /// Creates a limit of this resource.
    public init(resource: Int32, soft: UInt64, hard: UInt64) {
        self.resource = resource
        self.soft = soft
        self.hard = hard
    }
}

/// The attributes that a process sets before it executes its program.
public struct SpawnAttributes: Hashable, Sendable {
    /// The credentials; nil, or those of this process, means no change.
    public var credentials: Credentials?
    /// The working directory, entered as the new user.
    public var workingDirectory: String?
    /// The file mode creation mask, umask(2).
    public var umask: UInt32?
    /// Resource limits, set in this order before privileges are dropped. If the parent has raised
    /// its own limit of open files, include the original one.
    public var limits: [ResourceLimit] = []
    /// The nice value, -20 to 19 (setpriority(2)).
    public var nice: Int32?
    /// Written to /proc/self/oom_score_adj, -1000 to 1000 (proc_pid_oom_score_adj(5)).
    public var oomScoreAdjust: Int32?
    /// The signal that the process receives when the parent *thread* exits
    /// (PR_SET_PDEATHSIG(2const)).
    public var deathSignal: Int32?
    /// Whether to clear our ambient capabilities (capabilities(7)), which the program would
    /// otherwise inherit as any user.
    public var dropsAmbientCapabilities = false
    /// Whether we intercept each bind(2) of the process and its descendants; see
    /// `InterceptedBinds`.
    public var interceptsBinds = false

    /// Creates attributes that change nothing.
    public init() {}
}

/// A step of a start, in execution order.
public enum SpawnStep: Int32, Hashable, Sendable, CustomStringConvertible, Codable {
    /// clone(2) itself, or its pipe: the machine lacks a resource.
    case fork = 1
    /// setpgid(2).
    case processGroup
    /// rt_sigaction(2).
    case signals
    /// /dev/null as descriptor 0.
    case standardInput
    /// The output file or pipe as descriptors 1 and 2.
    case output
    /// The filter on bind(2), seccomp(2).
    case filter
    /// The passed descriptors, and close-on-exec for all others.
    case descriptors
    /// prlimit(2).
    case limits
    /// setpriority(2).
    case nice
    /// /proc/self/oom_score_adj.
    case oomScoreAdjust
    /// setgroups(2).
    case groups
    /// setresgid(2).
    case group
    /// setresuid(2).
    case user
    /// PR_CAP_AMBIENT(2const).
    case capabilities
    /// chdir(2).
    case chdir
    /// PR_SET_PDEATHSIG(2const).
    case deathSignal
    /// rt_sigprocmask(2).
    case signalMask
    /// execve(2).
    case exec

    /// The name of the step in messages.
    public var description: String {
        switch self {
        case .fork: "fork"
        case .processGroup: "setpgid"
        case .signals: "sigaction"
        case .standardInput: "/dev/null"
        case .output: "output"
        case .filter: "seccomp"
        case .descriptors: "passing descriptors"
        case .limits: "setrlimit"
        case .nice: "nice"
        case .oomScoreAdjust: "oom_score_adj"
        case .groups: "setgroups"
        case .group: "setgid"
        case .user: "setuid"
        case .capabilities: "ambient capabilities"
        case .chdir: "chdir"
        case .deathSignal: "death signal"
        case .signalMask: "sigprocmask"
        case .exec: "exec"
        }
    }
}

/// A failed start.
public struct SpawnFailure: Error, Hashable, Sendable, CustomStringConvertible, Codable {
    /// The failed step. `.fork` is a shortage of the machine (EAGAIN, ENOMEM, EMFILE); the others
    /// are mostly mistakes of the operator.
    public let step: SpawnStep
    /// The errno.
    public let code: Int32

    /// Creates a failure.
    public init(step: SpawnStep, code: Int32) {
        self.step = step
        self.code = code
    }

    /// Whether the same start may succeed later: the machine lacks a resource, or the program's
    /// file is being written.
    public var isTransient: Bool {
        step == .fork || [EAGAIN, ENOMEM, EMFILE, ENFILE, ETXTBSY].contains(code)
    }

    /// The message of strerror(3): `No such file or directory`.
    public var message: String { SystemCallError.message(of: code) }

    /// Step and message: `exec: No such file or directory`.
    public var description: String { "\(step): \(message)" }
}
