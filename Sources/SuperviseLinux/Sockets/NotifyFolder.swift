import CSupervise
import Glibc

/// A directory for notify sockets that protects them from other users. Below it, each user has a
/// directory with mode 0700, and a socket in it can be reached only by its path. (An abstract name
/// gives no protection: any local user can fill its queue, so that the worker's messages do not
/// fit.)
///
/// A worker that starts as root may change its user later and must still reach its socket.
/// Therefore other users may pass through root's directory but not list it, and the sockets in it
/// have names that only their workers know.
///
/// The directory is locked (flock(2)) while its master lives, also across execve(2). The
/// directory of a killed master is unlocked, and the next master removes it.
public final class NotifyFolder: Sendable {
    private static let prefix = "supervise-notify-"
    /// The number of nonce digits in the name of a socket.
    private static let nameDigits = 16
    /// The size of `sun_path` without the NUL (unix(7)).
    private static let longestPath = 107

    /// The path.
    public let path: String
    private let lock: FileDescriptor

    /// The descriptor that holds the lock.
    public var rawValue: Int32 { lock.rawValue }

    /// Creates one in the first possible of these directories, and removes there what masters of
    /// this user left behind. With `isShared`, users other than this process's own must be able to
    /// reach it. Nil if none is possible.
    public static func make(in folders: [String], isShared: Bool) -> NotifyFolder? {
        for folder in folders where fits(folder) && (!isShared || isOpenToAll(folder)) {
            removeStale(in: folder)
            // Another master that starts at the same time may take it for stale before it is
            // locked.
            for _ in 0..<3 {
                if let made = NotifyFolder(in: folder) { return made }
            }
        }
        return nil
    }

    /// Takes over the directory of the previous program of this process.
    public init(resuming descriptor: consuming FileDescriptor, path: String) {
        lock = descriptor
        self.path = path
    }

    private init?(in folder: String) {
        var template = Array("\(folder)/\(Self.prefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return nil }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let number = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard number >= 0 else {
            rmdir(path)
            return nil
        }
        lock = FileDescriptor(owning: number)
        var status = stat()
        guard flock(number, LOCK_EX | LOCK_NB) == 0, lstat(path, &status) == 0,
            // Other users must pass through to their own directory.
            fchmod(number, 0o711) == 0
        else { return nil }
    }

    /// The address for the socket of this nonce, in the directory of this user, which is created if
    /// necessary. Fails as mkdir(2) and chown(2).
    public func path(nonce: String, uid: UInt32, gid: UInt32) throws(SystemCallError) -> String {
        let folder = "\(path)/\(uid)"
        do throws(SystemCallError) {
            try systemCall("mkdir") { mkdir(folder, 0o700) }
            if uid == 0 { try systemCall("chmod") { chmod(folder, 0o711) } }
            // No other user can write to the parent directory.
            if uid != geteuid() { try systemCall("chown") { lchown(folder, uid, gid) } }
        } catch  where error.code == EEXIST {
            return "\(folder)/\(nonce.prefix(Self.nameDigits))"
        } catch {
            rmdir(folder)
            throw error
        }
        return "\(folder)/\(nonce.prefix(Self.nameDigits))"
    }

    /// Removes it with all its sockets.
    public func remove() {
        Self.removeContent(of: lock.rawValue)
        rmdir(path)
    }

    private static func fits(_ folder: String) -> Bool {
        let longest = "\(folder)/\(prefix)XXXXXX/\(UInt32.max)/".utf8.count + nameDigits
        return folder.hasPrefix("/") && longest <= longestPath
    }

    /// Whether all users may pass through the directory and its parents.
    private static func isOpenToAll(_ folder: String) -> Bool {
        var path = Substring(folder)
        while true {
            var status = stat()
            guard stat(path.isEmpty ? "/" : String(path), &status) == 0,
                status.st_mode & S_IXOTH != 0
            else { return false }
            guard let slash = path.lastIndex(of: "/") else { return true }
            path = path[..<slash]
        }
    }

    private static func removeStale(in folder: String) {
        for name in Directory.entries(folder) where name.hasPrefix(prefix) {
            let number = open(
                "\(folder)/\(name)", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard number >= 0 else { continue }
            let found = FileDescriptor(owning: number)
            var status = stat()
            guard fstat(found.rawValue, &status) == 0, status.st_uid == geteuid(),
                flock(found.rawValue, LOCK_EX | LOCK_NB) == 0
            else { continue }
            removeContent(of: found.rawValue)
            rmdir("\(folder)/\(name)")
        }
    }

    /// These directories belong to their users, so links in them are not followed, and only sockets
    /// are removed.
    private static func removeContent(of folder: Int32) {
        for user in entries(of: folder) {
            let number = csupervise_open_at(
                folder, user, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
            guard number >= 0 else { continue }
            let own = FileDescriptor(owning: number)
            for name in entries(of: own.rawValue) {
                var status = stat()
                guard fstatat(own.rawValue, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
                    status.st_mode & S_IFMT == S_IFSOCK
                else { continue }
                unlinkat(own.rawValue, name, 0)
            }
            unlinkat(folder, user, AT_REMOVEDIR)
        }
    }

    private static func entries(of folder: Int32) -> [String] {
        Directory.entries("/proc/self/fd/\(folder)")
    }
}
