import Glibc

/// What processes have mapped into their memory (/proc/PID/maps, proc_pid_maps(5)).
public enum ProcessMaps {
    /// Whether a line of any of these processes' maps has this text in it, such as the end of a path;
    /// nil where none of them may be read.
    public static func contain(_ text: String, in pids: [Int32]) -> Bool? {
        var isKnown = false
        for pid in pids {
            guard let maps = Procfs.text("/proc/\(pid)/maps") else { continue }
            isKnown = true
            if strstr(maps, text) != nil { return true }
        }
        return isKnown ? false : nil
    }
}
