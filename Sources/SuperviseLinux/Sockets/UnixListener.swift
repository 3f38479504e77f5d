import CSupervise
import Glibc

extension ListenSocket {
    /// The attempts to lock a directory that another master has locked, and their interval.
    private static let lockAttempts = 20
    private static let lockGapMicroseconds: UInt32 = 1000
    /// The part of a file's name that its hiding place repeats. A name has at most 255 bytes.
    private static let longestHint = 32

    /// Listens on a path. An existing socket file is replaced only if connecting to it is refused,
    /// which means that no process listens. A file of another type is never touched.
    ///
    /// The file has `mode` whatever the umask is, and never a wider one. With `owner` and
    /// `group` nil, it belongs to this process's user. If it fails, no file is left.
    ///
    /// With `hidden`, no client can connect until `admitNewConnections`.
    public static func unix(
        path: String, mode: UInt32, owner: UInt32? = nil, group: UInt32? = nil, backlog: Int32,
        nonblocking: Bool = false, hidden: Bool = false
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
            let socket: ListenSocket
            do throws(SystemCallError) {
                // At once: another server that checks before this would find a stale file.
                if !hidden { try systemCall("listen") { listen(descriptor.rawValue, backlog) } }
                let identity = try finish(path, mode, owner, group)
                let file = File(path: path, identity: identity)
                socket = try ListenSocket(descriptor, file: file, isAdopted: false)
            } catch {
                removeSocketFile(path)
                throw error
            }
            if hidden {
                do throws(SystemCallError) {
                    try socket.hideFile(address, mode, owner, group)
                    try systemCall("listen") { listen(socket.rawValue, backlog) }
                } catch let failure {
                    do throws(SystemCallError) {
                        try socket.removeIfStillOurs()
                    } catch {
                        throw failure
                    }
                    throw failure
                }
            }
            return socket
        }
    }

    /// A file without a listener would be misleading.
    private static func removeSocketFile(_ path: String) {
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK { unlink(path) }
    }

    /// Removes the file of the unix socket if it is still the one that was created. Returns whether
    /// it did.
    @discardableResult
    public func removeIfStillOurs() throws(SystemCallError) -> Bool {
        guard var file, !isAdopted else { return false }
        if let hiding = file.hiding {
            file = File(path: file.path, identity: hiding.standIn)
            self.file?.hiding = nil
            standIn = nil
            try ListenSocket.removeFile(hiding.path)
        }
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

    /// Moves the file of a socket that does not listen yet to another path in its directory, and
    /// puts the file of a dead socket in its place: programs check that the path exists, change its
    /// mode, or remove it. The socket keeps its address (getsockname(2)).
    private func hideFile(
        _ address: SocketAddress, _ mode: UInt32, _ owner: UInt32?, _ group: UInt32?
    ) throws(SystemCallError) {
        guard let file else { return }
        let (folder, name) = ListenSocket.parts(of: file.path)
        let hint = name.prefix(ListenSocket.longestHint)
        let hidden = "\(folder)/.\(hint).\(getpid())-\(file.identity.inode)"
        try systemCall("rename") { rename(file.path, hidden) }
        do throws(SystemCallError) {
            let dead = try ListenSocket.open(AF_UNIX, nonblocking: false)
            try systemCall("fchmod") { fchmod(dead.rawValue, mode) }
            try ListenSocket.bind(dead.rawValue, to: address)
            let identity: FileIdentity
            do throws(SystemCallError) {
                identity = try ListenSocket.finish(file.path, mode, owner, group)
            } catch {
                ListenSocket.removeSocketFile(file.path)
                throw error
            }
            self.file?.hiding = Hiding(path: hidden, standIn: identity)
            // As long as it is open, no other file gets its inode.
            standIn = OwnedDescriptor(dead)
        } catch {
            unlink(hidden)
            throw error
        }
    }

    /// Moves the hidden file to its path.
    func showFile() throws(SystemCallError) {
        guard let file, let hiding = file.hiding else { return }
        let lock = ListenSocket.lockFolder(of: file.path)
        defer { withExtendedLifetime(lock) {} }
        var status = stat()
        let isTaken =
            lstat(file.path, &status) == 0 && FileIdentity(status) != hiding.standIn
        self.file?.hiding = nil
        standIn = nil
        do throws(SystemCallError) {
            if isTaken { throw SystemCallError(call: "rename", code: EADDRINUSE) }
            try systemCall("rename") { rename(hiding.path, file.path) }
        } catch {
            unlink(hiding.path)
            throw error
        }
    }

    /// The directory and the last component of a path.
    private static func parts(of path: String) -> (folder: String, name: String) {
        guard let end = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
        let name = String(path[path.utf8.index(after: end)...])
        return (end == path.startIndex ? "/" : String(path[..<end]), name)
    }

    /// The directory, locked (flock(2)) until this is released. Nil if it cannot be read, or if
    /// another process holds the lock for longer than the creation of a socket takes: no process
    /// may block the start of a master.
    private static func lockFolder(of path: String) -> OwnedDescriptor? {
        let number = Glibc.open(parts(of: path).folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
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
