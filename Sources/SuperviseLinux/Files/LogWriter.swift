import CSupervise
import Glibc

/// Writes lines to a log and never blocks: lines that cannot be written now are dropped and
/// counted. If the reader has exited, writing raises SIGPIPE, which must be ignored or blocked.
///
/// O_NONBLOCK is never set on a shared descriptor, because the flag belongs to the open file
/// description (fcntl(2)): it would also change for a shell's terminal or the workers' stderr.
public final class LogWriter {
    /// The result of writing a line.
    public enum Outcome: Hashable, Sendable {
        /// It was written, possibly with a rest that is written before the next line.
        case written
        /// It was dropped.
        case dropped
    }

    private var sink: LogSink
    private var remainder: [UInt8] = []
    /// The bytes at the start of `remainder` that belong to a line that was written in part.
    private var startedBytes = 0
    /// How many bytes of lines are kept for later while the destination takes nothing.
    public var backlogBytes = 0
    /// The number of dropped lines so far.
    public private(set) var droppedLines: UInt64 = 0

    /// Writes to an open descriptor, such as stderr, which the caller keeps.
    public init(descriptor: Int32) {
        sink = LogSink(borrowing: descriptor)
    }

    /// Appends to a file, which is created with mode 0640. A symbolic link in the path is followed
    /// only if it belongs to root or to this process's user. Fails as open(2): ELOOP for other
    /// links; ENXIO for a FIFO without a reader.
    public init(path: String) throws(SystemCallError) {
        sink = try LogSink(path: path)
    }

    /// Continues with a file that another program of this process opened, and with its count of
    /// dropped lines.
    public init(resuming descriptor: consuming FileDescriptor, droppedLines: UInt64) {
        sink = LogSink(file: OwnedDescriptor(descriptor))
        self.droppedLines = droppedLines
    }

    /// The descriptor of the file that it opened, for another program to continue with; nil if it
    /// writes to a descriptor of the caller.
    public var fileDescriptor: Int32? { sink.file?.rawValue }

    /// The descriptor that is written to, for epoll(7).
    public var rawValue: Int32 { sink.number }

    /// Whether the last attempt to write failed because of more than a full pipe or socket: the reader
    /// has exited (EPIPE), or the disk is full.
    public var isFailing: Bool { sink.isFailing }

    /// What waits for `flush()`: it begins with the rest of a line, if one was written in part.
    public var backlog: [UInt8] { remainder }

    /// Whether anything waits for `flush()`.
    public var hasBacklog: Bool { !remainder.isEmpty }

    /// Reopens the file after the old one was renamed. If this fails, the old file stays in use.
    public func reopen(path: String) throws(SystemCallError) {
        let fresh = try LogSink(path: path)
        flush()
        // The rest of a line must not become the start of the new file.
        remainder = []
        startedBytes = 0
        sink = fresh
    }

    /// Writes a line with a trailing newline.
    @discardableResult
    public func write(_ line: String) -> Outcome {
        flush()
        let bytes = Array(line.utf8) + [UInt8(ascii: "\n")]
        let isKept = remainder.count + bytes.count <= backlogBytes && !sink.isFailing
        guard remainder.isEmpty else { return isKept ? keep(bytes) : drop() }
        let count = sink.write(bytes[...])
        if count == 0 { return isKept && !sink.isFailing ? keep(bytes) : drop() }
        // Finish a partially written line first.
        remainder = Array(bytes.dropFirst(count))
        startedBytes = remainder.count
        return .written
    }

    /// Writes lines that end with a line break, after those that wait. Returns the number of bytes
    /// taken, which is one of whole lines: the rest of a line that was written in part is kept.
    public func write(lines: UnsafeRawBufferPointer) -> Int {
        flush()
        guard remainder.isEmpty else { return 0 }
        let count = sink.write(lines)
        guard count > 0, count < lines.count, lines[count - 1] != UInt8(ascii: "\n") else {
            return count
        }
        let rest = UnsafeRawBufferPointer(rebasing: lines[count...])
        let length = (rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.count - 1) + 1
        remainder = Array(rest[..<length])
        startedBytes = length
        return count + length
    }

    /// Waits until the destination may take more, at most this long.
    public func waitUntilWritable(milliseconds: Int32) {
        var entry = pollfd(fd: sink.number, events: Int16(POLLOUT), revents: 0)
        poll(&entry, 1, milliseconds)
    }

    private func keep(_ bytes: [UInt8]) -> Outcome {
        remainder += bytes
        return .written
    }

    /// Retries to write what waits. If the reader has exited or the disk is full, whole lines are
    /// dropped, because they would delay all that follows; the rest of a line is kept, because the
    /// next line would be appended to its beginning.
    public func flush() {
        guard !remainder.isEmpty else { return }
        let count = sink.write(remainder[...])
        if count > 0 {
            let isWithinLine = remainder[count - 1] != UInt8(ascii: "\n")
            remainder.removeFirst(count)
            let end = remainder.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
            startedBytes = isWithinLine ? end ?? remainder.count : 0
        } else if sink.isFailing {
            let whole = remainder.dropFirst(startedBytes)
            droppedLines += UInt64(whole.count { $0 == UInt8(ascii: "\n") })
            remainder.removeLast(whole.count)
        }
    }

    private func drop() -> Outcome {
        droppedLines += 1
        return .dropped
    }
}

/// The type of a log file, which determines how to write without blocking.
private struct LogSink {
    private enum Kind {
        /// MSG_DONTWAIT of send(2).
        case socket
        /// RWF_NOWAIT of pwritev2(2).
        case pipe
        /// Write only if poll(2) reports it writable, and at most PIPE_BUF, which almost never
        /// blocks. For pipes in kernels without RWF_NOWAIT, and for terminals that cannot be
        /// reopened.
        case polled
        /// A file on disk, or our own file description with O_NONBLOCK.
        case plain
    }

    private var kind: Kind
    let number: Int32
    private(set) var isFailing = false
    private let owned: OwnedDescriptor?
    /// The file, if it was opened by name.
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

    /// The number of bytes written. Errors are ignored: a log that cannot be written cannot report
    /// them.
    mutating func write(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { write($0) }
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        isFailing = false
        while true {
            let count = attempt(bytes)
            if count >= 0 { return count }
            let code = errno
            if code == EOPNOTSUPP, kind == .pipe {
                kind = .polled
            } else if code != EINTR {
                isFailing = code != EAGAIN
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
