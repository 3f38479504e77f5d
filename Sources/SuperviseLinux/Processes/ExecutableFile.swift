import CSupervise
import Glibc

/// The file of a program, kept open so that the file that is tested is the one that is executed
/// later, even if its path is replaced.
public final class ExecutableFile: Sendable {
    private let descriptor: FileDescriptor

    /// Opens the file. Fails as open(2), and with EACCES if it may not be executed.
    public init(path: String) throws(SystemCallError) {
        let number = try systemCall("open") {
            open(SystemText.path(path), csupervise_path_only | O_CLOEXEC)
        }
        descriptor = FileDescriptor(owning: number)
        try systemCall("access") { access("/proc/self/fd/\(number)", X_OK) }
    }

    /// The descriptor, valid while this object lives.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Executes the program in this process (execveat(2)). The process ID, the children, the
    /// pending and blocked signals and the descriptors without close-on-exec are kept. Returns only
    /// if it fails.
    public func execute(arguments: [String], environment: [String]) -> SystemCallError {
        let arguments = CStringVector(arguments)
        let variables = CStringVector(environment)
        defer { withExtendedLifetime((arguments, variables)) {} }
        csupervise_execute(descriptor.rawValue, arguments.pointers, variables.pointers)
        return SystemCallError(call: "execveat", code: errno)
    }

    /// The path of this program when it was started with this `argv[0]`: the path as written, with
    /// its links, so that a link to a newer version is followed. Without a slash, the program is
    /// searched in `searchPath`, a PATH. Nil if the path cannot be determined; a shell and a
    /// service manager always pass a usable `argv[0]`.
    public static func path(ofStart word: String, searchPath: String?) -> String? {
        if word.utf8.first == UInt8(ascii: "/") { return word }
        guard let folder = workingDirectory() else { return nil }
        if word.utf8.contains(UInt8(ascii: "/")) { return "\(folder)/\(word)" }
        guard !word.isEmpty, let searchPath else { return nil }
        for entry in searchPath.split(separator: ":", omittingEmptySubsequences: false) {
            let place =
                entry.isEmpty ? folder : entry.hasPrefix("/") ? String(entry) : "\(folder)/\(entry)"
            let path = "\(place)/\(word)"
            var status = stat()
            if access(SystemText.path(path), X_OK) == 0,
                stat(SystemText.path(path), &status) == 0,
                status.st_mode & S_IFMT == S_IFREG
            {
                return path
            }
        }
        return nil
    }

    private static func workingDirectory() -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard getcwd(&buffer, buffer.count) != nil else { return nil }
        return SystemText.text(buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
    }
}
