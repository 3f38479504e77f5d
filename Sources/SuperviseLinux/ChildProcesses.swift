import CSupervise
import Glibc

/// How a process ended (waitid(2)).
public enum ChildStatus: Hashable, Sendable {
    /// It called exit with this code, 0 to 255.
    case exited(Int32)
    /// This signal ended it.
    case signaled(Int32, coreDumped: Bool)
}

/// A child that has exited and may still be waited for.
public struct ExitedChild: Hashable, Sendable {
    /// Its number, which is not reused before it is reaped.
    public let pid: Int32
    /// How it ended.
    public let status: ChildStatus
}

/// The children of this process.
public enum ChildProcesses {
    /// A child that has exited and was not reaped, or nil. It stays a zombie (WNOWAIT), and the same
    /// one is told again until it is reaped. Never blocks.
    public static func nextExited() throws(SystemCallError) -> ExitedChild? {
        try exited(0, keep: true)
    }

    /// The same for one child; nil while it runs, and when it is not a child of ours.
    public static func exited(pid: Int32) throws(SystemCallError) -> ExitedChild? {
        try exited(pid, keep: true)
    }

    /// Ends a zombie's existence; nil when the child still runs or there is no such child.
    @discardableResult
    public static func reap(_ pid: Int32) throws(SystemCallError) -> ExitedChild? {
        try exited(pid, keep: false)
    }

    /// Makes this process the one that orphans below it fall to (PR_SET_CHILD_SUBREAPER(2const)).
    public static func becomeSubreaper() throws(SystemCallError) {
        try systemCall("prctl") { csupervise_become_subreaper() }
    }

    private static func exited(
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

/// The children of one thread, zombies too (proc_pid_task(5)): those of the process where it has no
/// other.
public final class ChildList {
    private let file = KeptFile("/proc/thread-self/children")

    /// A list of the children of the thread that makes it.
    public init() {}

    /// Those of now.
    public func numbers() -> [Int32] { ProcessTree.numbers(in: file.bytes() ?? []) }
}
