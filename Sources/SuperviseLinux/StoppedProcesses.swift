/// Whether processes stand still, stopped by SIGSTOP (signal(7)).
public enum StoppedProcesses {
    /// Whether every thread of the process is stopped, or has ended (/proc/PID/task/TID/stat,
    /// proc_pid_stat(5)). True also of a process that is gone.
    public static func isStopped(_ pid: Int32) -> Bool {
        Directory.entries("/proc/\(pid)/task").allSatisfy { task in
            guard let text = Procfs.text("/proc/\(pid)/task/\(task)/stat"),
                let status = ProcessStatus(line: text)
            else { return true }
            return "TtZX".contains(status.state)
        }
    }
}
