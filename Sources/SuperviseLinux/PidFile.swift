import Glibc

/// Why there is no pid file.
public struct PidFileFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Reason: Hashable, Sendable {
        /// The process that it names is alive.
        case held(pid: Int32)
        /// What is there was not written as a pid file: a link, a folder, another text.
        case notAPidFile
        /// A system call failed.
        case call(SystemCallError)
    }

    /// The file.
    public let path: String
    /// What went wrong with it.
    public let reason: Reason

    /// `/run/app.pid: names process 17, which is alive`.
    public var description: String {
        switch reason {
        case .held(let pid): "\(path): names process \(pid), which is alive"
        case .notAPidFile:
            "\(path): is no pid file, so it is left alone; a pid file is a plain file that holds one "
                + "process number"
        case .call(let error): "\(path): \(error.message)"
        }
    }
}

/// A file that holds this process's number.
public struct PidFile: Hashable, Sendable, Codable {
    /// Where it is.
    public let path: String
    private let identity: FileIdentity

    /// Writes the file whole or not at all. One that names no living process, or this one, is
    /// replaced; a symbolic link is not followed.
    public init(creating path: String) throws(PidFileFailure) {
        self.path = path
        if let pid = try Self.holder(of: path), pid != getpid(), Self.isAlive(pid) {
            throw PidFileFailure(path: path, reason: .held(pid: pid))
        }
        do {
            identity = try Self.write(path)
        } catch {
            throw PidFileFailure(path: path, reason: .call(error))
        }
    }

    /// Removes the file when it is still the one that was written. True when it was.
    @discardableResult
    public func removeIfStillOurs() throws(SystemCallError) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0, FileIdentity(status) == identity else { return false }
        try systemCall("unlink") { unlink(path) }
        return true
    }

    private static func holder(of path: String) throws(PidFileFailure) -> Int32? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw PidFileFailure(path: path, reason: .notAPidFile)
        }
        let text: String
        do {
            text = try TextFile.read(path, limitBytes: 64)
        } catch {
            if error.code == ENOENT { return nil }
            let isText = error.code != EFBIG && error.code != EILSEQ
            throw PidFileFailure(path: path, reason: isText ? .call(error) : .notAPidFile)
        }
        let words = text.split(whereSeparator: \.isWhitespace)
        // A crash between creation and writing, by programs that do it in two steps.
        guard let word = words.first else { return nil }
        guard words.count == 1, let pid = Int32(word), pid > 0 else {
            throw PidFileFailure(path: path, reason: .notAPidFile)
        }
        return pid
    }

    private static func isAlive(_ pid: Int32) -> Bool {
        kill(pid, 0) == 0 || errno == EPERM
    }

    private static func write(_ path: String) throws(SystemCallError) -> FileIdentity {
        let temporary = "\(path).\(getpid())"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        // Left by a process of our number that died between the two steps.
        unlink(temporary)
        let number = try systemCall("open") { open(temporary, flags, 0o644) }
        let file = FileDescriptor(owning: number)
        do {
            let line = Array("\(getpid())\n".utf8)
            try systemCall("write") { Glibc.write(file.rawValue, line, line.count) }
            var status = stat()
            try systemCall("fstat") { fstat(file.rawValue, &status) }
            try systemCall("rename") { rename(temporary, path) }
            return FileIdentity(status)
        } catch {
            unlink(temporary)
            throw error
        }
    }
}
