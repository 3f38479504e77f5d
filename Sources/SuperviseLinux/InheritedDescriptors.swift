import Glibc

/// What a process found open when it started.
public enum InheritedDescriptors {
    /// The open descriptors from 3 on. To be asked for before anything is opened.
    public static func list() -> Set<Int32> {
        let numbers = Directory.entries("/proc/self/fd").compactMap { Int32($0) }
        // The folder that was read is among them, and closed again.
        return Set(numbers.filter { $0 > 2 && fcntl($0, F_GETFD) != -1 })
    }
}
