/// A signal by its Linux number (signal(7)); the numbers are those of x86-64 and ARM.
public struct Signal: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The number, as used by kill(2).
    public let number: Int32

    /// Creates the signal with this number.
    public init(number: Int32) {
        self.number = number
    }

    /// Creates the signal of this name (`TERM`, `SIGTERM`, `term`) or number (`15`). Returns nil
    /// for others.
    public init?(name: String) {
        let upper = name.uppercased()
        let short = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
        if let index = Signal.names.firstIndex(of: short), index > 0 {
            self.init(number: Int32(index))
        } else if let number = Int32(short), (1...64).contains(number) {
            self.init(number: number)
        } else {
            return nil
        }
    }

    /// The short name (`TERM`); for real-time signals the number (`SIG34`).
    public var description: String {
        Signal.names.indices.contains(Int(number)) ? Signal.names[Int(number)] : "SIG\(number)"
    }

    /// SIGSTOP.
    public static let stop = Signal(number: 19)
    /// SIGCONT.
    public static let `continue` = Signal(number: 18)
    /// SIGHUP.
    public static let hangup = Signal(number: 1)
    /// SIGINT.
    public static let interrupt = Signal(number: 2)
    /// SIGQUIT.
    public static let quit = Signal(number: 3)
    /// SIGILL.
    public static let illegalInstruction = Signal(number: 4)
    /// SIGABRT.
    public static let abort = Signal(number: 6)
    /// SIGBUS.
    public static let busError = Signal(number: 7)
    /// SIGKILL.
    public static let kill = Signal(number: 9)
    /// SIGSEGV.
    public static let segmentationFault = Signal(number: 11)
    /// SIGTERM.
    public static let terminate = Signal(number: 15)

    private static let names = [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV",
        "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU",
        "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ]
}
