import CSupervise
import Glibc

/// The file of a program, held so that what is tried and what is run later are the same one, whatever
/// is put in its place meanwhile.
public final class ExecutableFile: Sendable {
    private let descriptor: FileDescriptor

    /// The file of this name now. Fails as open(2) does, and with EACCES where it may not be run.
    public init(path: String) throws(SystemCallError) {
        let number = try systemCall("open") {
            open(SystemText.path(path), csupervise_path_only | O_CLOEXEC)
        }
        descriptor = FileDescriptor(owning: number)
        try systemCall("access") { access("/proc/self/fd/\(number)", X_OK) }
    }

    /// The descriptor, valid while this object lives.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Makes this process run the program (execveat(2)): its number, its children, its pending and
    /// blocked signals and the descriptors that do not close on exec stay. Returns only to tell why
    /// that could not be done.
    public func execute(arguments: [String], environment: [String]) -> SystemCallError {
        let arguments = CStringVector(arguments)
        let variables = CStringVector(environment)
        defer { withExtendedLifetime((arguments, variables)) {} }
        csupervise_execute(descriptor.rawValue, arguments.pointers, variables.pointers)
        return SystemCallError(call: "execveat", code: errno)
    }

    /// Where the program of this process was found when it was started by this first word (`argv[0]`):
    /// a path as it was written, links and all, so that a name which leads to another version by now
    /// leads there. Without a slash it is looked for in `searchPath`, a PATH. nil where it can't be
    /// told; a shell or a service manager always tells.
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
