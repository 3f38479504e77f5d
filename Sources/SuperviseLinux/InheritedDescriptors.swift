import Glibc

/// The descriptors that were open when this process started.
public enum InheritedDescriptors {
    /// The open descriptors from 3 on. Read this before any other descriptor is opened.
    public static func list() -> Set<Int32> {
        let numbers = Directory.entries("/proc/self/fd").compactMap { Int32($0) }
        // The descriptor of the directory itself is included, and already closed.
        return Set(numbers.filter { $0 > 2 && fcntl($0, F_GETFD) != -1 })
    }
}
