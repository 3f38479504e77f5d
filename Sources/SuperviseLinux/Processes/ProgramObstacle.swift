import Glibc

/// The reason that a program cannot be executed, derived from its file. execve(2) has one error for
/// several of these.
public enum ProgramObstacle: Hashable, Sendable {
    /// The name has no slash and is in none of these directories, a PATH.
    case notInPath(String)
    /// The file does not exist.
    case notFound(String)
    /// It is a directory.
    case isFolder(String)
    /// It has no execute permission at all.
    case notExecutable(String)
    /// It has execute permission, but not for this user, or a parent directory cannot be entered.
    case notPermitted(String)
    /// The interpreter in its first line does not exist.
    case noInterpreter(String, interpreter: String)
    /// Its dynamic loader does not exist.
    case noLoader(String, loader: String)

    /// Finds the reason that `program` cannot be executed. The program is a path if it contains a
    /// slash, otherwise searched in `searchPath` (nil is `/bin:/usr/bin`). Relative paths refer to
    /// `folder`. Nil if no reason is found.
    public static func find(
        _ program: String, searchPath: String?, folder: String?
    ) -> ProgramObstacle? {
        let path = searchPath ?? "/bin:/usr/bin"
        let candidates = SpawnPlan.candidates(for: program, in: path).map {
            absolute($0, in: folder)
        }
        // As execvp(3): skip files that cannot be executed.
        var first: ProgramObstacle?
        for candidate in candidates {
            guard let obstacle = obstacle(at: candidate) else { return nil }
            if case .notFound = obstacle { continue }
            first = first ?? obstacle
        }
        if let first { return first }
        guard program.utf8.contains(UInt8(ascii: "/")) else { return .notInPath(path) }
        return candidates.first.map { .notFound($0) }
    }

    private static func absolute(_ path: String, in folder: String?) -> String {
        path.hasPrefix("/")
            ? path : ThisProcess.absolutePath(folder.map { "\($0)/\(path)" } ?? path)
    }

    private static func obstacle(at path: String) -> ProgramObstacle? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return errno == EACCES ? .notPermitted(path) : .notFound(path)
        }
        if status.st_mode & S_IFMT == S_IFDIR { return .isFolder(path) }
        guard status.st_mode & 0o111 != 0 else { return .notExecutable(path) }
        if faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0 { return .notPermitted(path) }
        if let interpreter = ExecutableFormat.interpreter(ofScript: path) {
            return access(interpreter, F_OK) == 0
                ? nil : .noInterpreter(path, interpreter: interpreter)
        }
        switch ExecutableFormat.ofFile(path) {
        case .musl(let loader) where access(loader, F_OK) != 0,
            .otherLoader(let loader) where access(loader, F_OK) != 0:
            return .noLoader(path, loader: loader)
        default: return nil
        }
    }
}

extension ProgramObstacle: CustomStringConvertible {
    /// The obstacle and its remedy: `not found in PATH (/usr/bin:/bin)`.
    public var description: String {
        switch self {
        case .notInPath(let path): "not found in PATH (\(path))"
        case .notFound(let path): "\(path) does not exist"
        case .isFolder(let path): "\(path) is a directory, not a program"
        case .notExecutable(let path): "\(path) is not executable; run chmod +x on it"
        case .notPermitted(let path): "\(path) cannot be executed by this user: permission denied"
        case .noInterpreter(let path, let interpreter) where interpreter.hasSuffix("\r"):
            "the first line of \(path) ends with a carriage return; save the file with Unix line ends"
        case .noInterpreter(let path, let interpreter):
            "the interpreter that the first line of \(path) names, \(interpreter), does not exist"
        case .noLoader(let path, let loader):
            "the loader that \(path) needs, \(loader), does not exist; the program was built for "
                + "another system"
        }
    }
}
