import CSupervise
import Glibc

/// The exit status of a process (waitid(2)).
public enum ChildStatus: Hashable, Sendable {
    /// It exited with this code, 0 to 255.
    case exited(Int32)
    /// This signal terminated it.
    case signaled(Int32, coreDumped: Bool)
}

/// A child that has exited but was not reaped.
public struct ExitedChild: Hashable, Sendable {
    /// The process ID, which is not reused before the child is reaped.
    public let pid: Int32
    /// The exit status.
    public let status: ChildStatus
}

/// The children of this process.
public enum ChildProcesses {
    /// A child that has exited and was not reaped, or nil. It stays a zombie (WNOWAIT), and the
    /// same child is returned until it is reaped. Never blocks.
    public static func nextExited() throws(SystemCallError) -> ExitedChild? {
        try exited(0, keep: true)
    }

    /// Reaps a zombie; nil if the child still runs or does not exist.
    @discardableResult
    public static func reap(_ pid: Int32) throws(SystemCallError) -> ExitedChild? {
        try exited(pid, keep: false)
    }

    /// Makes this process the subreaper of its descendants (PR_SET_CHILD_SUBREAPER(2const)).
    public static func becomeSubreaper() throws(SystemCallError) {
        try systemCall("prctl") { csupervise_become_subreaper() }
    }

    static func exited(
        _ pid: Int32, keep: Bool
    ) throws(SystemCallError) -> ExitedChild? {
        var result = csupervise_exit()
        do {
            try systemCall("waitid") { csupervise_wait_exited(pid, keep ? 1 : 0, &result) }
        } catch  where error.code == ECHILD {
            return nil
        }
        guard result.pid != 0 else { return nil }
        let status: ChildStatus =
            result.code == CLD_EXITED
            ? .exited(result.status)
            : .signaled(result.status, coreDumped: result.code == CLD_DUMPED)
        return ExitedChild(pid: result.pid, status: status)
    }
}

/// The children of one thread, including zombies (proc_pid_task(5)): all children if the process
/// has no other thread.
public final class ChildList {
    private let file = KeptFile("/proc/thread-self/children")

    /// The children of the thread that creates this list.
    public init() {}

    /// The current children.
    public func numbers() -> [Int32] { ProcessTree.numbers(in: file.bytes() ?? []) }
}

extension ChildProcesses {
    /// Whether a process is a child of this one that has exited with all its threads and can be
    /// reaped.
    public static func hasExited(_ pid: Int32) -> Bool {
        var result = csupervise_exit()
        return pid > 0 && csupervise_wait_exited(pid, 1, &result) == 0 && result.pid == pid
    }

    /// Whether a process is a child of this one, running or not reaped. Its pid is not reused before it
    /// is reaped.
    public static func include(_ pid: Int32) -> Bool {
        var result = csupervise_exit()
        return pid > 0 && csupervise_wait_exited(pid, 1, &result) == 0
    }
}
