/// Everything that is set, after all layers: what the master runs by.
public struct Configuration: Equatable, Sendable {
    /// The settings of the master.
    public var master: MasterSettings
    /// At least one pool, in the order of the file, with different names.
    public var pools: [PoolSettings]

    /// A configuration of these parts; nothing is checked.
    public init(master: MasterSettings = MasterSettings(), pools: [PoolSettings]) {
        self.master = master
        self.pools = pools
    }

    /// The master's settings that differ from those of `old` and count only after a restart, for a
    /// reload to say so.
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
    /// In logs and the process title. Loading fills it in: the config file's stem, else the
    /// command's name.
    public var name: String?
    /// Where the master writes its process id, if anywhere.
    public var pidfile: String?
    /// The least level that is logged.
    public var logLevel = LogLevel.info
    /// How a log line is written.
    public var logFormat = LogFormat.auto
    /// Where log lines go.
    public var logFile = LogDestination.standardError
    /// Where the control socket is.
    public var control = ControlAddress.automatic
    /// Its permissions.
    public var controlMode: UInt32 = 0o600
    /// Its owner: `USER`, `USER:GROUP` or `:GROUP`; nil leaves the master's.
    public var controlOwner: String?
    /// Where the status can be looked at, if anywhere.
    public var statusBind: BindAddress?
    /// The commands that are run when something happens.
    public var hooks: [EventHook] = []

    /// The defaults.
    public init() {}
}

/// How much is logged; each level holds those after it.
public enum LogLevel: String, Hashable, Sendable, CaseIterable, Codable {
    /// What the master does, step by step.
    case debug
    /// What happens: starts, recycles, exits.
    case info
    /// What works, but not as it should.
    case warning
    /// What does not work.
    case error
}

/// How a log line is written.
public enum LogFormat: String, Hashable, Sendable, CaseIterable {
    /// `text` on a terminal, else `logfmt`.
    case auto
    /// For people.
    case text
    /// `key=value` pairs.
    case logfmt
    /// One JSON object a line.
    case json
}

/// Where log lines go.
public enum LogDestination: Hashable, Sendable {
    /// Standard error.
    case standardError
    /// A file, appended to and opened again on USR1.
    case file(String)
}
