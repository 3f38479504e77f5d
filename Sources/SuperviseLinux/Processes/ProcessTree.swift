import Glibc

/// Parents and children of processes (/proc/PID/task/TID/children, proc_pid_task(5)).
///
/// The result is a snapshot: a process that starts or exits meanwhile may be missing, and one
/// that exits while the list is read can hide a sibling.
public enum ProcessTree {
    /// The process and its descendants, parents before their children. Fails if the budget is
    /// exceeded.
    static func members(
        of root: Int32, within budget: SampleBudget
    ) throws(SystemCallError) -> [Int32] {
        var found = [root]
        var next = 0
        var seen = Set(found)
        while next < found.count {
            let tasks = "/proc/\(found[next])/task"
            next += 1
            let threads: [String]
            do {
                threads = try Directory.names(tasks, within: budget)
            } catch {
                if SampleBudget.isExceeded(error) || error.isShortage { throw error }
                continue
            }
            for thread in threads {
                try budget.spend(entries: 1)
                for child in numbers(in: Procfs.bytes("\(tasks)/\(thread)/children") ?? [])
                where seen.insert(child).inserted {
                    found.append(child)
                }
            }
        }
        return found
    }

    /// The descendants of a process, parents before their children.
    public static func descendants(of pid: Int32) -> [Int32] {
        var found = children(of: pid)
        var next = 0
        // A process ID that is reused meanwhile could refer to an ancestor, so no process is
        // visited twice.
        var seen = Set(found)
        while next < found.count {
            for child in children(of: found[next]) where seen.insert(child).inserted {
                found.append(child)
            }
            next += 1
        }
        return found
    }

    /// The children of all threads of a process; empty if it has exited.
    public static func children(of pid: Int32) -> [Int32] {
        let tasks = "/proc/\(pid)/task"
        return Directory.entries(tasks).flatMap {
            numbers(in: Procfs.bytes("\(tasks)/\($0)/children") ?? [])
        }
    }

    /// The children listed in a file of proc_pid_task(5).
    static func numbers(in bytes: [UInt8]) -> [Int32] {
        bytes.split(separator: UInt8(ascii: " "))
            .compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
    }
}
