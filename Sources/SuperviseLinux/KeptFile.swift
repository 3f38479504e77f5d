import Glibc

/// A file of proc(5) or of a control group that is looked at again and again. It stays open, since to
/// open it costs more than to read it; one that can't be opened now is tried again at each look.
final class KeptFile {
    private let path: String
    private let descriptor: OwnedDescriptor?

    init(_ path: String) {
        self.path = path
        let number = open(path, O_RDONLY | O_CLOEXEC)
        descriptor = number < 0 ? nil : OwnedDescriptor(FileDescriptor(owning: number))
    }

    /// The open descriptor; nil where it could not be opened.
    var rawValue: Int32? { descriptor?.rawValue }

    /// What it says now; nil where it may not be read.
    func bytes() -> [UInt8]? {
        guard let descriptor else { return Procfs.bytes(path) }
        do {
            return try Procfs.content(of: descriptor.rawValue)
        } catch {
            return nil
        }
    }
}
