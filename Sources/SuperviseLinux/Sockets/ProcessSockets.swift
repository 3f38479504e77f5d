import Glibc

/// The open sockets of processes (/proc/PID/fd, proc_pid_fd(5)).
public enum ProcessSockets {
    /// The inodes of the sockets of this process; empty if it has exited. Fails with EACCES if they
    /// may not be read (ptrace(2), "access mode checking"), E2BIG if the budget is exceeded.
    public static func inodes(
        of pid: Int32, within budget: SampleBudget? = nil
    ) throws(SystemCallError) -> Set<UInt64> {
        Set(try descriptors(of: pid, within: budget).values)
    }

    /// The same, with descriptors.
    static func descriptors(
        of pid: Int32, within budget: SampleBudget? = nil
    ) throws(SystemCallError) -> [Int32: UInt64] {
        var found: [Int32: UInt64] = [:]
        do {
            for name in try Directory.names("/proc/\(pid)/fd", within: budget) {
                try budget?.spend(entries: 1)
                guard let number = Int32(name), let link = try link("/proc/\(pid)/fd/\(name)"),
                    let inode = inode(inLink: link)
                else { continue }
                found[number] = inode
            }
        } catch  where error.code == ENOENT || error.code == ESRCH {
            return [:]
        }
        return found
    }

    /// The inode in the link of a descriptor; nil if it is no socket.
    static func inode(inLink link: String) -> UInt64? {
        link.hasPrefix("socket:[") ? UInt64(link.dropFirst("socket:[".count).dropLast()) : nil
    }

    /// Nil for a descriptor that was closed after it was listed.
    static func link(_ path: String) throws(SystemCallError) -> String? {
        do throws(SystemCallError) {
            return try Procfs.link(path)
        } catch  where error.code == ENOENT {
            return nil
        }
    }
}
