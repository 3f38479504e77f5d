import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The file of `memory-log`, one line per worker: time, pool, slot, pid, memory in bytes, requests
/// or connections, and the unit of these. Lines that cannot be written are dropped and counted,
/// which is reported once, and again when it ends.
final class MemoryLog {
    /// A report about a file.
    enum Report {
        case failed(SystemCallError)
        case dropping
        case recovered(lines: UInt64)
    }

    let path: String
    private var writer: LogWriter?
    private var lostLines: UInt64 = 0
    private var isDropping = false

    init(path: String) {
        self.path = path
    }

    /// Writes these lines. Returns a report, if there is one.
    func write(_ lines: [String]) -> Report? {
        if writer == nil {
            do throws(SystemCallError) {
                writer = try LogWriter(path: path)
            } catch {
                lostLines += UInt64(lines.count)
                defer { isDropping = true }
                return isDropping ? nil : .failed(error)
            }
        }
        let before = writer?.droppedLines ?? 0
        for line in lines { writer?.write(line) }
        let dropped = (writer?.droppedLines ?? 0) - before
        lostLines += dropped
        if dropped > 0 {
            defer { isDropping = true }
            return isDropping ? nil : .dropping
        }
        guard isDropping else { return nil }
        isDropping = false
        defer { lostLines = 0 }
        return .recovered(lines: lostLines)
    }

    /// Opens a new file of the name, after the old one was renamed.
    func reopen() { writer = nil }
}

extension MemoryLog {
    /// Returns the line of a worker with this count on its page; nil if its memory is unknown.
    static func line(
        at time: WallTime, _ worker: RunningWorker, _ known: Worker?, _ count: WorkerEvent?
    ) -> String? {
        guard let pid = worker.pid, let bytes = worker.memory?.lastBytes, bytes > 0 else {
            return nil
        }
        let (requests, unit) = latestCount(count, known)
        let name = worker.blueprint.settings.name
        return "\(time) \(name) \(worker.id.slot) \(pid) \(bytes) \(requests) \(unit.rawValue)"
    }

    /// Returns the count of the worker's page, which may be newer than that of its last event.
    private static func latestCount(_ count: WorkerEvent?, _ known: Worker?) -> (UInt64, CountUnit)
    {
        let total = known?.requests ?? 0
        switch count {
        case .requests(let requests), .responses(let requests):
            return (
                known?.countSource?.unit == .connections ? requests : max(requests, total),
                .requests
            )
        case .connections(let connections) where known?.countSource?.unit != .requests:
            return (max(connections, total), .connections)
        default: return (total, known?.countSource?.unit ?? .requests)
        }
    }
}

extension MemoryLog.Report {
    func line(about path: String) -> LogLine {
        switch self {
        case .failed(let error):
            LogLine(.error, "memory-log").with("file", path)
                .with("error", error.descriptionOfWritten)
        case .dropping:
            LogLine(.error, "memory-log").with("file", path)
                .with("message", "the file cannot be written; lines are dropped")
        case .recovered(let lines):
            LogLine(.info, "memory-log").with("file", path).with("dropped", lines)
                .with("message", "the file can be written again")
        }
    }
}

extension Master {
    /// Continues in new files, and forgets those that the configuration does not name.
    func reopenMemoryLogs() {
        let pools = generations[service.generation]?.pools ?? []
        sampler.reopenMemoryLogs(named: Set(pools.compactMap(\.settings.memoryLog)))
    }
}
