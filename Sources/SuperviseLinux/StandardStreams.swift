import Glibc

/// Descriptors 0, 1 and 2.
public enum StandardStreams {
    /// Opens /dev/null for those that are closed. Otherwise a listener would get such a number, and
    /// whatever is printed would go to a client. Call it before anything else is opened.
    public static func ensureOpen() throws(SystemCallError) {
        for number: Int32 in 0...2 where fcntl(number, F_GETFD) == -1 {
            // The lowest free number is the one that is missing.
            let opened = try systemCall("open") { open("/dev/null", O_RDWR) }
            precondition(opened == number, "descriptors are given out from below")
        }
    }
}
