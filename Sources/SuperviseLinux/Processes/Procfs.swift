import Glibc

/// Files of proc(5), which disappear with their process. The result is nil then, and if they may
/// not be read.
enum Procfs {
    static func text(_ path: String) -> String? {
        bytes(path).map { String(decoding: $0, as: UTF8.self) }
    }

    static func bytes(_ path: String) -> [UInt8]? {
        do {
            return try read(path)
        } catch {
            return nil
        }
    }

    /// Reads the whole file. Fails with ENOENT or ESRCH if the process has exited, EACCES or EPERM
    /// if it may not be read.
    static func read(
        _ path: String, within budget: SampleBudget? = nil
    ) throws(SystemCallError) -> [UInt8] {
        try SpareDescriptors.lent { () throws(SystemCallError) in try readOnce(path, budget) }
    }

    private static func readOnce(
        _ path: String, _ budget: SampleBudget?
    ) throws(SystemCallError) -> [UInt8] {
        let number = try systemCall("open") { open(path, O_RDONLY | O_CLOEXEC) }
        let file = FileDescriptor(owning: number)
        return try content(of: file.rawValue, within: budget)
    }

    /// Reads an open file from its beginning.
    static func content(
        of number: Int32, within budget: SampleBudget? = nil
    ) throws(SystemCallError) -> [UInt8] {
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        // Files of proc(5) report no size.
        while true {
            let count = try systemCall("pread") {
                pread(number, &piece, piece.count, off_t(content.count))
            }
            if count == 0 { return content }
            try budget?.spend(bytes: count)
            content += piece.prefix(count)
        }
    }

    /// Passes the words of each line to `take` until it returns false. The kernel's tables can be
    /// long; unread lines cost nothing.
    static func eachLine(_ path: String, _ take: ([Substring]) -> Bool) {
        do {
            try SpareDescriptors.lent { () throws(SystemCallError) in
                let number = try systemCall("open") { open(path, O_RDONLY | O_CLOEXEC) }
                eachLine(of: FileDescriptor(owning: number), take)
            }
        } catch {
            return
        }
    }

    private static func eachLine(
        of file: consuming FileDescriptor, _ take: ([Substring]) -> Bool
    ) {
        var rest: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file.rawValue, &piece, piece.count)
            guard count > 0 else { return }
            rest += piece.prefix(count)
            guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { continue }
            for line in rest[..<end].split(separator: UInt8(ascii: "\n")) {
                let text = String(decoding: line, as: UTF8.self)
                guard take(text.split(separator: " ")) else { return }
            }
            rest.removeSubrange(...end)
        }
    }

    /// The target of a symbolic link, readlink(2).
    static func link(_ path: String) throws(SystemCallError) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let size = try systemCall("readlink") { readlink(path, &buffer, buffer.count) }
        return String(decoding: buffer.prefix(size).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The entries of a directory (readdir(3)).
enum Directory {
    /// All entries but `.` and `..`, unsorted; empty if it cannot be read.
    static func entries(_ path: String) -> [String] {
        do {
            return try names(path)
        } catch {
            return []
        }
    }

    /// All entries but `.` and `..`, unsorted. Fails as opendir(3).
    static func names(
        _ path: String, within budget: SampleBudget? = nil
    ) throws(SystemCallError) -> [String] {
        try SpareDescriptors.lent { () throws(SystemCallError) in try namesOnce(path, budget) }
    }

    private static func namesOnce(
        _ path: String, _ budget: SampleBudget?
    ) throws(SystemCallError) -> [String] {
        guard let folder = opendir(path) else {
            throw SystemCallError(call: "opendir", code: errno)
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            try budget?.spend(entries: 1)
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }
}

/// The memory mappings of processes (/proc/PID/maps, proc_pid_maps(5)).
public enum ProcessMaps {
    /// Whether a line in the maps of any of these processes contains this text, such as the end of
    /// a path; nil if none may be read.
    public static func contain(_ text: String, in pids: [Int32]) -> Bool? {
        var isKnown = false
        for pid in pids {
            guard let maps = Procfs.text("/proc/\(pid)/maps") else { continue }
            isKnown = true
            if strstr(maps, text) != nil { return true }
        }
        return isKnown ? false : nil
    }
}
