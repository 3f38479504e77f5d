import SuperviseLinux

/// The library that workers load for adoption and counting, in a build for each C library. The
/// builds are in one directory: that of the master's own program, or one of its `lib` directories.
struct PreloadLibrary {
    static let name = "libsupervise-preload.so"
    static let muslName = "libsupervise-preload-musl.so"
    /// The path of the build for glibc.
    let path: String?
    /// The path of the build for musl, which source builds do not have.
    let muslPath: String?
    /// The reason for which it cannot be used.
    let problem: String?

    /// The path of the build that this program can load; nil if none is installed.
    func path(for format: ExecutableFormat) -> String? {
        if case .musl = format { muslPath } else { path }
    }

    /// Returns the file name of this path, which identifies the library in a process that has
    /// loaded it.
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

    /// Returns the directory of the program, and those of libraries that packages install
    /// privately.
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
        // Both separate names in LD_PRELOAD (ld.so(8)), and they cannot be quoted.
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

    /// The directory under `/usr/lib` for this machine, in Debian's naming.
    #if arch(arm64)
        private static let triplet = "aarch64-linux-gnu"
    #else
        private static let triplet = "x86_64-linux-gnu"
    #endif
}
