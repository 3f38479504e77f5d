/// What `help` can explain.
public enum HelpTopic: Equatable, Sendable {
    /// `-h`: the usage and the options used most.
    case brief
    /// `--help`: the usage and every option.
    case full
    /// One setting in full.
    case setting(key: String)
    /// All settings under one heading in full.
    case group(Setting.Group)
    /// A command in full.
    case command(Verb)
    /// A text about something else.
    case page(Page)

    /// Topics that are no settings.
    public enum Page: String, CaseIterable, Sendable {
        /// The list of topics.
        case topics
        /// The config file's syntax.
        case config
        /// An example config file.
        case conf
        /// The settings as a Markdown table.
        case settings
        /// Commands for a running master.
        case commands
        /// What the control socket speaks.
        case `protocol`
        /// What an event tells.
        case schema
        /// Servers that need a setting.
        case servers
        /// What a service manager sees.
        case systemd
        /// Going on as another version of the program.
        case upgrade
        /// Whom the master trusts, and with what.
        case security
        /// Variables that the master reads.
        case environment
        /// Signals to the master.
        case signals
        /// Exit codes.
        case exitCodes = "exit-codes"

        /// What it is about, in a few words.
        var summary: String {
            switch self {
            case .topics: "this list"
            case .config: "how a config file is written"
            case .conf: "an example config file with every setting"
            case .settings: "all settings as a Markdown table"
            case .commands: "how to look at a running master and steer it"
            case .protocol: "what the control socket and status-bind speak"
            case .schema: "what the status and the events tell, field by field"
            case .servers: "servers that need a setting of theirs or ours"
            case .systemd: "how it runs under systemd, and what it tells it"
            case .upgrade: "how the master goes on as another version of its program"
            case .security: "what workers and other users can do to it, and what not"
            case .environment: "the variables that supervise reads"
            case .signals: "the signals that the master understands"
            case .exitCodes: "what the exit code tells"
            }
        }
    }

    /// The topic of this name: a setting's key, with or without dashes before it, a heading, a page or a
    /// command. Where a heading is also a key, it is the key.
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

    /// Every name that is a topic.
    static let names =
        Setting.keys + Page.allCases.map(\.rawValue) + Setting.Group.allCases.map(\.rawValue)
        + Verb.allCases.map(\.rawValue)
}
