import Glibc

/// Processes in /proc (proc(5)).
enum ProcessTable {
    /// A row of the table.
    struct Entry {
        let pid: pid_t
        let parent: pid_t
        let group: pid_t
        let isZombie: Bool
    }

    static func entries() -> [Entry] {
        folder("/proc").compactMap { pid_t($0) }.compactMap(entry)
    }

    static func entry(_ pid: pid_t) -> Entry? {
        guard let text = readFile("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        // The name before it may contain any character, so the fields are counted from the last
        // parenthesis.
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 2, let parent = pid_t(fields[1]), let group = pid_t(fields[2]) else {
            return nil
        }
        return Entry(pid: pid, parent: parent, group: group, isZombie: fields[0] == "Z")
    }

    /// The running children of a process.
    static func children(of parent: pid_t) -> [pid_t] {
        folder("/proc/\(parent)/task").flatMap { thread in
            (readFile("/proc/\(parent)/task/\(thread)/children") ?? "").split(separator: " ")
                .compactMap { pid_t($0) }.filter(isAlive)
        }
    }

    /// Whether the process runs, which a zombie does not.
    static func isAlive(_ pid: pid_t) -> Bool {
        entry(pid).map { !$0.isZombie } ?? false
    }

    static func environment(of pid: pid_t) -> [String: String] {
        var found: [String: String] = [:]
        for line in (readFile("/proc/\(pid)/environ") ?? "").split(separator: "\0") {
            let pair = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { found[String(pair[0])] = String(pair[1]) }
        }
        return found
    }

    /// Open descriptors as `number -> target`.
    static func descriptors(of pid: pid_t) -> [String: String] {
        var found: [String: String] = [:]
        for name in folder("/proc/\(pid)/fd") {
            found[name] = linkTarget("/proc/\(pid)/fd/\(name)")
        }
        return found
    }

    /// The number of open sockets of the process: listeners and connections.
    static func sockets(of pid: pid_t) -> Int {
        descriptors(of: pid).values.filter { $0.hasPrefix("socket:") }.count
    }

    /// A number from /proc/PID/status, such as `voluntary_ctxt_switches` or `VmRSS` (KiB).
    static func status(_ field: String, of pid: pid_t) -> Int? {
        let lines = (readFile("/proc/\(pid)/status") ?? "").split(separator: "\n")
        let line = lines.first { $0.hasPrefix(field + ":") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    }

    private static func folder(_ path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }
}

/// The whole text of a file, or the text after an offset, or nil.
func readFile(_ path: String, from offset: Int = 0) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    if offset > 0 { lseek(descriptor, off_t(offset), SEEK_SET) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
        let length = read(descriptor, &chunk, chunk.count)
        guard length > 0 else { return String(decoding: bytes, as: UTF8.self) }
        bytes.append(contentsOf: chunk[..<length])
    }
}

/// The target of a symbolic link.
func linkTarget(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink(path, &buffer, buffer.count)
    guard length >= 0 else { return nil }
    return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
