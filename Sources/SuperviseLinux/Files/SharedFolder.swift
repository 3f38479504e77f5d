import Glibc

/// A folder with files that every user can read and only its owner can change.
public final class SharedFolder {
    /// Its path.
    public let path: String

    /// Creates a folder in the first of these folders in which that is possible, with these files.
    /// Fails as mkdtemp(3) in the last one.
    public init(
        in folders: [String], prefix: String, files: [(name: String, content: [UInt8])]
    ) throws(SystemCallError) {
        var failure = SystemCallError(call: "mkdtemp", code: ENOENT)
        for folder in folders {
            do throws(SystemCallError) {
                path = try Self.make(in: folder, prefix)
            } catch {
                failure = error
                continue
            }
            do throws(SystemCallError) {
                for file in files { try write(file.content, to: file.name) }
                try systemCall("chmod") { chmod(path, 0o755) }
                return
            } catch {
                remove()
                throw error
            }
        }
        throw failure
    }

    private static func make(in folder: String, _ prefix: String) throws(SystemCallError) -> String
    {
        var template = Array("\(folder)/\(prefix).XXXXXX".utf8CString)
        var isMade = false
        template.withUnsafeMutableBufferPointer { buffer in
            isMade = buffer.baseAddress.map { mkdtemp($0) != nil } ?? false
        }
        guard isMade else { throw SystemCallError(call: "mkdtemp", code: errno) }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func write(_ content: [UInt8], to name: String) throws(SystemCallError) {
        let file = "\(path)/\(name)"
        let number = try systemCall("open") {
            open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        }
        let descriptor = FileDescriptor(owning: number)
        try systemCall("fchmod") { fchmod(descriptor.rawValue, 0o644) }
        let size = try systemCall("write") {
            Glibc.write(descriptor.rawValue, content, content.count)
        }
        guard size == content.count else { throw SystemCallError(call: "write", code: ENOSPC) }
    }

    /// Removes the folder with its files, and with the folder in which Python keeps what it has
    /// compiled.
    public func remove() {
        Self.remove("\(path)/__pycache__")
        Self.remove(path)
    }

    private static func remove(_ folder: String) {
        let names: [String]
        do throws(SystemCallError) {
            names = try Directory.names(folder)
        } catch {
            return
        }
        for name in names { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }
}
