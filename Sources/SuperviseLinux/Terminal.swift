import Glibc

/// Terminals (tty(4)).
public enum Terminal {
    /// Whether this process has a controlling terminal.
    public static var isControlling: Bool {
        let number = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        guard number >= 0 else { return false }
        close(number)
        return true
    }

    /// Whether a descriptor is one, isatty(3).
    public static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
}
