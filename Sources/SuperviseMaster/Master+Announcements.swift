import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// What the master says of itself when it starts, and what it takes back when it ends.
extension Master {
    /// One line for the master and one for each listener.
    func announce() {
        guard let resolved = configurations[1] else { return }
        log.write(
            LogLine(.info, "master-started").with("name", resolved.configuration.master.name)
                .with("pid", ThisProcess.pid).with("version", Version.current)
                .with("pools", resolved.configuration.pools.count))
        for warning in resolved.warnings {
            log.write(LogLine(.warning, "config-warning").with("message", warning))
        }
        for pool in resolved.configuration.pools {
            for listener in blueprints[1]?[pool.name]?.listeners ?? [] {
                log.write(
                    LogLine(.info, "listening").with("pool", pool.name)
                        .with("address", listener.socket.address))
            }
        }
    }
}
