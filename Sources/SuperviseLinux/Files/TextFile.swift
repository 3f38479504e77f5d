import Glibc

/// Small text files named by the operator.
public enum TextFile {
    /// Reads the whole file. Fails as open(2) and read(2), with EINVAL for pipes and sockets, which
    /// could block, EFBIG past the limit, and EILSEQ if it is not UTF-8.
    public static func read(
        _ path: String, limitBytes: Int = 1 << 20
    ) throws(SystemCallError) -> String {
        guard
            let text = String(
                validating: try bytes(path, limitBytes: limitBytes), as: UTF8.self)
        else {
            throw SystemCallError(call: "read", code: EILSEQ)
        }
        return text
    }

    /// Whether the file exists and this process may read it (access(2)).
    public static func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }

    /// Reads the whole file as bytes. Fails as `read`, except for EILSEQ.
    public static func bytes(
        _ path: String, limitBytes: Int = 1 << 20
    ) throws(SystemCallError) -> [UInt8] {
        let number = try systemCall("open") { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        let file = FileDescriptor(owning: number)
        var status = stat()
        try systemCall("fstat") { fstat(file.rawValue, &status) }
        let kind = status.st_mode & S_IFMT
        guard kind != S_IFIFO, kind != S_IFSOCK else {
            throw SystemCallError(call: "read", code: EINVAL)
        }
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = try systemCall("read") { Glibc.read(file.rawValue, &piece, piece.count) }
            if count == 0 { return content }
            content += piece.prefix(count)
            guard content.count <= limitBytes else {
                throw SystemCallError(call: "read", code: EFBIG)
            }
        }
    }
}

/// Patterns of file names (glob(3)).
public enum Glob {
    /// The matching paths, sorted; no match is not an error. Fails with EACCES for an unreadable
    /// directory.
    public static func paths(_ pattern: String) throws(SystemCallError) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        switch glob(pattern, GLOB_ERR, nil, &result) {
        case 0:
            return (0..<Int(result.gl_pathc)).compactMap { index in
                result.gl_pathv[index].map { String(cString: $0) }
            }
        case GLOB_NOMATCH: return []
        case GLOB_NOSPACE: throw SystemCallError(call: "glob", code: ENOMEM)
        default: throw SystemCallError(call: "glob", code: EACCES)
        }
    }
}

/// Directories that this program creates or lists.
public enum Folder {
    /// Creates a directory, but not its parents; an existing one is unchanged. Fails as mkdir(2).
    public static func make(_ path: String, mode: UInt32) throws(SystemCallError) {
        do throws(SystemCallError) {
            try systemCall("mkdir") { mkdir(path, mode) }
        } catch  where error.code == EEXIST {
            return
        }
    }

    /// Whether a path is a directory; nil if nothing exists. An inaccessible path counts as a
    /// directory.
    public static func isThere(_ path: String) -> Bool? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return errno == ENOENT || errno == ENOTDIR ? nil : true
        }
        return status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in a directory, sorted; empty if it cannot be read.
    public static func names(_ path: String) -> [String] { Directory.entries(path).sorted() }
}
