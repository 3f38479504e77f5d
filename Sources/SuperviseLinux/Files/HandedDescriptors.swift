import CSupervise
import Glibc

/// Descriptors that stay open while this process executes another program (execve(2)).
public enum HandedDescriptors {
    /// Clears or sets close-on-exec on these descriptors.
    public static func keep(_ numbers: some Sequence<Int32>, open isKept: Bool) {
        for number in numbers {
            let result = fcntl(number, F_SETFD, isKept ? 0 : FD_CLOEXEC)
            precondition(result == 0, "what is handed on is open")
        }
    }

    /// Takes over a descriptor that the previous program left open, and sets close-on-exec. Fails
    /// with EBADF if it is not open.
    public static func take(_ number: Int32) throws(SystemCallError) -> FileDescriptor {
        // The previous program chose the number, so EBADF is not a bug of this one.
        guard number >= 0, fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else {
            throw SystemCallError(call: "fcntl", code: EBADF)
        }
        return FileDescriptor(owning: number)
    }

    /// Closes a descriptor that was left open and has no owner.
    public static func close(_ number: Int32) {
        Glibc.close(number)
    }
}

/// A file in memory (memfd_create(2)), sealed against any change.
public final class MemoryFile: Sendable {
    private let descriptor: FileDescriptor

    /// Creates a file with these bytes. `name` is visible in /proc. Fails as memfd_create(2) and
    /// write(2).
    public init(name: String, _ bytes: [UInt8]) throws(SystemCallError) {
        let number = try systemCall("memfd_create") {
            csupervise_memory_file(name, bytes.count)
        }
        descriptor = FileDescriptor(owning: number)
        var written = 0
        while written < bytes.count {
            written += try systemCall("write") {
                bytes[written...].withUnsafeBytes { write(number, $0.baseAddress, $0.count) }
            }
        }
        try systemCall("fcntl") { csupervise_seal_content(number) }
    }

    /// The descriptor, valid while this object lives.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Reads such a file that the previous program left open. Fails as pread(2), and with EBADF if
    /// it is not open.
    public static func bytes(of number: Int32) throws(SystemCallError) -> [UInt8] {
        guard fcntl(number, F_GETFD) != -1 else {
            throw SystemCallError(call: "fcntl", code: EBADF)
        }
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try systemCall("pread") {
                pread(number, &piece, piece.count, off_t(content.count))
            }
            if count == 0 { return content }
            content += piece.prefix(count)
        }
    }
}

/// The descriptors that were open when this process started.
public enum InheritedDescriptors {
    /// The open descriptors from 3 on. Read this before any other descriptor is opened.
    public static func list() -> Set<Int32> {
        let numbers = Directory.entries("/proc/self/fd").compactMap { Int32($0) }
        // The descriptor of the directory itself is included, and already closed.
        return Set(numbers.filter { $0 > 2 && fcntl($0, F_GETFD) != -1 })
    }
}
