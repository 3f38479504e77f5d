import CSupervise
import Glibc

/// A folder for notify sockets that nobody else can send to: below it, each user has a folder with mode
/// 0700, and what has no name in it cannot be reached. (An abstract name guards nothing: any local user
/// may fill its queue, and the messages of the worker that it belongs to find no room.)
///
/// A worker of root may become another user later and still has to reach its socket. So others may pass
/// through root's folder, but not list it, and the sockets in it have names that only their workers know.
///
/// It is locked (flock(2)) as long as its master lives, across execve(2) too. What a master that was
/// killed has left is unlocked, and the next one removes it.
public final class NotifyFolder: Sendable {
    private static let prefix = "supervise-notify-"
    /// Digits of a nonce that name a socket in its folder.
    private static let nameDigits = 16
    /// As `sun_path` has it, less the NUL (unix(7)).
    private static let longestPath = 107

    /// Its path.
    public let path: String
    private let lock: FileDescriptor

    /// The descriptor that holds the lock.
    public var rawValue: Int32 { lock.rawValue }

    /// Makes one in the first of these folders where that is possible, and removes there what masters of
    /// this user left behind. With `isShared` users other than this process's own must be able to reach
    /// it. Nil where it is nowhere possible.
    public static func make(in folders: [String], isShared: Bool) -> NotifyFolder? {
        for folder in folders where fits(folder) && (!isShared || isOpenToAll(folder)) {
            removeStale(in: folder)
            // Another master that starts at this moment may take it for stale before it is locked.
            for _ in 0..<3 {
                if let made = NotifyFolder(in: folder) { return made }
            }
        }
        return nil
    }

    /// Takes over the folder of the program that this process was before.
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
            // Others pass through to their own.
            fchmod(number, 0o711) == 0
        else { return nil }
    }

    /// The address for the socket of this nonce, in the folder of this user, which is made where it is
    /// missing. Fails as mkdir(2) and chown(2) do.
    public func path(nonce: String, uid: UInt32, gid: UInt32) throws(SystemCallError) -> String {
        let folder = "\(path)/\(uid)"
        do throws(SystemCallError) {
            try systemCall("mkdir") { mkdir(folder, 0o700) }
            if uid == 0 { try systemCall("chmod") { chmod(folder, 0o711) } }
            // Nobody else can write to the folder that it is in.
            if uid != geteuid() { try systemCall("chown") { lchown(folder, uid, gid) } }
        } catch  where error.code == EEXIST {
            return "\(folder)/\(nonce.prefix(Self.nameDigits))"
        } catch {
            rmdir(folder)
            throw error
        }
        return "\(folder)/\(nonce.prefix(Self.nameDigits))"
    }

    /// Removes it with all sockets.
    public func remove() {
        Self.removeContent(of: lock.rawValue)
        rmdir(path)
    }

    private static func fits(_ folder: String) -> Bool {
        let longest = "\(folder)/\(prefix)XXXXXX/\(UInt32.max)/".utf8.count + nameDigits
        return folder.hasPrefix("/") && longest <= longestPath
    }

    /// Whether everybody may pass through the folder and all above it.
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

    /// The users' folders belong to them, so no link in one is followed, and nothing but sockets in it
    /// is removed.
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
