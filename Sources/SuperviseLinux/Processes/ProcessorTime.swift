import Glibc

/// The CPU time of processes.
public enum ProcessorTime {
    /// The CPU time of a process so far in nanoseconds, user and system, of all its threads but not of
    /// its children (clock_getcpuclockid(3)); nil if the process is gone.
    public static func nanoseconds(of pid: Int32) -> Int64? {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            return nil
        }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
