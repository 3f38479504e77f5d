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

    /// Its effective group.
    public static var effectiveGID: UInt32 { getegid() }

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

    /// Whether it may start others as another user and group: with CAP_SETUID and CAP_SETGID
    /// (capabilities(7)), which root usually has and systemd's AmbientCapabilities gives. Where that
    /// can't be read, the start has to show.
    public static var mayChangeCredentials: Bool {
        Capability.missing(of: [.changeUser, .changeGroup]).isEmpty
    }

    /// Whether it runs under a system call filter (`Seccomp` of proc_pid_status(5)).
    static let hasSystemCallFilter: Bool = {
        let text = Procfs.text("/proc/self/status") ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("Seccomp:") }
        return line?.split(whereSeparator: \.isWhitespace).last == "2"
    }()

    /// Whether it may give a program a seccomp filter without renouncing setuid programs for it
    /// (CAP_SYS_ADMIN, seccomp(2)).
    public static var mayFilterFreely: Bool {
        Capability.missing(of: [.administrate]).isEmpty
    }

    /// A path from the root on, by its text alone: one that is relative counts from the working
    /// directory (getcwd(3)), where that can be told.
    public static func absolutePath(_ path: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard getcwd(&buffer, buffer.count) != nil else { return path }
        let folder = String(
            decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let rest = path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        return rest.isEmpty ? folder : folder == "/" ? "/\(rest)" : "\(folder)/\(rest)"
    }
}
