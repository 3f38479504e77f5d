import Glibc

/// Why a program cannot be run, as its file shows it. execve(2) has one error for several of these.
public enum ProgramObstacle: Hashable, Sendable {
    /// A name without a slash that is in none of these folders, a PATH.
    case notInPath(String)
    /// There is no such file.
    case notFound(String)
    /// It is a folder.
    case isFolder(String)
    /// It has no execute permission for anybody.
    case notExecutable(String)
    /// It has execute permission, but this user may not use it, or not pass a folder above it.
    case notPermitted(String)
    /// The interpreter that its first line names does not exist.
    case noInterpreter(String, interpreter: String)
    /// The dynamic loader that it names does not exist.
    case noLoader(String, loader: String)

    /// What keeps `program` from running, where that can be seen: a path if it has a slash, else sought
    /// in `searchPath` (nil is `/bin:/usr/bin`). Relative paths count from `folder`. Nil where nothing
    /// is seen to be wrong.
    public static func find(
        _ program: String, searchPath: String?, folder: String?
    ) -> ProgramObstacle? {
        let path = searchPath ?? "/bin:/usr/bin"
        let candidates = SpawnPlan.candidates(for: program, in: path).map {
            absolute($0, in: folder)
        }
        // As execvp(3): what cannot be run is passed over for what can.
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
        if case .otherLoader(let loader) = ExecutableFormat.ofFile(path), access(loader, F_OK) != 0
        {
            return .noLoader(path, loader: loader)
        }
        return nil
    }
}

extension ProgramObstacle: CustomStringConvertible {
    /// The obstacle, and what to do about it: `not found in PATH (/usr/bin:/bin)`.
    public var description: String {
        switch self {
        case .notInPath(let path): "not found in PATH (\(path))"
        case .notFound(let path): "\(path) does not exist"
        case .isFolder(let path): "\(path) is a folder, not a program"
        case .notExecutable(let path): "\(path) is not executable; chmod +x makes it so"
        case .notPermitted(let path): "\(path) may not be run by this user: permission denied"
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
