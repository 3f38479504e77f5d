/// A capability (capabilities(7)).
public struct Capability: Hashable, Sendable {
    /// Its name, as `CAP_KILL`.
    public let name: String
    /// Its number in linux/capability.h.
    private let number: UInt64

    /// To read any file and enter any folder.
    public static let readAnyFile = Capability(name: "CAP_DAC_READ_SEARCH", number: 2)
    /// To signal processes of other users.
    public static let kill = Capability(name: "CAP_KILL", number: 5)
    /// To change the groups.
    public static let changeGroup = Capability(name: "CAP_SETGID", number: 6)
    /// To change the user.
    public static let changeUser = Capability(name: "CAP_SETUID", number: 7)
    /// To inspect processes of other users.
    public static let trace = Capability(name: "CAP_SYS_PTRACE", number: 19)
    /// Many things, among them seccomp(2) filters without no_new_privs.
    public static let administrate = Capability(name: "CAP_SYS_ADMIN", number: 21)

    /// Those of `needed` that this process has not in its effective set. Where that can't be read, none:
    /// then the use has to show.
    public static func missing(of needed: [Capability]) -> [Capability] {
        guard let text = Procfs.text("/proc/self/status") else { return [] }
        let line = text.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let digits = line?.split(whereSeparator: \.isWhitespace).last
        guard let effective = digits.flatMap({ UInt64($0, radix: 16) }) else { return [] }
        return needed.filter { effective & (1 << $0.number) == 0 }
    }
}
