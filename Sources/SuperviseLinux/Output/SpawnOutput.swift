/// Where the stdout and stderr of a started program go.
public enum SpawnOutput: Hashable, Sendable {
    /// The stdout and stderr of this process.
    case inherited
    /// An open descriptor, such as the writing end of a pipe or /dev/null.
    case descriptor(Int32)
    /// /dev/null.
    case null
    /// A file.
    case file(OutputFile)

    var descriptor: Int32? {
        if case .descriptor(let number) = self { number } else { nil }
    }

    var file: OutputFile? {
        if case .file(let file) = self { file } else { nil }
    }
}

/// A file that programs append to. The started process opens it with its own credentials (mode
/// 0640, never through a symbolic link), relative to the working directory of this process.
public struct OutputFile: Hashable, Sendable {
    /// The path, then those of its predecessors (`FILE.1`, `FILE.2`, …).
    let names: [String]
    /// From this size on, a process that opens the file first renames it to its predecessor.
    let maximumBytes: UInt64

    /// A file with this number of predecessors; with 0, a file of this size is removed.
    public init(path: String, maximumBytes: UInt64, predecessors: Int) {
        names = [path] + (0..<predecessors).map { "\(path).\($0 + 1)" }
        self.maximumBytes = maximumBytes
    }
}
