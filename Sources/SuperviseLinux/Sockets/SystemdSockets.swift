import Glibc

/// A descriptor that the service manager passed.
public struct PassedDescriptor: Hashable, Sendable, Codable {
    /// The number, from 3 on.
    public let number: Int32
    /// The name from LISTEN_FDNAMES; empty if there is none.
    public let name: String

    /// Creates a passed descriptor.
    public init(number: Int32, name: String) {
        self.number = number
        self.name = name
    }
}

/// Socket activation (sd_listen_fds(3)).
public enum SystemdSockets {
    /// The descriptors passed to this process; none if LISTEN_PID is another process, which passed
    /// on its environment. They get close-on-exec, and the variables are removed.
    public static func take() -> [PassedDescriptor] {
        let passed = passed(to: getpid()) { name in getenv(name).map { String(cString: $0) } }
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"] {
            unsetenv(name)
        }
        // Ignore descriptors that are announced but do not exist.
        return passed.filter { fcntl($0.number, F_SETFD, FD_CLOEXEC) == 0 }
    }

    static func passed(
        to pid: Int32, _ variable: (String) -> String?
    ) -> [PassedDescriptor] {
        guard variable("LISTEN_PID").flatMap({ Int32($0) }) == pid,
            let count = variable("LISTEN_FDS").flatMap({ Int32($0) }), (1...4096).contains(count)
        else { return [] }
        let names = (variable("LISTEN_FDNAMES") ?? "").split(
            separator: ":", omittingEmptySubsequences: false)
        return (0..<count).map { index in
            let name = names.indices.contains(Int(index)) ? String(names[Int(index)]) : ""
            return PassedDescriptor(number: 3 + index, name: name)
        }
    }
}
