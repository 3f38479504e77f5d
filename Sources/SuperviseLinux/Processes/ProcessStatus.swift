import Glibc

/// The status of a process in /proc/PID/stat (proc_pid_stat(5)).
public struct ProcessStatus: Hashable, Sendable {
    /// The parent process.
    public let parent: Int32
    /// The process group.
    public let group: Int32
    /// The session.
    public let session: Int32
    /// One letter: R running, S sleeping, D waiting for a disk, Z zombie, T stopped, t traced.
    public let state: Character
    /// The start time in clock ticks after boot; together with the process ID it identifies the
    /// process uniquely.
    public let startTime: UInt64

    /// Reads the status; nil if the process does not exist.
    public static func read(_ pid: Int32) -> ProcessStatus? {
        guard let text = Procfs.text("/proc/\(pid)/stat") else { return nil }
        return ProcessStatus(line: text)
    }

    /// The program chooses the name in the second field, which may contain blanks and brackets, so
    /// the fields after it are counted from the last bracket.
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

/// The user of a process (`Uid` of proc_pid_status(5)) and its parent, read at the same time.
public struct ProcessOwner: Hashable, Sendable {
    /// The real user.
    public let uid: UInt32
    /// The parent process.
    public let parent: Int32

    /// Reads them; nil if the process does not exist.
    public static func read(_ pid: Int32) -> ProcessOwner? {
        guard pid > 0, let text = Procfs.text("/proc/\(pid)/status") else { return nil }
        var values: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count > 1, ["Uid:", "PPid:"].contains(words[0]) else { continue }
            values[words[0]] = words[1]
        }
        guard let uid = values["Uid:"].flatMap({ UInt32($0) }),
            let parent = values["PPid:"].flatMap({ Int32($0) })
        else { return nil }
        return ProcessOwner(uid: uid, parent: parent)
    }
}

/// The environment that a process started with (/proc/PID/environ, proc_pid_environ(5)). It is
/// memory of the process, but reading it cannot block: the kernel reads it only from resident
/// anonymous pages and fails if one is missing.
public enum ProcessEnvironment {
    /// The value of a variable; nil if it is not set. Unknown if the process has exited or may not
    /// be read, and briefly after exec. The program can overwrite it.
    public static func value(of pid: Int32, _ name: String) -> Lookup {
        guard let bytes = bytes(of: pid) else { return .unknown }
        let head = Array("\(name)=".utf8)
        let entry = bytes.split(separator: 0).first { $0.starts(with: head) }
        return .known(entry.map { String(decoding: $0.dropFirst(head.count), as: UTF8.self) })
    }

    /// Nil if it is empty. If the main thread has exited, its files are empty, and those of the
    /// other threads are not.
    private static func bytes(of pid: Int32) -> [UInt8]? {
        if let bytes = Procfs.bytes("/proc/\(pid)/environ"), !bytes.isEmpty { return bytes }
        let others = Directory.entries("/proc/\(pid)/task").filter { $0 != "\(pid)" }
        guard let thread = others.first,
            let bytes = Procfs.bytes("/proc/\(pid)/task/\(thread)/environ"), !bytes.isEmpty
        else { return nil }
        return bytes
    }

    /// A variable in the environment of a process.
    public enum Lookup: Hashable, Sendable {
        /// The value; nil if the variable is not set.
        case known(String?)
        /// The environment cannot be read.
        case unknown
    }
}
