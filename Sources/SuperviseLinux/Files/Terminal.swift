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

    /// Whether a descriptor is a terminal, isatty(3).
    public static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// The number of columns and rows (TIOCGWINSZ of ioctl_tty(2)); nil if unknown.
    public static func size(of descriptor: Int32) -> (columns: Int, rows: Int)? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
        else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Delivers single keys as they are pressed, without echo (termios(3)). Returns the previous
    /// mode for `restore`, or nil if it is not a terminal.
    public static func beginKeys(on descriptor: Int32) -> Mode? {
        var mode = termios()
        guard tcgetattr(descriptor, &mode) == 0 else { return nil }
        let before = Mode(termios: mode)
        mode.c_lflag &= ~tcflag_t(ICANON | ECHO)
        tcsetattr(descriptor, TCSANOW, &mode)
        return before
    }

    /// Restores the previous mode.
    public static func restore(_ mode: Mode, on descriptor: Int32) {
        var termios = mode.termios
        tcsetattr(descriptor, TCSANOW, &termios)
    }

    /// Stops this process until SIGCONT, as SIGTSTP does if it is not handled.
    public static func stopThisProcess() {
        raise(SIGSTOP)
    }

    /// A signal that concerns a program which changes the terminal's mode (signal(7)).
    public enum SignalMeaning: Sendable {
        /// The size changed.
        case resized
        /// The program stops until it is resumed.
        case suspended
        /// It was resumed. Meanwhile, others have changed the mode.
        case resumed
        /// It ends.
        case ended

        /// The numbers of all signals with a meaning: by default, most of them end a process, which
        /// then cannot restore the mode.
        public static let signals = [
            SIGWINCH, SIGTSTP, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGUSR1, SIGUSR2,
        ]

        /// The meaning of one of these signals.
        public init(_ signal: ReceivedSignal) {
            switch signal.number {
            case SIGWINCH: self = .resized
            case SIGTSTP: self = .suspended
            case SIGCONT: self = .resumed
            default: self = .ended
            }
        }
    }

    /// The input mode of a terminal.
    public struct Mode: Sendable {
        fileprivate let termios: termios
    }
}
