import Glibc

/// This process.
public enum ThisProcess {
    /// Its number, getpid(2).
    public static var pid: Int32 { getpid() }
    /// Its effective user, geteuid(2).
    public static var effectiveUID: UInt32 { geteuid() }
}
