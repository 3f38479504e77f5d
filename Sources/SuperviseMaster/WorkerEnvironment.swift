import SuperviseLinux
import SuperviseSettings

/// The variables of the worker contract.
enum ContractVariable {
    static let notifySocket = "NOTIFY_SOCKET"
    static let pool = "SUPERVISE_WORKER_POOL"
    static let slot = "SUPERVISE_WORKER_SLOT"
    static let generation = "SUPERVISE_WORKER_GENERATION"
    static let maxRequests = "SUPERVISE_WORKER_MAX_REQUESTS"
    static let id = "SUPERVISE_WORKER_ID"
    static let page = "SUPERVISE_WORKER_PAGE"
    /// The worker's pid, if LISTEN_PID does not contain it.
    static let pid = "SUPERVISE_WORKER_PID"
    /// The listeners for the preload library, as `DESCRIPTOR:INODE,…`.
    static let listeners = "SUPERVISE_WORKER_LISTENERS"
    /// 1 if the preload library handles bind(2).
    static let adopt = "SUPERVISE_WORKER_ADOPT"
    /// 1 if the preload library counts connections.
    static let count = "SUPERVISE_WORKER_COUNT"
    /// Makes the preload library prepare for finding no connections.
    static let drain = "SUPERVISE_WORKER_DRAIN"
    /// The libraries that the dynamic loader loads first (ld.so(8)).
    static let preload = "LD_PRELOAD"
}

/// The part of a worker's environment that all workers of a pool and generation share.
enum WorkerEnvironment {
    /// Prefixes of variables that would pass other sockets to a worker.
    private static let foreignPrefixes = ["LISTEN_", "SERVER_STARTER_", "EINHORN_", "SUPERVISE_"]
    private static let foreignNames = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]

    static func base(
        _ settings: PoolSettings, listeners: [PoolListener], account: WorkerAccount?,
        inherited: [String]
    ) -> [String] {
        var variables = settings.clearEnvironment ? [] : inherited.filter { !isForeign($0) }
        if let account { set(home(of: account), in: &variables) }
        set(settings.environment.map { ($0.name, $0.value) }, in: &variables)
        set([(ContractVariable.pool, settings.name)], in: &variables)
        if let timeout = settings.policy.watchdogTimeout {
            set([("WATCHDOG_USEC", String(timeout.nanoseconds / 1000))], in: &variables)
        }
        if settings.passListeners { set(sockets(listeners), in: &variables) }
        // Exactly one such entry: the child writes its own pid into it (sd_listen_fds(3)).
        if !listeners.isEmpty {
            variables.append(settings.passListeners ? "LISTEN_PID=" : "\(ContractVariable.pid)=")
        }
        return variables
    }

    /// Adds the variables for the preload library. The user's own libraries stay in front of it.
    static func adding(
        _ adoption: Adoption, _ listeners: [PoolListener], onDemand: [PoolListener],
        to environment: [String]
    ) -> [String] {
        guard let library = adoption.library else { return environment }
        let head = ContractVariable.preload + "="
        let own = environment.last { $0.hasPrefix(head) }?.dropFirst(head.count) ?? ""
        // A master that is itself a worker already has it.
        let isThere = own.split(whereSeparator: { $0 == ":" || $0 == " " }).contains {
            $0 == library
        }
        let libraries = isThere ? String(own) : own.isEmpty ? library : "\(own):\(library)"
        let first = Int(Blueprint.firstDescriptor)
        let inodes =
            listeners.enumerated().map {
                "\(first + $0):\($1.socket.identity.inode)\(hiddenFile(of: $1.socket))"
            }
            // Their descriptors follow the page.
            + onDemand.enumerated().map {
                "\(first + listeners.count + 1 + $0):\($1.socket.identity.inode)+"
            }
        var pairs = [
            (ContractVariable.preload, libraries),
            (ContractVariable.listeners, inodes.joined(separator: ",")),
        ]
        if adoption.way == .preload { pairs.append((ContractVariable.adopt, "1")) }
        // Only for workers that have no other use for the library.
        if adoption.way != .preload, !adoption.countsConnections {
            pairs.append((ContractVariable.drain, "1"))
        }
        if adoption.countsConnections { pairs.append((ContractVariable.count, "1")) }
        var variables = environment
        set(pairs, in: &variables)
        return variables
    }

    /// The file that the path of a listener refers to once it is shown: until then, the library
    /// finds another one there.
    private static func hiddenFile(of socket: ListenSocket) -> String {
        guard let file = socket.file, file.hiding != nil else { return "" }
        return "@\(file.identity.device)/\(file.identity.inode)"
    }

    /// Returns the PATH for searching a program.
    static func path(in environment: [String]) -> String? {
        environment.last { $0.utf8.starts(with: "PATH=".utf8) }.map { String($0.dropFirst(5)) }
    }

    /// Returns the environment without variables for a single process.
    static func withoutContract(_ inherited: [String]) -> [String] {
        inherited.filter { !isForeign($0) }
    }

    private static func isForeign(_ variable: String) -> Bool {
        let name = variable.utf8.prefix { $0 != UInt8(ascii: "=") }
        return foreignNames.contains { name.elementsEqual($0.utf8) }
            || foreignPrefixes.contains { name.starts(with: $0.utf8) }
    }

    /// As login and systemd do: a worker of another user would otherwise use the master's home
    /// directory.
    private static func home(of account: WorkerAccount) -> [(String, String)] {
        guard let name = account.name else { return [] }
        var variables = [("USER", name), ("LOGNAME", name)]
        if let home = account.homeDirectory { variables.append(("HOME", home)) }
        return variables
    }

    /// Returns the listeners in the three conventions of servers: systemd's, Server::Starter's,
    /// Einhorn's.
    private static func sockets(_ listeners: [PoolListener]) -> [(String, String)] {
        // Clients of Server::Starter fail without the variable, and treat an empty one as no ports.
        guard !listeners.isEmpty else { return [("SERVER_STARTER_PORT", "")] }
        let numbers = listeners.indices.map { Int(Blueprint.firstDescriptor) + $0 }
        let ports = zip(listeners, numbers).map { "\(starterName($0.socket))=\($1)" }
        return [
            ("LISTEN_FDS", String(listeners.count)),
            ("LISTEN_FDNAMES", listeners.map(\.name).joined(separator: ":")),
            ("SERVER_STARTER_PORT", ports.joined(separator: ";")),
            ("EINHORN_FD_COUNT", String(listeners.count)),
        ] + numbers.enumerated().map { ("EINHORN_FD_\($0)", String($1)) }
    }

    /// Server::Starter names a unix socket by its path alone.
    private static func starterName(_ listener: ListenSocket) -> String {
        listener.address.hasPrefix("unix:")
            ? String(listener.address.dropFirst("unix:".count)) : listener.address
    }

    /// Works on bytes: the equals sign may form one character with the next scalar.
    private static func name(of variable: String) -> String {
        String(variable.utf8.prefix { $0 != UInt8(ascii: "=") }) ?? variable
    }

    private static func set(_ pairs: [(String, String)], in variables: inout [String]) {
        guard !pairs.isEmpty else { return }
        var latest: [String: String] = [:]
        for (name, value) in pairs { latest[name] = value }
        variables.removeAll { latest[name(of: $0)] != nil }
        var written: Set<String> = []
        for (name, _) in pairs where written.insert(name).inserted {
            variables.append("\(name)=\(latest[name] ?? "")")
        }
    }
}
