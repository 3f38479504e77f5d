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

/// Whom a process runs as (`Uid` of proc_pid_status(5)) and whose child it is, both of one moment.
public struct ProcessOwner: Hashable, Sendable {
    /// Its real user.
    public let uid: UInt32
    /// Its parent.
    public let parent: Int32

    /// Reads it; nil when there is no such process.
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

/// The environment that a process started with (/proc/PID/environ, proc_pid_environ(5)). It is memory of
/// the process, but nobody can be made to wait for it: the kernel reads it from anonymous pages alone and
/// fails where one is missing.
public enum ProcessEnvironment {
    /// Its variable of this name, or nil where it has none. Unknown when the process is gone or not
    /// ours to look at, and for a moment after exec. The program can write over it.
    public static func value(of pid: Int32, _ name: String) -> Lookup {
        guard let bytes = Procfs.bytes("/proc/\(pid)/environ"), !bytes.isEmpty else {
            return .unknown
        }
        let head = Array("\(name)=".utf8)
        let entry = bytes.split(separator: 0).first { $0.starts(with: head) }
        return .known(entry.map { String(decoding: $0.dropFirst(head.count), as: UTF8.self) })
    }

    /// What a process's environment says.
    public enum Lookup: Hashable, Sendable {
        /// The variable's value, nil where it is not set.
        case known(String?)
        /// It can't be read.
        case unknown
    }
}
