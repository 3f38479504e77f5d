import CSupervise
import Glibc

/// The reading end of the pipe that a process and its descendants write their output to.
public final class OutputPipe {
    /// The most bytes that one read returns: what a pipe holds by default (pipe(7)).
    public static let pieceBytes = 65_536

    /// What a read found.
    public enum Piece: Equatable, Sendable {
        /// This many bytes are in the buffer.
        case bytes(Int)
        /// There is nothing to read now.
        case empty
        /// Every writer has closed the pipe.
        case end
    }

    private let descriptor: FileDescriptor

    private init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Continues with a pipe that another program of this process created.
    public convenience init(resuming descriptor: consuming FileDescriptor) {
        self.init(descriptor)
    }

    /// Creates a pipe. A process of any user that inherits the writing end can also open it by name
    /// (/dev/stderr, which is proc_pid_fd(5)): it belongs to `owner`, and its mode permits writing
    /// for processes that change their user later. Fails as pipe(2).
    public static func make(
        owner: (uid: UInt32, gid: UInt32)?
    ) throws(SystemCallError) -> (pipe: OutputPipe, writer: OwnedDescriptor) {
        let numbers = try Pipe.numbers()
        let pipe = OutputPipe(FileDescriptor(owning: numbers.0))
        let writer = try Pipe.writer(numbers.1)
        // Without CAP_CHOWN, the mode alone is enough.
        if let owner { _ = fchown(writer.rawValue, owner.uid, owner.gid) }
        try systemCall("fchmod") { fchmod(writer.rawValue, 0o622) }
        return (pipe, writer)
    }

    /// The descriptor's number.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Reads what is there, at most the size of the buffer. Never blocks.
    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Piece {
        while true {
            let count = Glibc.read(descriptor.rawValue, buffer.baseAddress, buffer.count)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            if errno == EINTR { continue }
            precondition(errno == EAGAIN, "a pipe of our own can be read: errno \(errno)")
            return .empty
        }
    }
}
