import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The current meanings of names on this machine.
struct ResolvedNames: Equatable {
    /// The owner and group of a socket file.
    struct Owner: Equatable {
        var uid: UInt32?
        var gid: UInt32?
    }

    /// The numeric addresses of host names, IPv4 first.
    var hosts: [String: [String]] = [:]
    /// The accounts of the pools' workers, by the pool's name.
    var accounts: [String: WorkerAccount] = [:]
    /// The owners of the pools' socket files, by the pool's name.
    var socketOwners: [String: Owner] = [:]
    /// The owner of the control socket.
    var controlOwner: Owner?
}

/// A configuration with all its files read and names resolved.
struct ResolvedConfiguration: Equatable {
    var configuration: Configuration
    var names: ResolvedNames
    var warnings: [String]

    /// Reads all layers, the files that they name, and the names in them. May wait for disks and
    /// name servers.
    static func load(_ launch: Launch) throws(SettingsError) -> ResolvedConfiguration {
        let loaded = try Configuration.load(
            launch.overrides, environment: launch.variables, files: .system)
        let configuration = try loaded.configuration.inliningEnvironmentFiles(.system)
        var resolver = NameResolver()
        for pool in configuration.pools { resolver.resolve(pool) }
        resolver.resolve(configuration.master)
        guard resolver.problems.isEmpty else { throw SettingsError(resolver.problems) }
        return ResolvedConfiguration(
            configuration: configuration, names: resolver.names,
            warnings: (loaded.warnings + resolver.warnings).map(\.description))
    }

    /// Uses the sockets of the service manager for the only pool without a name for them.
    mutating func use(_ passed: [PassedDescriptor]) {
        guard !passed.isEmpty else { return }
        let binds = configuration.pools.flatMap(\.binds)
        if configuration.pools.count == 1, binds.isEmpty {
            configuration.pools[0].binds = passed.map { .descriptor($0.number) }
            return
        }
        for socket in passed
        where !binds.contains(.descriptor(socket.number))
            && !binds.contains(.systemd(name: socket.name))
        {
            warnings.append(
                "the socket \(socket.name) (descriptor \(socket.number)) was passed to the master, "
                    + "but no bind uses it")
        }
    }
}

/// The account of a pool's workers.
struct WorkerAccount: Equatable {
    /// The user's name; nil for a number without one, and if only the group is set.
    var name: String?
    /// The home directory of the user.
    var homeDirectory: String?
    /// The numeric ids.
    var credentials: Credentials

    /// The privilege for changing the user, for error messages.
    static let privilege =
        "a master without CAP_SETUID and CAP_SETGID (which root has) cannot run workers as another "
        + "user"
}

/// Resolves hosts, users and groups.
private struct NameResolver {
    var names = ResolvedNames()
    var problems: [SettingsProblem] = []
    var warnings: [SettingsProblem] = []

    mutating func resolve(_ master: MasterSettings) {
        if case .tcp(let host, _)? = master.statusBind, names.hosts[host] == nil {
            names.hosts[host] = found(.invocation, "status-bind") {
                try HostLookup.resolve(host)
            }
        }
        guard let owner = master.controlOwner else { return }
        names.controlOwner = found(.invocation, "control-owner") { try Self.owner(owner) }
    }

    private static func owner(_ written: String) throws -> ResolvedNames.Owner {
        let parts = written.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let user = parts[0].isEmpty ? nil : try Accounts.user(String(parts[0]))
        let group = parts.count < 2 ? nil : try Accounts.group(String(parts[1]))
        return ResolvedNames.Owner(uid: user?.uid, gid: group)
    }

