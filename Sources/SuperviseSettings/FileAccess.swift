/// The file access of the settings layer, which opens no files itself.
public struct FileAccess: Sendable {
    /// The reason that a file cannot be read.
    public enum Fault: Error, Hashable, Sendable {
        /// ENOENT or ENOTDIR.
        case notFound
        /// EACCES or EPERM.
        case notPermitted
        /// The path is a directory.
        case isFolder
        /// The file exceeds the size limit.
        case tooLarge(limitBytes: Int)
        /// Another error, with the message of the system.
        case other(String)
    }

    /// Reads a file; a relative path is resolved against the working directory of the master.
    public var read: @Sendable (String) -> Result<[UInt8], Fault>
    /// Returns the files that match a pattern, as in glob(3), in any order.
    public var glob: @Sendable (String) -> [String]

    /// Creates an access with these functions.
    public init(
        read: @escaping @Sendable (String) -> Result<[UInt8], Fault>,
        glob: @escaping @Sendable (String) -> [String]
    ) {
        self.read = read
        self.glob = glob
    }

    /// An access without any files.
    public static let none = FileAccess(read: { _ in .failure(.notFound) }, glob: { _ in [] })
}

extension FileAccess.Fault: CustomStringConvertible {
    /// The reason, as shown in messages.
    public var description: String {
        switch self {
        case .notFound: "no such file"
        case .notPermitted: "permission denied"
        case .isFolder: "is a directory"
        case .tooLarge(let limitBytes): "exceeds \(limitBytes) bytes"
        case .other(let words): words
        }
    }
}
