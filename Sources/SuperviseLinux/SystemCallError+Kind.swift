import Glibc

extension SystemCallError {
    /// What callers tell apart.
    public enum Kind: Hashable, Sendable {
        /// ENOENT or ENOTDIR: no such file.
        case notFound
        /// EACCES or EPERM.
        case notPermitted
        /// EISDIR.
        case isFolder
        /// EFBIG.
        case tooLarge
        /// ESRCH: no such process.
        case noSuchProcess
        /// EADDRINUSE.
        case addressInUse
        /// ECONNREFUSED: nobody listens.
        case refused
        /// Anything else.
        case other
    }

    /// What kind of error it is.
    public var kind: Kind {
        switch code {
        case ENOENT, ENOTDIR: .notFound
        case EACCES, EPERM: .notPermitted
        case EISDIR: .isFolder
        case EFBIG: .tooLarge
        case ESRCH: .noSuchProcess
        case EADDRINUSE: .addressInUse
        case ECONNREFUSED: .refused
        default: .other
        }
    }
}
