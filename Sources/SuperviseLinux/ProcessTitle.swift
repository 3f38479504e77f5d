import CSupervise

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
