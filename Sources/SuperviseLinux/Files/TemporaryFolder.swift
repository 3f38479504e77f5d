import Glibc

/// A directory with a unique name, which only this user can enter.
public struct TemporaryFolder {
    /// The path.
    public let path: String

    /// Creates the directory in `parent`. Fails as mkdtemp(3).
    public init(in parent: String, prefix: String) throws(SystemCallError) {
        var template = Array("\(parent)/\(prefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemCallError(call: "mkdtemp", code: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Creates a file in it, and returns its path. Fails as open(2) and write(2).
    public func write(_ name: String, _ text: String) throws(SystemCallError) -> String {
        let file = "\(path)/\(name)"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC
        let number = try systemCall("open") { open(file, flags, 0o600) }
        let descriptor = FileDescriptor(owning: number)
        try TextOutput.write(text, to: descriptor.rawValue)
        return file
    }

    /// Removes it with its files.
    public func remove() {
        for name in Directory.entries(path) { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}
