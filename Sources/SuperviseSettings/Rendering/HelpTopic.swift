/// A topic of `help`.
public enum HelpTopic: Equatable, Sendable {
    /// `-h`: the usage and the most common options.
    case brief
    /// `--help`: the usage and every option.
    case full
    /// A setting.
    case setting(key: String)
    /// All settings of a group.
    case group(Setting.Group)
    /// A command.
    case command(Verb)
    /// Any other topic.
    case page(Page)

    /// Topics that are neither settings nor commands.
    public enum Page: String, CaseIterable, Sendable {
        /// The list of topics.
        case topics
        /// The syntax of the config file.
        case config
        /// An example config file.
        case conf
        /// The settings as a Markdown table.
        case settings
        /// Commands for a running master.
        case commands
        /// The control protocol.
        case `protocol`
        /// The fields of events and of the status.
        case schema
        /// Servers that need special settings.
        case servers
        /// Forked workers.
        case molds
        /// systemd integration and notifications.
        case systemd
        /// supervise in pods of Kubernetes.
        case kubernetes
        /// Commands that run by a schedule.
        case jobs
        /// The upgrade of the master in place.
        case upgrade
        /// The security model.
        case security
        /// Variables that the master reads.
        case environment
        /// Signals to the master.
        case signals
        /// Exit codes.
        case exitCodes = "exit-codes"

        /// A summary of a few words.
        var summary: String {
            switch self {
            case .topics: "this list of topics"
            case .config: "syntax of the config file"
            case .conf: "example config file with every setting"
            case .settings: "guide to all settings in Markdown"
            case .commands: "monitoring and control of a running master"
            case .protocol: "protocol of the control socket and of status-bind"
            case .schema: "fields of the status and of events"
            case .servers: "servers that need special settings"
            case .molds: "forked workers and the protocol of a mold"
            case .systemd: "systemd integration and notifications"
            case .kubernetes: "supervise in pods of Kubernetes and tasks of Nomad"
            case .jobs: "commands that run by a schedule, as with cron"
            case .upgrade: "upgrade of the running master to a new version"
            case .security: "security model: what workers and other users can do"
            case .environment: "environment variables that supervise reads"
            case .signals: "signals to the master"
            case .exitCodes: "exit codes of the master"
            }
        }
    }

    /// The topic of this name: the key of a setting (with or without leading dashes), a page, a group or
    /// a command. A key takes precedence over a group of the same name.
    public init?(_ name: String) {
        let bare = name.after(prefix: "--") ?? name
        if Setting.named(bare) != nil {
            self = .setting(key: bare)
        } else if let page = Page(rawValue: bare) {
            self = .page(page)
        } else if let group = Setting.Group(rawValue: bare.lowercased()) {
            self = .group(group)
        } else if let verb = Verb(rawValue: bare) {
            self = .command(verb)
        } else {
            return nil
        }
    }

    /// The names of all topics.
    static let names =
        Setting.keys + Page.allCases.map(\.rawValue) + Setting.Group.allCases.map(\.rawValue)
        + Verb.allCases.map(\.rawValue)
}