    mutating func resolve(_ pool: PoolSettings) {
        let source = SettingSource.pool(pool.name)
        for case .tcp(let host, _) in pool.binds where names.hosts[host] == nil {
            names.hosts[host] = found(source, "bind") { try HostLookup.resolve(host) }
        }
        var bareNumber: UInt32?
        names.accounts[pool.name] = found(source, pool.user == nil ? "group" : "user") {
            let credentials = try Accounts.credentials(user: pool.user, group: pool.group)
            let user = try pool.user.map { try Accounts.user($0) }
            if let user, user.gid == nil, pool.group == nil { bareNumber = user.uid }
            return credentials.map {
                WorkerAccount(name: user?.name, homeDirectory: user?.home, credentials: $0)
            }
        }
        if let bareNumber { warnOfGroup(bareNumber, pool) }
        checkPrivilege(pool)
        guard let owner = pool.socketOwner else { return }
        names.socketOwners[pool.name] = found(source, "socket-owner") { try Self.owner(owner) }
    }

    private mutating func warnOfGroup(_ uid: UInt32, _ pool: PoolSettings) {
        warnings.append(
            SettingsProblem(
                source: .pool(pool.name), key: "user",
                message:
                    "\(uid) is not a user of this machine, so its workers run as group \(uid); "
                    + "to use another group, set group"))
    }

    /// No worker would ever start, so this is reported before the start.
    private mutating func checkPrivilege(_ pool: PoolSettings) {
        guard let account = names.accounts[pool.name], !account.credentials.areOurs else { return }
        let key = pool.user == nil ? "group" : "user"
        guard ThisProcess.mayChangeCredentials else { return refuse(pool, key) }
        warnOfCapabilities(pool, account.credentials)
    }

    /// Warns of capabilities that the master lacks to manage workers of another user, and of the
    /// effect.
    private mutating func warnOfCapabilities(_ pool: PoolSettings, _ credentials: Credentials) {
        guard credentials.uid != ThisProcess.effectiveUID else { return }
        func warn(_ needed: [Capability], _ cost: String) {
            let missing = Capability.missing(of: needed).map(\.name)
            guard !missing.isEmpty else { return }
            warnings.append(
                SettingsProblem(
                    source: .pool(pool.name), key: "user",
                    message: "the master lacks \(missing.joined(separator: " and ")), so \(cost)"))
        }
        warn(
            [.kill],
            "it cannot signal workers of another user: they end only by themselves, and a stop does "
                + "not complete (see supervise help security)")
        // Only listeners are checked. Those that a service manager passes are not known yet.
        guard !pool.binds.isEmpty,
            pool.policy.readiness == .auto || pool.policy.drain != .signal
        else { return }
        warn(
            Capability.inspection,
            "it cannot inspect workers of another user: one that sends no READY=1 counts as ready "
                + "after a few seconds, and drain has no effect (see supervise help security)")
    }

    private mutating func refuse(_ pool: PoolSettings, _ key: String) {
        problems.append(
            SettingsProblem(
                source: .pool(pool.name), key: key,
                message: "\(pool.writtenValue(of: key) ?? ""): \(WorkerAccount.privilege); start "
                    + "supervise as root, or remove \(key)"))
    }

    private mutating func found<Value>(
        _ source: SettingSource, _ key: String, _ lookUp: () throws -> Value?
    ) -> Value? {
        do {
            return try lookUp()
        } catch {
            problems.append(
                SettingsProblem(source: source, key: key, message: "\(error)"))
            return nil
        }
    }
}

extension FileAccess {
    /// An upper bound of any settings file's size.
    private static let limitBytes = 4 << 20

    /// The files of this machine.
    static let system = FileAccess(
        read: { path in
            do throws(SystemCallError) {
                return .success(try TextFile.bytes(path, limitBytes: limitBytes))
            } catch {
                return .failure(error.fault(limitBytes: limitBytes))
            }
        },
        glob: { pattern in
            do throws(SystemCallError) {
                return try Glob.paths(pattern)
            } catch {
                // An include that matches nothing causes a separate error.
                return []
            }
        })
}

extension SystemCallError {
    fileprivate func fault(limitBytes: Int) -> FileAccess.Fault {
        switch kind {
        case .notFound: .notFound
        case .notPermitted: .notPermitted
        case .isFolder: .isFolder
        case .tooLarge: .tooLarge(limitBytes: limitBytes)
        case .noSuchProcess, .notAProgram, .noDescriptor, .notNow, .link, .addressInUse, .refused,
            .disconnected, .other:
            .other(message)
        }
    }
}
