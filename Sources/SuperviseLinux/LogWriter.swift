import CSupervise
import Glibc

/// Writes lines to a log and never waits for whoever reads it: what can't be written now is dropped
/// and counted. A reader that is gone raises SIGPIPE, which is to be ignored or blocked.
///
/// O_NONBLOCK is never set on a descriptor that others share, since the flag belongs to the open file
/// description (fcntl(2)): a shell's terminal, or the workers' stderr, would change with it.
public final class LogWriter {
    /// What became of a line.
    public enum Outcome: Hashable, Sendable {
        /// It is on its way, perhaps with its rest to be written before the next line.
        case written
        /// Nothing of it was written.
        case dropped
    }

    private var sink: LogSink
    private var remainder: [UInt8] = []
    /// How many lines were dropped so far.
    public private(set) var droppedLines: UInt64 = 0

    /// Writes to an open descriptor, which stays the caller's, such as stderr.
    public init(descriptor: Int32) {
        sink = LogSink(borrowing: descriptor)
    }

    /// Appends to a file, which is created with mode 0640. A symbolic link on the path is followed only
    /// if it belongs to root or to this process's user. Fails as open(2) does: ELOOP for other links;
    /// ENXIO is a FIFO that nobody reads.
    public init(path: String) throws(SystemCallError) {
        sink = try LogSink(path: path)
    }

    /// Goes on in a file that another program of this process opened, and counts what it dropped.
    public init(resuming descriptor: consuming FileDescriptor, droppedLines: UInt64) {
        sink = LogSink(file: OwnedDescriptor(descriptor))
        self.droppedLines = droppedLines
    }

    /// The descriptor of the file that it opened, for another program to go on with; nil where it
    /// writes to another's.
    public var fileDescriptor: Int32? { sink.file?.rawValue }

    /// Goes on in a file of this name, after the old one was renamed. When it fails the old one
    /// stays in use.
    public func reopen(path: String) throws(SystemCallError) {
        let fresh = try LogSink(path: path)
        flush()
        // The rest of a line would be the head of the new file.
        remainder = []
        sink = fresh
    }

    /// Writes a line; a newline is added.
    @discardableResult
    public func write(_ line: String) -> Outcome {
        flush()
        guard remainder.isEmpty else { return drop() }
        let bytes = Array(line.utf8) + [UInt8(ascii: "\n")]
        let count = sink.write(bytes[...])
        if count == 0 { return drop() }
        // A line once begun is finished first, lest the next be glued to it.
        remainder = Array(bytes.dropFirst(count))
        return .written
    }

    /// Tries again to write the rest of a line that was begun.
    public func flush() {
        guard !remainder.isEmpty else { return }
        remainder.removeFirst(sink.write(remainder[...]))
    }

    private func drop() -> Outcome {
        droppedLines += 1
        return .dropped
    }
}

/// Where a log goes, and how that kind of file is written to without waiting.
private struct LogSink {
    private enum Kind {
        /// MSG_DONTWAIT of send(2).
        case socket
        /// RWF_NOWAIT of pwritev2(2).
        case pipe
        /// Only when poll(2) says so and at most PIPE_BUF: nearly never waits. For pipes of kernels
        /// without RWF_NOWAIT, and for terminals that can't be opened again.
        case polled
        /// A disk, or a description of our own with O_NONBLOCK.
        case plain
    }

    private var kind: Kind
    private let number: Int32
    private let owned: OwnedDescriptor?
    /// The file, where it was opened by its name.
    private(set) var file: OwnedDescriptor?

    init(borrowing number: Int32) {
        var status = stat()
        let format = fstat(number, &status) == 0 ? status.st_mode & S_IFMT : S_IFREG
        if format == S_IFCHR, isatty(number) == 1 {
            self.init(terminal: number)
        } else {
            let kind = format == S_IFSOCK ? Kind.socket : format == S_IFIFO ? .pipe : .plain
            self.init(kind, number, owned: nil)
        }
    }

    private init(_ kind: Kind, _ number: Int32, owned: OwnedDescriptor?) {
        self.kind = kind
        self.number = number
        self.owned = owned
    }

    init(path: String) throws(SystemCallError) {
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
        number = try GuardedPath.open(path, flags, mode: 0o640)
        owned = OwnedDescriptor(FileDescriptor(owning: number))
        file = owned
        kind = .plain
    }

    init(file: OwnedDescriptor) {
        self.init(.plain, file.rawValue, owned: file)
        self.file = file
    }

    private init(terminal: Int32) {
        let flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
        let opened = open("/proc/self/fd/\(terminal)", flags)
        owned = opened < 0 ? nil : OwnedDescriptor(FileDescriptor(owning: opened))
        number = opened < 0 ? terminal : opened
        kind = opened < 0 ? .polled : .plain
    }

    /// How many of the bytes were taken. No error is worth more than that: a log that can't be written
    /// has no place to say so.
    mutating func write(_ bytes: ArraySlice<UInt8>) -> Int {
        while true {
            let count = bytes.withUnsafeBytes { attempt($0) }
            if count >= 0 { return count }
            let code = errno
            if code == EOPNOTSUPP, kind == .pipe {
                kind = .polled
            } else if code != EINTR {
                return 0
            }
        }
    }

    private func attempt(_ bytes: UnsafeRawBufferPointer) -> Int {
        switch kind {
        case .socket:
            return send(
                number, bytes.baseAddress, bytes.count,
                Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
        case .pipe:
            return csupervise_write_nowait(number, bytes.baseAddress, bytes.count)
        case .polled:
            var entry = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
            guard poll(&entry, 1, 0) == 1, entry.revents & Int16(POLLOUT) != 0 else { return 0 }
            return Glibc.write(number, bytes.baseAddress, min(bytes.count, 4096))
        case .plain:
            return Glibc.write(number, bytes.baseAddress, bytes.count)
        }
    }
}
