/// How the settings layer gets at files: it opens none itself.
public struct FileAccess: Sendable {
    /// Why a file can't be read.
    public enum Fault: Error, Hashable, Sendable {
        /// ENOENT, or a folder on the way that is none.
        case notFound
        /// EACCES or EPERM.
        case notPermitted
        /// It is a folder.
        case isFolder
        /// It has more bytes than anyone reads as settings.
        case tooLarge(limitBytes: Int)
        /// Anything else, in the system's words.
        case other(String)
    }

    /// The bytes of a file; a relative path starts at the master's working directory.
    public var read: @Sendable (String) -> Result<[UInt8], Fault>
    /// The files that match a pattern, as glob(3) finds them, in any order.
    public var glob: @Sendable (String) -> [String]

    /// Access by these functions.
    public init(
        read: @escaping @Sendable (String) -> Result<[UInt8], Fault>,
        glob: @escaping @Sendable (String) -> [String]
    ) {
        self.read = read
        self.glob = glob
    }

    /// No files at all.
    public static let none = FileAccess(read: { _ in .failure(.notFound) }, glob: { _ in [] })
}

extension FileAccess.Fault: CustomStringConvertible {
    /// The reason in words.
    public var description: String {
        switch self {
        case .notFound: "no such file"
        case .notPermitted: "permission denied"
        case .isFolder: "is a folder"
        case .tooLarge(let limitBytes): "is larger than \(limitBytes) bytes"
        case .other(let words): words
        }
    }
}
