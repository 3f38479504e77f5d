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

    /// How many columns and rows it has (TIOCGWINSZ of ioctl_tty(2)); nil where that is not known.
    public static func size(of descriptor: Int32) -> (columns: Int, rows: Int)? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
        else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Lets single keys through as they are pressed, unseen (termios(3)); the mode before, for
    /// `restore`, or nil where it is no terminal.
    public static func beginKeys(on descriptor: Int32) -> Mode? {
        var mode = termios()
        guard tcgetattr(descriptor, &mode) == 0 else { return nil }
        let before = Mode(termios: mode)
        mode.c_lflag &= ~tcflag_t(ICANON | ECHO)
        tcsetattr(descriptor, TCSANOW, &mode)
        return before
    }

    /// Back to the mode before.
    public static func restore(_ mode: Mode, on descriptor: Int32) {
        var termios = mode.termios
        tcsetattr(descriptor, TCSANOW, &termios)
    }

    /// How a terminal treats what is typed.
    public struct Mode: Sendable {
        fileprivate let termios: termios
    }
}
