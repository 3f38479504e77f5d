import CSupervise
import Glibc

/// Opens files that are written to by a path on which other users may have a say.
///
/// Root's log in a folder of the worker's user could be led anywhere by a symbolic link that the
/// worker puts in its place, or in the place of a folder above it. The kernel's protected_symlinks
/// (proc_sys_fs(5)) guards only folders that are sticky and writable by all. So here the path is
/// walked name by name, each opened as it is, and a link is followed only when it belongs to root or
/// to this process's user, which nobody else can bring about. What lies in /proc is the kernel's.
enum GuardedPath {
    /// MAXSYMLINKS.
    private static let mostLinks = 40

    /// As open(2), with ELOOP for a link of another user.
    static func open(_ path: String, _ flags: Int32, mode: mode_t) throws(SystemCallError) -> Int32
    {
        var names = parts(of: path)
        var folder = try root(of: path)
        var links = 0
        while let name = names.popLast() {
            let isLast = names.isEmpty
            let node: OwnedDescriptor
            do throws(SystemCallError) {
                node = try look(name, in: folder)
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
                guard isTrusted(status.st_uid), links <= mostLinks else {
                    throw SystemCallError(call: "open", code: ELOOP)
                }
                let target = try text(of: node)
                if target.hasPrefix("/") { folder = try root(of: target) }
                names += parts(of: target)
            }
        }
        throw SystemCallError(call: "open", code: EISDIR)
    }

    /// Root may have no number in our user namespace (user_namespaces(7)), and then shares another with
    /// all who have none; it is known by what it always owns.
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

    private static func look(
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
