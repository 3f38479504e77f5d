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
