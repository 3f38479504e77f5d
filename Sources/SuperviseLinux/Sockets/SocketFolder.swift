import CSupervise
import Glibc

/// A directory with sockets that can belong to any user, opened by root.
///
/// A user could replace their socket by a symbolic link or by another user's socket, and so
/// redirect a request of root to a third program. Therefore each name is opened without following
/// links, and root connects only if the process behind the socket runs as root or as the owner of
/// the file and of the directory.
public final class SocketFolder: Sendable {
    private static let runtimeFolders = "/run/user"

    /// The path.
    public let path: String
    /// The owner.
    public let owner: UInt32
    private let descriptor: FileDescriptor

    /// Opens a directory. Fails as open(2), and with ELOOP for a symbolic link.
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

    /// The directories with this name in the runtime directories of all users (XDG_RUNTIME_DIR,
    /// pam_systemd(8)) that belong to the same user.
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

    /// The directories in it, opened without following links.
    public func folders(atMost limit: Int) -> [SocketFolder] {
        names(atMost: limit).compactMap { name in
            do throws(SystemCallError) {
                let number = try systemCall("openat2") {
                    csupervise_open_folder_at(descriptor.rawValue, name)
                }
                return try SocketFolder(path: "\(path)/\(name)", FileDescriptor(owning: number))
            } catch {
                // Most names are sockets.
                return nil
            }
        }
    }

    /// The first names in the directory, sorted.
    public func names(atMost limit: Int) -> [String] {
        // The directory behind the descriptor, even if its path was replaced.
        Array(Directory.entries("/proc/self/fd/\(descriptor.rawValue)").sorted().prefix(limit))
    }

    /// Connects to a socket in the directory without blocking, and returns the user of the process
    /// behind it. Fails as connect(2), and with EPERM if that process runs as a user other than the
    /// owner of the file.
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
        // Only a directory of ours may contain sockets of other owners (control-owner).
        let isOurs = [0, geteuid()].contains(owner) && [0, geteuid()].contains(uid)
        guard isOurs || uid == status.st_uid && (uid == owner || uid == 0) else {
            throw SystemCallError(call: "connect", code: EPERM)
        }
        return (socket, uid)
    }
}
