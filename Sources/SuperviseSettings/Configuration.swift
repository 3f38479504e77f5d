/// The effective settings, after all layers.
public struct Configuration: Equatable, Sendable {
    /// The settings of the master.
    public var master: MasterSettings
    /// At least one pool, with unique names, in the order of the file.
    public var pools: [PoolSettings]

    /// Creates a configuration without any checks.
    public init(master: MasterSettings = MasterSettings(), pools: [PoolSettings]) {
        self.master = master
        self.pools = pools
    }

    /// The settings that differ from `old` and take effect only after a restart. A reload warns about
    /// them.
    public func keysWaitingForRestart(since old: Configuration) -> [String] {
        Setting.all.compactMap { setting in
            guard setting.reload == .restart, case .master(let field) = setting.field,
                field.texts(master) != field.texts(old.master)
            else { return nil }
            return setting.key
        }
    }

    /// The pool of the command line and of files without a pool section.
    public static let defaultPoolName = "default"
}

/// The settings of the master itself.
public struct MasterSettings: Equatable, Sendable {
    /// The name in logs and in the process title. Loading sets it to the stem of the config file, or
    /// else to the name of the command.
    public var name: String?
    /// The file that contains the process ID of the master, if any.
    public var pidfile: String?
    /// The minimum level of log lines.
    public var logLevel = LogLevel.info
    /// The format of log lines.
    public var logFormat = LogFormat.auto
    /// The destination of log lines.
    public var logFile = LogDestination.standardError
    /// The address of the control socket.
    public var control = ControlAddress.automatic
    /// Its permissions.
    public var controlMode: UInt32 = 0o600
    /// Its owner: `USER`, `USER:GROUP` or `:GROUP`; nil means the master's user.
    public var controlOwner: String?
    /// The address that serves the status, if any.
    public var statusBind: BindAddress?
    /// Whether it names routes of requests.
    public var statusRoutes = false
    /// The commands that are run for events.
    public var hooks: [EventHook] = []

    /// The defaults.
    public init() {}
}

/// The level of a log line, in increasing order of severity.
public enum LogLevel: String, Hashable, Sendable, CaseIterable, Codable {
    /// Each step of the master.
    case debug
    /// Normal operation: starts, recycles, exits.
    case info
    /// An unexpected condition.
    case warning
    /// A failure.
    case error
}

/// The format of log lines.
public enum LogFormat: String, Hashable, Sendable, CaseIterable {
    /// `text` on a terminal, else `logfmt`.
    case auto
    /// For people.
    case text
    /// `key=value` pairs.
    case logfmt
    /// One JSON object per line.
    case json
}

/// The destination of log lines.
public enum LogDestination: Hashable, Sendable {
    /// Standard error.
    case standardError
    /// A file that is appended to and reopened on USR1.
    case file(String)
}
