import SuperviseLinux

/// The library that workers load to be adopted and counted, in a build for each C library. The builds
/// are in one folder: that of the master's own program, or one of its `lib` folders.
struct PreloadLibrary {
    static let name = "libsupervise-preload.so"
    static let muslName = "libsupervise-preload-musl.so"
    /// The path of the build for glibc.
    let path: String?
    /// The path of the build for musl, which source builds do not have.
    let muslPath: String?
    /// Why it can't be used.
    let problem: String?

    /// The path of the build that this program can load; nil if none is installed.
    func path(for format: ExecutableFormat) -> String? {
        if case .musl = format { muslPath } else { path }
    }

    /// The name of the file at this path, by which a process that has loaded it is recognised.
    static func fileName(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// Searches the folders where it can be installed.
    static func find() -> PreloadLibrary {
        guard let program = ThisProcess.programPath else {
            return PreloadLibrary(
                path: nil, muslPath: nil, problem: "/proc is not mounted, so \(effect)")
        }
        return find(in: folders(ofProgram: program))
    }

    /// Beside the program, or where packages put libraries that are not for everybody.
    static func folders(ofProgram program: String) -> [String] {
        guard let slash = program.lastIndex(of: "/") else { return [] }
        let folder = program[..<slash]
        let parent = folder.lastIndex(of: "/").map { folder[..<$0] } ?? ""
        return [
            String(folder), "\(parent)/lib", "\(parent)/lib/supervise",
            "\(parent)/lib/\(triplet)/supervise",
        ]
    }

    static func find(in folders: [String]) -> PreloadLibrary {
        guard let folder = folders.first(where: { TextFile.isReadable("\($0)/\(name)") }) else {
            return PreloadLibrary(
                path: nil, muslPath: nil,
                problem: "\(name) is in none of \(folders.joined(separator: ", ")), so \(effect)")
        }
        // Both end a name in LD_PRELOAD (ld.so(8)), and nothing quotes them.
        guard !folder.contains(where: { $0 == " " || $0 == ":" }) else {
            return PreloadLibrary(
                path: nil, muslPath: nil,
                problem: "LD_PRELOAD takes no blank and no colon in \(folder)/\(name), so \(effect)"
            )
        }
        let muslPath = "\(folder)/\(muslName)"
        return PreloadLibrary(
            path: "\(folder)/\(name)", muslPath: TextFile.isReadable(muslPath) ? muslPath : nil,
            problem: nil)
    }

    private static let effect =
        "programs that open their own socket are not adopted and connections are not counted; "
        + "install the library there, or set adopt = seccomp or off, and count = report"

    /// The name of the folder under `/usr/lib` for this machine, as Debian calls it.
    #if arch(arm64)
        private static let triplet = "aarch64-linux-gnu"
    #else
        private static let triplet = "x86_64-linux-gnu"
    #endif
}
