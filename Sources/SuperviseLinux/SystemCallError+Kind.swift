import Glibc

extension SystemCallError {
    /// What callers tell apart.
    public enum Kind: Hashable, Sendable {
        /// ENOENT or ENOTDIR: no such file.
        case notFound
        /// EACCES or EPERM.
        case notPermitted
        /// ENOEXEC.
        case notAProgram
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
        /// EAGAIN: not now.
        case notNow
        /// ELOOP: a symbolic link that is not followed.
        case link
        /// EMFILE or ENFILE: no descriptor is left, of this process or of the machine.
        case noDescriptor
        /// Anything else.
        case other
    }

    /// What the machine lacked.
    public enum Want: Hashable, Sendable {
        /// EAGAIN of clone(2) and execve(2).
        case processes
        /// EMFILE.
        case descriptors
        /// ENFILE.
        case files
        /// ENOMEM.
        case memory
    }

    /// What the machine lacked for a start, if it was that.
    public var want: Want? {
        switch code {
        case EAGAIN: .processes
        case EMFILE: .descriptors
        case ENFILE: .files
        case ENOMEM: .memory
        default: nil
        }
    }

    /// Whether a look at a process (proc(5)) failed for what this process or the machine lacks, so
    /// that it tells nothing about the one looked at.
    var isWant: Bool { [EMFILE, ENFILE, ENOMEM].contains(code) }

    /// What kind of error it is.
    public var kind: Kind {
        switch code {
        case ENOENT, ENOTDIR: .notFound
        case EACCES, EPERM: .notPermitted
        case ENOEXEC: .notAProgram
        case EISDIR: .isFolder
        case EFBIG: .tooLarge
        case ESRCH: .noSuchProcess
        case EADDRINUSE: .addressInUse
        case ECONNREFUSED: .refused
        case EAGAIN: .notNow
        case ELOOP: .link
        case EMFILE, ENFILE: .noDescriptor
        default: .other
        }
    }
}
