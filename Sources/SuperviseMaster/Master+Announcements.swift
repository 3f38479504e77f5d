import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The master's announcements of its start and its listeners.
extension Master {
    /// Logs one line for the master and one per listener, once. The first worker's start does not
    /// wait for them, but its own lines follow them.
    func announce() {
        guard log.isNew(.masterStarted), let resolved = generations[1]?.resolved else { return }
        log.write(
            LogLine(.info, "master-started").with("name", resolved.configuration.master.name)
                .with("pid", ThisProcess.pid).with("version", Version.current)
                .with("pools", resolved.configuration.pools.count))
        for warning in resolved.warnings {
            log.write(LogLine(.warning, "config-warning").with("message", warning))
        }
        announceListeners(of: 1)
        announceAdoption(of: 1)
    }

    /// Logs how the workers of each pool of a generation are adopted and counted, and the
    /// obstacles.
    func announceAdoption(of generation: Int) {
        for (pool, blueprint) in generations[generation]?.pools ?? [] {
            let adoption = blueprint.adoption
            log.write(
                LogLine(.debug, "adoption").with("pool", pool.name)
                    .with("by", adoption.way.rawValue).with("library", adoption.library))
            for warning in adoption.warnings where log.isNew(.adoption(warning)) {
                log.write(
                    LogLine(.warning, "adoption").with("pool", pool.name)
                        .with("message", warning))
            }
        }
    }

    /// Logs one line for each listener of a generation that no earlier one had.
    func announceListeners(of generation: Int) {
        var known: Set<FileIdentity> = []
        for older in generations.all where older.number < generation {
            known.formUnion(older.listeners.map(\.socket.identity))
        }
        var unclosable: [String] = []
        for (pool, blueprint) in generations[generation]?.pools ?? [] {
            for listener in blueprint.listeners
            where !known.contains(listener.socket.identity) {
                log.write(
                    LogLine(.info, "listening").with("pool", pool.name)
                        .with("address", listener.socket.address))
                if !listener.socket.isClosable { unclosable.append(listener.socket.address) }
            }
        }
        guard !unclosable.isEmpty else { return }
        log.write(
            LogLine(.warning, "close-unavailable")
                .with("address", unclosable.joined(separator: ","))
                .with(
                    "message",
                    "a stop resets the connections that still wait to be accepted: this kernel "
                        + "permits neither a socket filter nor a reuseport program; to permit the "
                        + "filter, grant CAP_NET_ADMIN"))
    }
}
