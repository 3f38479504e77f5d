import Glibc

/// An open program file.
struct ProgramFile {
    private let descriptor: OwnedDescriptor

    /// Opens the file. Fails as open(2). Does not block on a pipe or a device, which is never a
    /// program.
    init(_ path: String) throws(SystemCallError) {
        let number = try systemCall("open") {
            open(SystemText.path(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        }
        descriptor = OwnedDescriptor(FileDescriptor(owning: number))
        var status = stat()
        guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SystemCallError(call: "open", code: ENOEXEC)
        }
    }

    /// The available part of these bytes.
    func bytes(at offset: UInt64, count: Int) -> [UInt8] {
        guard let offset = off_t(exactly: offset) else { return [] }
        var buffer = [UInt8](repeating: 0, count: count)
        let read = pread(descriptor.rawValue, &buffer, count, offset)
        return Array(buffer.prefix(max(0, read)))
    }
}
