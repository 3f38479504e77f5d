import CSupervise

/// What ps(1) shows of this process in the place of its arguments (proc_pid_cmdline(5)).
public enum ProcessTitle {
    /// Sets the short name of the program (PR_SET_NAME(2const)), at most 15 bytes of it.
    public static func setName(_ name: String) {
        csupervise_set_name(name)
    }

    /// Sets the title. It has the room that the arguments had, and is cut where that is too little:
    /// the variables behind them stay as they are. A program that this one executes is not affected.
    public static func set(_ title: String) {
        let bytes = Array(title.utf8)
        bytes.withUnsafeBytes { bytes in
            _ = csupervise_set_title(
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
    }
}
