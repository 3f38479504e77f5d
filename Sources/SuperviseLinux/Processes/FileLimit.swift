import Glibc

/// The limit of open files (getrlimit(2)).
public enum FileLimit {
    /// The current limit.
    public static func current() throws(SystemCallError) -> ResourceLimit {
        var limit = rlimit()
        try systemCall("getrlimit") {
            getrlimit(__rlimit_resource_t(ResourceLimit.openFiles), &limit)
        }
        return ResourceLimit(
            resource: ResourceLimit.openFiles, soft: UInt64(limit.rlim_cur),
            hard: UInt64(limit.rlim_max))
    }

    /// The descriptor number from which descriptors are reserved for starts: three quarters of the
    /// limit at the first access.
    static let budget: Int32 = {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(ResourceLimit.openFiles), &limit) == 0 else {
            return .max
        }
        return Int32(clamping: limit.rlim_cur / 4 * 3)
    }()

    /// Raises the soft limit to the hard limit and returns the previous one. Workers get the
    /// previous limit, for programs that use select(2), whose sets end at 1024.
    public static func raise() throws(SystemCallError) -> ResourceLimit {
        let original = try current()
        var raised = rlimit(rlim_cur: rlim_t(original.hard), rlim_max: rlim_t(original.hard))
        try systemCall("setrlimit") {
            setrlimit(__rlimit_resource_t(ResourceLimit.openFiles), &raised)
        }
        return original
    }
}
