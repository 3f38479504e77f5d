import Glibc

/// Whom a process runs as (/proc/PID/status, proc_pid_status(5)).
enum ProcessUsers {
    /// Whether all its users (real, effective, saved, of the file system) are this process's effective
    /// one. The owner of /proc/PID does not tell: it is root for a process that changed its user.
    static func isOurs(_ pid: Int32) throws(SystemCallError) -> Bool {
        guard let users = users(in: try Procfs.read("/proc/\(pid)/status")) else { return false }
        return users.allSatisfy { $0 == geteuid() }
    }

    // `Uid:\t0\t0\t0\t0`. The name in the first line is escaped, so no other line begins like this.
    private static func users(in status: [UInt8]) -> [UInt32]? {
        for line in status.split(separator: UInt8(ascii: "\n"))
        where line.starts(with: "Uid:".utf8) {
            let users = line.dropFirst(4).split(separator: UInt8(ascii: "\t"))
                .compactMap { UInt32(String(decoding: $0, as: UTF8.self)) }
            return users.isEmpty ? nil : users
        }
        return nil
    }
}
