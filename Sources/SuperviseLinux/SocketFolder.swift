import CSupervise
import Glibc

/// A folder with sockets that may belong to any user, opened by root.
///
/// A user could put a symbolic link, or another user's socket, in the place of a socket of theirs and so
/// have root send a request to a third program. So every name is opened as it is, and a socket is
/// connected to only if the process behind it runs as the user whom the file and the folder belong
/// to, or as root.
public final class SocketFolder: Sendable {
    private static let runtimeFolders = "/run/user"

    /// Where it is.
    public let path: String
    /// Whom it belongs to.
    public let owner: UInt32
    private let descriptor: FileDescriptor

    /// Opens a folder; fails as open(2) does, with ELOOP for a symbolic link.
    public convenience init(path: String) throws(SystemCallError) {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let number = try systemCall("open") { open(path, flags) }
        try self.init(path: path, FileDescriptor(owning: number))
    }

    private init(path: String, _ descriptor: consuming FileDescriptor) throws(SystemCallError) {
        var status = stat()
        let number = descriptor.rawValue
        try systemCall("fstat") { fstat(number, &status) }
        self.path = path
        owner = status.st_uid
        self.descriptor = descriptor
    }

    /// The folders of this name in the runtime folders of all users (XDG_RUNTIME_DIR, pam_systemd(8)),
    /// as far as they belong to the same user.
    public static func ofAllUsers(named name: String) -> [SocketFolder] {
        Directory.entries(runtimeFolders).compactMap { UInt32($0) }.sorted().compactMap { uid in
            do throws(SystemCallError) {
                let parent = try SocketFolder(path: "\(runtimeFolders)/\(uid)")
                let number = try systemCall("openat2") {
                    csupervise_open_folder_at(parent.descriptor.rawValue, name)
                }
                let folder = try SocketFolder(
                    path: "\(parent.path)/\(name)", FileDescriptor(owning: number))
                return parent.owner == uid && folder.owner == uid ? folder : nil
            } catch {
                // Most users have none.
                return nil
            }
        }
    }

    /// The first names in it, sorted.
    public func names(atMost limit: Int) -> [String] {
        // What the descriptor leads to, whatever has its path by now.
        Array(Directory.entries("/proc/self/fd/\(descriptor.rawValue)").sorted().prefix(limit))
    }

    /// Connects to a socket in it, without waiting, and tells whose process answers. Fails as connect(2)
    /// does, and with EPERM where that process runs as somebody whom the file does not belong to.
    public func connect(
        _ name: String
    ) throws(SystemCallError) -> (socket: StreamSocket, uid: UInt32) {
        let number = try systemCall("open") {
            csupervise_open_path_at(descriptor.rawValue, name)
        }
        let file = FileDescriptor(owning: number)
        var status = stat()
        try systemCall("fstat") { fstat(file.rawValue, &status) }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw SystemCallError(call: "connect", code: ECONNREFUSED)
        }
        let socket = try StreamSocket.connect(unix: "/proc/self/fd/\(file.rawValue)")
        let uid = try socket.peer().uid
        // Only a folder of ours may hold sockets that were given away (control-owner).
        let isOurs = [0, geteuid()].contains(owner) && [0, geteuid()].contains(uid)
        guard isOurs || uid == status.st_uid && (uid == owner || uid == 0) else {
            throw SystemCallError(call: "connect", code: EPERM)
        }
        return (socket, uid)
    }
}
