import CSupervise
import Glibc

/// A control group whose processes are killed together (`cgroup.kill` of
/// Documentation/admin-guide/cgroup-v2.rst, since Linux 5.14). A child starts in the group of its
/// parent, so processes cannot leave it by creating others, however fast they do.
///
/// It is a child of this process's own group in the unified hierarchy, which root can create, and
/// other users where the group was delegated to them (Delegate= of systemd.resource-control(5)).
public final class KillGroup {
    private let folder: String
    private let processes: FileDescriptor

    /// Creates the group. Fails as mkdir(2) and open(2), with ENOENT if there is no unified
    /// hierarchy, and with ENOTSUP if the kernel cannot kill groups.
    public init(in cgroup: Cgroup, name: String) throws(SystemCallError) {
        guard let parent = cgroup.unifiedFolder else {
            throw SystemCallError(call: "mkdir", code: ENOENT)
        }
        let folder = "\(parent)/\(name)"
        do throws(SystemCallError) {
            try systemCall("mkdir") { mkdir(folder, 0o755) }
        } catch  where error.code == EEXIST {
        }
        self.folder = folder
        do throws(SystemCallError) {
            guard access("\(folder)/cgroup.kill", W_OK) == 0 else {
                throw SystemCallError(call: "access", code: ENOTSUP)
            }
            processes = FileDescriptor(
                owning: try systemCall("open") {
                    open("\(folder)/cgroup.procs", O_WRONLY | O_CLOEXEC)
                })
        } catch {
            rmdir(folder)
            throw error
        }
    }

    /// Removes the group, if no process is left in it.
    deinit { rmdir(folder) }

    /// Moves a process into the group. Fails with ESRCH if it has exited, and with EACCES or EPERM
    /// if this process may not move it.
    public func add(_ pid: Int32) throws(SystemCallError) {
        let text = Array("\(pid)".utf8)
        try systemCall("write") { Int32(write(processes.rawValue, text, text.count)) }
    }

    /// Kills all processes of the group, and those that they create meanwhile.
    public func kill() throws(SystemCallError) {
        let file = FileDescriptor(
            owning: try systemCall("open") { open("\(folder)/cgroup.kill", O_WRONLY | O_CLOEXEC) })
        try systemCall("write") { Int32(write(file.rawValue, "1", 1)) }
    }
}
