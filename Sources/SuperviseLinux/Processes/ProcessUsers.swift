import Glibc

/// The users of a process (/proc/PID/status, proc_pid_status(5)).
enum ProcessUsers {
    /// Whether all its users (real, effective, saved, file system) are this process's effective
    /// user. The owner of /proc/PID is not sufficient: it is root for a process that changed its
    /// user.
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
