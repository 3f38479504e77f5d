import Glibc

extension SystemCallError {
    /// The kinds of errors that callers distinguish.
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
        /// ECONNREFUSED: no process listens.
        case refused
        /// EPIPE or ECONNRESET: the other end is closed.
        case disconnected
        /// EAGAIN: not now.
        case notNow
        /// ELOOP: a symbolic link that is not followed.
        case link
        /// EMFILE or ENFILE: no descriptor is available to this process or on the machine.
        case noDescriptor
        /// Any other error.
        case other
    }

    /// A resource that is exhausted.
    public enum Shortage: Hashable, Sendable {
        /// EAGAIN of clone(2) and execve(2).
        case processes
        /// EMFILE.
        case descriptors
        /// ENFILE.
        case files
        /// ENOMEM.
        case memory
    }

    /// The resource that was exhausted at a start, if that is the reason of the error.
    public var shortage: Shortage? {
        switch code {
        case EAGAIN: .processes
        case EMFILE: .descriptors
        case ENFILE: .files
        case ENOMEM: .memory
        default: nil
        }
    }

    /// Whether reading a process (proc(5)) failed because this process or the machine lacks a
    /// resource, so that it has no meaning for the process read.
    var isShortage: Bool { [EMFILE, ENFILE, ENOMEM].contains(code) }

    /// The kind of the error.
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
        case EPIPE, ECONNRESET: .disconnected
        case EAGAIN: .notNow
        case ELOOP: .link
        case EMFILE, ENFILE: .noDescriptor
        default: .other
        }
    }
}
