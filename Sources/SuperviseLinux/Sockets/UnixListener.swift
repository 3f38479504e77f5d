import CSupervise
import Glibc

extension ListenSocket {
    /// The attempts to lock a directory that another master has locked, and their interval.
    private static let lockAttempts = 20
    private static let lockGapMicroseconds: UInt32 = 1000

    /// Listens on a path. An existing socket file is replaced only if connecting to it is refused,
    /// which means that no process listens. A file of another type is never touched.
    ///
    /// The file has `mode` whatever the umask is, and never a wider one. With `owner` and
    /// `group` nil, it belongs to this process's user. If it fails, no file is left.
    public static func unix(
        path: String, mode: UInt32, owner: UInt32? = nil, group: UInt32? = nil, backlog: Int32,
        nonblocking: Bool = false
    ) throws(ListenFailure) -> ListenSocket {
        let name = "unix:\(path)"
        let address = try named(name) { () throws(SystemCallError) in
            try SocketAddress(unix: path, abstract: false)
        }
        // Between the check of a stale file and the creation of our own, another master may do the
        // same.
        let lock = lockFolder(of: path)
        defer { withExtendedLifetime(lock) {} }
        try makeWay(at: path, for: address, name)
        return try named(name) { () throws(SystemCallError) in
            let descriptor = try open(AF_UNIX, nonblocking: nonblocking)
            // The file gets the mode of the socket, less the umask (unix(7)).
            try systemCall("fchmod") { fchmod(descriptor.rawValue, mode) }
            try bind(descriptor.rawValue, to: address)
            do throws(SystemCallError) {
                // At once: another server that checks before this would find a stale file.
                try systemCall("listen") { listen(descriptor.rawValue, backlog) }
                let identity = try finish(path, mode, owner, group)
                let file = File(path: path, identity: identity)
                return try ListenSocket(descriptor, file: file, isAdopted: false)
            } catch {
                // A file without a listener would be misleading.
                var status = stat()
                if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK { unlink(path) }
                throw error
            }
        }
    }

    /// Removes the file of the unix socket if it is still the one that was created. Returns whether
    /// it did.
    @discardableResult
    public func removeIfStillOurs() throws(SystemCallError) -> Bool {
        guard let file, !isAdopted else { return false }
        var status = stat()
        do {
            try systemCall("lstat") { lstat(file.path, &status) }
            guard FileIdentity(status) == file.identity else { return false }
            try systemCall("unlink") { unlink(file.path) }
            return true
        } catch  where error.code == ENOENT || error.code == ENOTDIR {
            return false
        }
    }

    /// The directory, locked (flock(2)) until this is released. Nil if it cannot be read, or if
    /// another process holds the lock for longer than the creation of a socket takes: no process
    /// may block the start of a master.
    private static func lockFolder(of path: String) -> OwnedDescriptor? {
        let end = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let number = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let descriptor = OwnedDescriptor(FileDescriptor(owning: number))
        for _ in 0..<lockAttempts {
            if flock(number, LOCK_EX | LOCK_NB) == 0 { return descriptor }
            guard errno == EWOULDBLOCK else { return nil }
            usleep(lockGapMicroseconds)
        }
        return nil
    }

    private static func makeWay(
        at path: String, for address: SocketAddress, _ name: String
    ) throws(ListenFailure) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw ListenFailure(address: name, reason: .notASocket)
        }
        var holder: String?
        try named(name, holder: { holder }) { () throws(SystemCallError) in
            guard try isStale(address, holder: &holder) else {
                throw SystemCallError(call: "bind", code: EADDRINUSE)
            }
            try removeFile(path)
        }
    }

    // Its owner may have removed it meanwhile.
    private static func removeFile(_ path: String) throws(SystemCallError) {
        do {
            try systemCall("unlink") { unlink(path) }
        } catch  where error.code == ENOENT {
            return
        }
    }

    // Non-blocking: a running server with a full accept queue would block us.
    private static func isStale(
        _ address: SocketAddress, holder: inout String?
    ) throws(SystemCallError) -> Bool {
        let probe = StreamSocket(try open(AF_UNIX, nonblocking: true))
        do {
            try systemCall("connect") { address.withPointer { connect(probe.rawValue, $0, $1) } }
            holder = ListenHolder.process(try probe.peer().pid)
            return false
        } catch {
            return error.code == ECONNREFUSED || error.code == ENOENT
        }
    }

    // Over a descriptor of the file itself, so that it cannot be replaced by a link meanwhile.
    private static func finish(
        _ path: String, _ mode: UInt32, _ owner: UInt32?, _ group: UInt32?
    ) throws(SystemCallError) -> FileIdentity {
        let number = try systemCall("open") { csupervise_open_path(path) }
        let file = FileDescriptor(owning: number)
        var status = stat()
        try systemCall("fstat") { fstat(file.rawValue, &status) }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw SystemCallError(call: "bind", code: EADDRINUSE)
        }
        let link = "/proc/self/fd/\(file.rawValue)"
        if owner != nil || group != nil {
            // -1 means unchanged, chown(2).
            try systemCall("chown") { chown(link, owner ?? .max, group ?? .max) }
        }
        try systemCall("chmod") { chmod(link, mode) }
        return FileIdentity(status)
    }
}
