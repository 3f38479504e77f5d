/// A capability (capabilities(7)).
public struct Capability: Hashable, Sendable {
    /// The name, such as `CAP_KILL`.
    public let name: String
    /// The number in linux/capability.h.
    private let number: UInt64

    /// Read any file and enter any directory.
    public static let readAnyFile = Capability(name: "CAP_DAC_READ_SEARCH", number: 2)
    /// Signal processes of other users.
    public static let kill = Capability(name: "CAP_KILL", number: 5)
    /// Change the groups.
    public static let changeGroup = Capability(name: "CAP_SETGID", number: 6)
    /// Change the user.
    public static let changeUser = Capability(name: "CAP_SETUID", number: 7)
    /// Inspect processes of other users.
    public static let trace = Capability(name: "CAP_SYS_PTRACE", number: 19)
    /// Among many others, install seccomp(2) filters without no_new_privs.
    public static let administrate = Capability(name: "CAP_SYS_ADMIN", number: 21)

    /// What it takes to inspect processes of other users, such as their sockets.
    public static let inspection = [trace, readAnyFile]

    /// The capabilities of `needed` that this process lacks in its effective set. Empty if the set
    /// cannot be read; the operations then fail when they are used.
    public static func missing(of needed: [Capability]) -> [Capability] {
        guard let text = Procfs.text("/proc/self/status") else { return [] }
        let line = text.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let digits = line?.split(whereSeparator: \.isWhitespace).last
        guard let effective = digits.flatMap({ UInt64($0, radix: 16) }) else { return [] }
        return needed.filter { effective & (1 << $0.number) == 0 }
    }
}
