import CSupervise
import Glibc

/// This process.
public enum ThisProcess {
    /// Yields the processor to runnable processes, such as a child that was just started
    /// (sched_yield(2)).
    public static func letOthersRun() {
        sched_yield()
    }

    /// The process ID, getpid(2).
    public static var pid: Int32 { getpid() }
    /// The effective user, geteuid(2).
    public static var effectiveUID: UInt32 { geteuid() }

    /// The effective group.
    public static var effectiveGID: UInt32 { getegid() }

    /// The file of the running program (/proc/PID/exe, proc_pid_exe(5)); nil if it cannot be read.
    /// If the file was replaced, ` (deleted)` is appended.
    public static var programPath: String? { program(of: pid) }

    /// The file of the program that another process runs; nil if it cannot be read.
    public static func program(of pid: Int32) -> String? {
        do throws(SystemCallError) {
            return try Procfs.link("/proc/\(pid)/exe")
        } catch {
            return nil
        }
    }

    /// Returns freed memory to the kernel (malloc_trim(3)), for use after a large one-time task.
    public static func returnFreeMemory() {
        csupervise_trim_memory()
    }

    /// The CPU time so far in nanoseconds, user and system (clock_gettime(2)).
    public static var processorNanoseconds: Int64 {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Whether it may start processes as another user and group: this needs CAP_SETUID and
    /// CAP_SETGID (capabilities(7)), which root usually has and AmbientCapabilities of systemd
    /// grants. If the capabilities cannot be read, true is assumed, and the start fails if they are
    /// missing.
    public static var mayChangeCredentials: Bool {
        Capability.missing(of: [.changeUser, .changeGroup]).isEmpty
    }

    /// Whether it runs under a system call filter (`Seccomp` of proc_pid_status(5)).
    static let hasSystemCallFilter: Bool = {
        let text = Procfs.text("/proc/self/status") ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("Seccomp:") }
        return line?.split(whereSeparator: \.isWhitespace).last == "2"
    }()

    /// Whether it may install a seccomp filter without no_new_privs, which disables setuid programs
    /// (CAP_SYS_ADMIN, seccomp(2)).
    public static var mayFilterFreely: Bool {
        Capability.missing(of: [.administrate]).isEmpty
    }

    /// An absolute path, computed lexically: a relative path refers to the working directory
    /// (getcwd(3)), if that is known.
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

/// The title of this process, which ps(1) shows instead of its arguments (proc_pid_cmdline(5)).
public enum ProcessTitle {
    /// Sets the short name of the process (PR_SET_NAME(2const)), truncated to 15 bytes.
    public static func setName(_ name: String) {
        csupervise_set_name(name)
    }

    /// Sets the title. It is truncated to the space of the arguments; the environment after them is
    /// unchanged. A program that this process executes is not affected.
    public static func set(_ title: String) {
        let bytes = Array(title.utf8)
        bytes.withUnsafeBytes { bytes in
            _ = csupervise_set_title(
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
    }
}
