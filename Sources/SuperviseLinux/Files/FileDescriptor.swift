import CSupervise
import Glibc

/// An open file descriptor with one owner: close(2) on deinit.
public struct FileDescriptor: ~Copyable, Sendable {
    /// The number, valid while this value lives.
    public let rawValue: Int32

    /// Takes over an open descriptor, which no other code may close.
    public init(owning rawValue: Int32) {
        precondition(rawValue >= 0, "a descriptor is not negative")
        self.rawValue = rawValue
    }

    /// Releases ownership of the open descriptor.
    public consuming func release() -> Int32 {
        let number = rawValue
        discard self
        return number
    }

    deinit {
        // The previous program may still need it.
        if csupervise_is_held(rawValue) { return }
        // On Linux, the descriptor is closed even if close(2) reports EINTR or EIO.
        if close(rawValue) == -1 {
            precondition(errno != EBADF, "a descriptor was closed behind its owner's back")
        }
    }
}

/// /dev/null.
public enum EmptyFile {
    /// Opens it for reading and writing, close-on-exec.
    public static func open() throws(SystemCallError) -> FileDescriptor {
        FileDescriptor(
            owning: try systemCall("open") { Glibc.open("/dev/null", O_RDWR | O_CLOEXEC) })
    }
}

/// A file descriptor with shared ownership, for collections, which cannot hold noncopyable values.
public final class OwnedDescriptor: Sendable {
    private let descriptor: FileDescriptor

    /// Takes over the descriptor.
    public init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// The number, valid while this object lives.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Another descriptor of the same file, close-on-exec (F_DUPFD_CLOEXEC of fcntl(2)).
    public func duplicate() throws(SystemCallError) -> FileDescriptor {
        FileDescriptor(
            owning: try systemCall("fcntl") { fcntl(rawValue, F_DUPFD_CLOEXEC, 0) })
    }
}

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
