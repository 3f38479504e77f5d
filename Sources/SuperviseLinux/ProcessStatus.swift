import Glibc

/// What /proc/PID/stat tells of a process (proc_pid_stat(5)).
public struct ProcessStatus: Hashable, Sendable {
    /// Its parent.
    public let parent: Int32
    /// Its process group.
    public let group: Int32
    /// Its session.
    public let session: Int32
    /// One letter: R running, S sleeping, D waiting for a disk, Z zombie, T stopped, t traced.
    public let state: Character
    /// When it started, in clock ticks after boot; with the number it names a process for ever.
    public let startTime: UInt64

    /// Reads it; nil when there is no such process.
    public static func read(_ pid: Int32) -> ProcessStatus? {
        guard let text = Procfs.text("/proc/\(pid)/stat") else { return nil }
        return ProcessStatus(line: text)
    }

    /// The name in the second field is the program's choice and may hold blanks and brackets, so
    /// what follows is counted from its last bracket.
    init?(line: String) {
        guard let bracket = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: bracket)...].split(whereSeparator: \.isWhitespace)
        guard fields.count > 19, let state = fields[0].first, let parent = Int32(fields[1]),
            let group = Int32(fields[2]), let session = Int32(fields[3]),
            let startTime = UInt64(fields[19])
        else { return nil }
        self.state = state
        self.parent = parent
        self.group = group
        self.session = session
        self.startTime = startTime
    }
}

/// The environment that a process started with (/proc/PID/environ, proc_pid_environ(5)).
public enum ProcessEnvironment {
    /// Whether it has exactly this entry, `KEY=VALUE`; false when the process is gone or not ours to
    /// look at, and for a moment after exec. The program can write over it.
    public static func contains(_ pid: Int32, _ entry: String) -> Bool {
        guard let bytes = Procfs.bytes("/proc/\(pid)/environ") else { return false }
        return bytes.split(separator: 0).contains { $0.elementsEqual(entry.utf8) }
    }
}
