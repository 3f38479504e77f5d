import SuperviseControl
import SuperviseCore
import SuperviseLinux

/// What the service manager above the master is told (sd_notify(3)). The loop itself says it, so a
/// watchdog there sees a loop that hangs.
extension Master {
    /// The way to it, where there is one.
    static func serviceManager(
        _ launch: Launch, log: Log, at now: Instant
    ) -> ServiceManagerLink? {
        do throws(SystemCallError) {
            return try ServiceManagerLink(launch, at: now)
        } catch {
            log.write(
                LogLine(.warning, "service-manager").with("error", error.description)
                    .with("address", launch.variable("NOTIFY_SOCKET"))
                    .with("message", "the service manager receives no notifications"))
            return nil
        }
    }

    /// Before the loop rests: tells what is new.
    func tellServiceManager() {
        guard let link = serviceManager else { return }
        let now = now
        sendUpward(link.report.update(service, at: now), at: now)
    }

    /// A reload was asked for.
    func tellReloading() {
        guard let link = serviceManager else { return }
        let now = now
        sendUpward(link.report.beginReload(service, at: now), at: now)
    }

    private func sendUpward(_ messages: [String], at now: Instant) {
        guard let failure = serviceManager?.send(messages, at: now),
            log.isNew(.serviceManagerUnreachable)
        else { return }
        log.write(
            LogLine(.warning, "service-manager").with("error", failure.description)
                .with(
                    "message",
                    "the service manager does not receive notifications; further failures are not logged"
                ))
    }
}
