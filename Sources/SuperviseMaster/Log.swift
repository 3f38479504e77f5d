import SuperviseLinux
import SuperviseSettings

/// The master's log. Writing never blocks and never fails: lines that cannot be written are
/// counted, and the next line that can be written reports the count.
final class Log {
    private static let standardError: Int32 = 2

    /// Stderr, which the workers' output shares.
    let standardErrorWriter = LogWriter(descriptor: standardError)
    private var writer: LogWriter
    private var destination: LogDestination
    private var level: LogLevel
    private var rendering: LogRendering
    private var reportedDrops: UInt64 = 0
    /// The entries that were logged and are logged once.
    private(set) var alreadyLogged: Set<LoggedOnce> = []
    /// The lines of every level, for other subscribers.
    let feed = EventFeed()

    /// Creates the log of these settings. Fails if a log file cannot be opened.
    init(_ settings: MasterSettings) throws(SystemCallError) {
        destination = settings.logFile
        writer = try Log.open(destination, standardErrorWriter)
        level = settings.logLevel
        rendering = LogRendering(settings)
    }

    /// The state for another program of this process.
    struct State: Codable {
        /// The open file; nil if the log does not own it.
        var descriptor: Int32?
        /// The number of dropped lines that were not reported.
        var droppedLines: UInt64
        var feed: EventFeed.State
    }

    var state: State {
        State(
            descriptor: writer.fileDescriptor,
            droppedLines: writer.droppedLines - reportedDrops, feed: feed.state)
    }

    /// Continues with the log of these settings from another program of this process.
    init(resuming state: State, _ settings: MasterSettings) throws(SystemCallError) {
        destination = settings.logFile
        level = settings.logLevel
        rendering = LogRendering(settings)
        if let number = state.descriptor {
            writer = LogWriter(
                resuming: try HandedDescriptors.take(number), droppedLines: state.droppedLines)
        } else {
            writer = try Log.open(destination, standardErrorWriter)
        }
        feed.resume(state.feed)
    }

    /// Applies what a reload may change. If a file cannot be opened, the log keeps its previous
    /// one.
    func apply(_ settings: MasterSettings) {
        if settings.logFile != destination {
            do throws(SystemCallError) {
                writer = try Log.open(settings.logFile, standardErrorWriter)
                destination = settings.logFile
                reportedDrops = 0
            } catch {
                let file = if case .file(let path) = settings.logFile { path } else { "stderr" }
                write(
                    LogLine(.error, "reopen-failed").with("file", file)
                        .with("error", error.descriptionOfWritten))
            }
        }
        level = settings.logLevel
        rendering = LogRendering(settings)
    }

    /// Continues with the log-once entries of another program of this process.
    func resume(logged: Set<LoggedOnce>) {
        alreadyLogged = logged
    }

    /// Returns whether this is logged for the first time. It counts as logged from now on.
    func isNew(_ news: LoggedOnce) -> Bool { alreadyLogged.insert(news).inserted }

    func write(_ line: LogLine) {
        let time = WallClock.now()
        feed.take(line, at: time)
        guard line.level.rank >= level.rank else { return }
        let drops = writer.droppedLines
        if drops > reportedDrops {
            let report = LogLine(.warning, "log-dropped").with("lines", drops - reportedDrops)
            guard writer.write(rendered(report, at: time)) == .written else { return }
            reportedDrops = drops
        }
        writer.write(rendered(line, at: time))
    }

    /// Returns the line for the destination. The journal adds the time, and reads the priority from
    /// the start of a line (sd-daemon(3)).
    private func rendered(_ line: LogLine, at time: WallTime) -> String {
        guard destination == .standardError, JournalStream.isStandardError else {
            return rendering.render(line, at: time)
        }
        return "<\(line.level.priority)>" + rendering.render(line, at: nil)
    }

    /// Reopens the log file. If that fails, the old one stays in use.
    func reopen() {
        guard case .file(let path) = destination else { return }
        do throws(SystemCallError) {
            try writer.reopen(path: path)
            write(LogLine(.info, "reopened").with("file", path))
        } catch {
            write(
                LogLine(.error, "reopen-failed").with("file", path)
                    .with("error", error.descriptionOfWritten))
        }
    }
}

extension Log {
    private static func open(
        _ destination: LogDestination, _ standardErrorWriter: LogWriter
    ) throws(SystemCallError) -> LogWriter {
        switch destination {
        case .standardError: standardErrorWriter
        case .file(let path): try LogWriter(path: path)
        }
    }
}

extension SystemCallError {
    /// The reason for which a file for writing cannot be opened.
    var descriptionOfWritten: String {
        guard kind == .link else { return description }
        return "the path contains a symbolic link of another user, which is not followed (see "
            + "supervise help security)"
    }
}

extension LogRendering {
    init(_ settings: MasterSettings) {
        switch settings.logFormat {
        case .auto:
            let isTerminal =
                settings.logFile == .standardError && Terminal.isTerminal(2)
            self = isTerminal ? .text : .logfmt
        case .text: self = .text
        case .logfmt: self = .logfmt
        case .json: self = .json
        }
    }
}

extension LogLevel {
    /// The priority in syslog(3).
    var priority: Int {
        switch self {
        case .debug: 7
        case .info: 6
        case .warning: 4
        case .error: 3
        }
    }

    fileprivate var rank: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }
}
