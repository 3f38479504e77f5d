import CSupervise
import Glibc

/// Opens files for writing by paths that other users can influence.
///
/// A worker whose user owns the directory of root's log could redirect the log by a symbolic
/// link in place of the file or of a directory above it. The kernel's protected_symlinks
/// (proc_sys_fs(5)) protects only sticky directories that are writable by all. Therefore each
/// component of the path is opened separately, and a link is followed only if it belongs to root or
/// to this process's user, which no other user can create. Links in /proc are created by the
/// kernel.
enum GuardedPath {
    /// MAXSYMLINKS.
    private static let maxLinks = 40

    /// Opens a file as open(2), and fails with ELOOP for a link of another user.
    static func open(_ path: String, _ flags: Int32, mode: mode_t) throws(SystemCallError) -> Int32
    {
        var names = parts(of: path)
        var folder = try root(of: path)
        var links = 0
        while let name = names.popLast() {
            let isLast = names.isEmpty
            let node: OwnedDescriptor
            do throws(SystemCallError) {
                node = try inspect(name, in: folder)
            } catch  where error.kind == .notFound && isLast {
                return try openLast(name, in: folder, flags | O_NOFOLLOW, mode)
            }
            var status = stat()
            try systemCall("fstat") { fstat(node.rawValue, &status) }
            if status.st_mode & S_IFMT != S_IFLNK {
                if isLast { return try openLast(name, in: folder, flags | O_NOFOLLOW, mode) }
                folder = node
            } else if csupervise_is_of_proc(folder.rawValue) {
                if isLast { return try openLast(name, in: folder, flags, mode) }
                folder = OwnedDescriptor(
                    FileDescriptor(
                        owning: try openLast(
                            name, in: folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)))
            } else {
                links += 1
                guard isTrusted(status.st_uid), links <= maxLinks else {
                    throw SystemCallError(call: "open", code: ELOOP)
                }
                let target = try text(of: node)
                if target.hasPrefix("/") { folder = try root(of: target) }
                names += parts(of: target)
            }
        }
        throw SystemCallError(call: "open", code: EISDIR)
    }

    /// In a user namespace (user_namespaces(7)), root may have no mapping and then shares an ID
    /// with all unmapped users. Root is identified as the owner of a file that always belongs to
    /// it.
    private static func isTrusted(_ uid: uid_t) -> Bool {
        var top = stat()
        return uid == 0 || uid == geteuid() || stat("/", &top) == 0 && uid == top.st_uid
    }

    private static func parts(of path: String) -> [String] {
        path.split(separator: "/").reversed().map(String.init)
    }

    private static func root(of path: String) throws(SystemCallError) -> OwnedDescriptor {
        let start = path.hasPrefix("/") ? "/" : "."
        let number = try systemCall("open") { csupervise_open_path(start) }
        return OwnedDescriptor(FileDescriptor(owning: number))
    }

    private static func inspect(
        _ name: String, in folder: OwnedDescriptor
    ) throws(SystemCallError) -> OwnedDescriptor {
        let number = try systemCall("open") { csupervise_open_path_at(folder.rawValue, name) }
        return OwnedDescriptor(FileDescriptor(owning: number))
    }

    private static func openLast(
        _ name: String, in folder: OwnedDescriptor, _ flags: Int32, _ mode: mode_t
    ) throws(SystemCallError) -> Int32 {
        try systemCall("open") { csupervise_open_at(folder.rawValue, name, flags, mode) }
    }

    private static func text(of link: OwnedDescriptor) throws(SystemCallError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let size = try systemCall("readlink") {
            csupervise_read_link(link.rawValue, &buffer, buffer.count)
        }
        return String(decoding: buffer.prefix(size).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
