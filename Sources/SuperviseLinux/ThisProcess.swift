import CSupervise
import Glibc

/// This process.
public enum ThisProcess {
    /// Lets those run first that wait for this processor, such as a child that was just started
    /// (sched_yield(2)).
    public static func letOthersRun() {
        sched_yield()
    }

    /// Its number, getpid(2).
    public static var pid: Int32 { getpid() }
    /// Its effective user, geteuid(2).
    public static var effectiveUID: UInt32 { geteuid() }

    /// The file of the program that it runs (/proc/PID/exe, proc_pid_exe(5)); nil where that can't be
    /// told. A file that was replaced since has ` (deleted)` behind its name.
    public static var programPath: String? {
        do throws(SystemCallError) {
            return try Procfs.link("/proc/self/exe")
        } catch {
            return nil
        }
    }

    /// Gives memory that was freed back to the kernel (malloc_trim(3)), as after a large piece of work
    /// that is not done again.
    public static func returnFreeMemory() {
        csupervise_trim_memory()
    }

    /// Its processor time so far in nanoseconds, of user and system (clock_gettime(2)).
    public static var processorNanoseconds: Int64 {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Whether it may start others as another user and group: as root, or with CAP_SETUID and
    /// CAP_SETGID (capabilities(7)), as systemd's AmbientCapabilities gives them. Where that can't be
    /// read, the start has to show.
    public static var mayChangeCredentials: Bool {
        geteuid() == 0 || hasCapabilities(1 << 6 | 1 << 7)
    }

    /// Whether it may give a program a seccomp filter without renouncing setuid programs for it
    /// (CAP_SYS_ADMIN, seccomp(2)).
    public static var mayFilterFreely: Bool { hasCapabilities(1 << 21) }

    /// Whether it has all of these effective capabilities, by their bits (linux/capability.h). Where
    /// that can't be read, the use has to show.
    private static func hasCapabilities(_ needed: UInt64) -> Bool {
        guard let text = Procfs.text("/proc/self/status") else { return true }
        let line = text.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let digits = line?.split(whereSeparator: \.isWhitespace).last
        guard let effective = digits.flatMap({ UInt64($0, radix: 16) }) else { return true }
        return effective & needed == needed
    }
}
