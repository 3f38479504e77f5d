import Glibc

/// A file of proc(5) or of a cgroup that is read repeatedly. It stays open, because opening it
/// costs more than reading it. If it cannot be opened, each read tries again.
final class KeptFile {
    private let path: String
    private let descriptor: OwnedDescriptor?

    init(_ path: String) {
        self.path = path
        let number = open(path, O_RDONLY | O_CLOEXEC)
        descriptor = number < 0 ? nil : OwnedDescriptor(FileDescriptor(owning: number))
    }

    /// The open descriptor; nil if it could not be opened.
    var rawValue: Int32? { descriptor?.rawValue }

    /// The current content; nil if it cannot be read.
    func bytes() -> [UInt8]? {
        guard let descriptor else { return Procfs.bytes(path) }
        do {
            return try Procfs.content(of: descriptor.rawValue)
        } catch {
            return nil
        }
    }
}
