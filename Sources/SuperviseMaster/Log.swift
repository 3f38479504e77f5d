import SuperviseLinux
import SuperviseSettings

/// The master's log. Writing never blocks and never fails: a line that cannot be written is counted,
/// and the count is told with the next line that can.
final class Log {
    private static let standardError: Int32 = 2

    private let writer: LogWriter
    private let path: String?
    private var level: LogLevel
    private var rendering: LogRendering
    private var reportedDrops: UInt64 = 0

    /// The log of these settings. Fails when a log file cannot be opened.
    init(_ settings: MasterSettings) throws(SystemCallError) {
        switch settings.logFile {
        case .standardError:
            path = nil
            writer = LogWriter(descriptor: Log.standardError)
        case .file(let file):
            path = file
            writer = try LogWriter(path: file)
        }
        level = settings.logLevel
        rendering = LogRendering(settings)
    }

    /// Takes over what a reload may change.
    func adopt(_ settings: MasterSettings) {
        level = settings.logLevel
        rendering = LogRendering(settings)
    }

    func write(_ line: LogLine) {
        guard line.level.rank >= level.rank else { return }
        let time = WallClock.now()
        let drops = writer.droppedLines
        if drops > reportedDrops {
            let report = LogLine(.warning, "log-dropped").with("lines", drops - reportedDrops)
            guard writer.write(rendering.render(report, at: time)) == .written else { return }
            reportedDrops = drops
        }
        writer.write(rendering.render(line, at: time))
    }

    /// Opens the log file anew. When that fails, the old one is written to as before.
    func reopen() {
        guard let path else { return }
        do throws(SystemCallError) {
            try writer.reopen(path: path)
            write(LogLine(.info, "reopened").with("file", path))
        } catch {
            write(
                LogLine(.error, "reopen-failed").with("file", path)
                    .with("error", error.description))
        }
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
    fileprivate var rank: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }
}
