import Glibc

/// A failure to create the pid file.
public struct PidFileFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The reason.
    public enum Reason: Hashable, Sendable {
        /// The process that it names is, or may be, a master.
        case held(pid: Int32)
        /// The existing file is not a pid file: a link, a directory, or another text.
        case notAPidFile
        /// A system call failed.
        case call(SystemCallError)
    }

    /// The file.
    public let path: String
    /// The reason.
    public let reason: Reason

    /// `/run/app.pid: names process 17, a running supervise`.
    public var description: String {
        switch reason {
        case .held(let pid): "\(path): names process \(pid), a running supervise"
        case .notAPidFile:
            "\(path): is no pid file, so it is left alone; a pid file is a plain file that holds one "
                + "process number"
        case .call(let error): "\(path): \(error.message)"
        }
    }
}

/// A file that contains the ID of this process.
public struct PidFile: Hashable, Sendable, Codable {
    /// The path.
    public let path: String
    private let identity: FileIdentity

    /// Writes the file atomically. A file that names no running master, or this process, is
    /// replaced: after a crash or a reboot, its number may belong to another program. A symbolic
    /// link is not followed.
    public init(creating path: String) throws(PidFileFailure) {
        self.path = path
        if let pid = try Self.holder(of: path), pid != getpid(), Self.isMaster(pid) {
            throw PidFileFailure(path: path, reason: .held(pid: pid))
        }
        do {
            identity = try Self.write(path)
        } catch {
            throw PidFileFailure(path: path, reason: .call(error))
        }
    }

    /// Removes the file if it is still the one that was written. Returns whether it did.
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
        // Left by a crash between creating and writing, by programs that do both separately.
        guard let word = words.first else { return nil }
        guard words.count == 1, let pid = Int32(word), pid > 0 else {
            throw PidFileFailure(path: path, reason: .notAPidFile)
        }
        return pid
    }

    /// Whether a process is a master, or cannot be distinguished from one. A process of our own
    /// user is identified by its program, any other by its title.
    private static func isMaster(_ pid: Int32) -> Bool {
        guard kill(pid, 0) == 0 || errno == EPERM else { return false }
        // The short name remains if the title is truncated, and the title remains if the program is
        // renamed.
        guard let name = Procfs.text("/proc/\(pid)/comm"), let own = Procfs.text("/proc/self/comm"),
            let words = Procfs.text("/proc/\(pid)/cmdline")
        else { return true }
        return name == own || name == "supervise\n" || words.hasPrefix("supervise: master")
            || isOurProgram(pid)
    }

    private static func isOurProgram(_ pid: Int32) -> Bool {
        var other = stat()
        var own = stat()
        return stat("/proc/\(pid)/exe", &other) == 0 && stat("/proc/self/exe", &own) == 0
            && FileIdentity(other) == FileIdentity(own)
    }

    private static func write(_ path: String) throws(SystemCallError) -> FileIdentity {
        let temporary = "\(path).\(getpid())"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        // Left by a process with our ID that died between the two steps.
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
