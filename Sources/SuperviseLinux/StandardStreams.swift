import Glibc

/// Descriptors 0, 1 and 2.
public enum StandardStreams {
    /// Opens /dev/null for those that are closed. Otherwise a listener could get such a number, and
    /// output would be sent to a client. Call this before any other descriptor is opened.
    public static func ensureOpen() throws(SystemCallError) {
        for number: Int32 in 0...2 where fcntl(number, F_GETFD) == -1 {
            // The lowest free number is the missing one.
            let opened = try systemCall("open") { open("/dev/null", O_RDWR) }
            precondition(opened == number, "descriptors are given out from below")
        }
    }
}
