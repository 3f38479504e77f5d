import Glibc

/// The memory mappings of processes (/proc/PID/maps, proc_pid_maps(5)).
public enum ProcessMaps {
    /// Whether a line in the maps of any of these processes contains this text, such as the end of
    /// a path; nil if none may be read.
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
