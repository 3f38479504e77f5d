import SuperviseControl
import SuperviseCore
import SuperviseLinux

/// Reports to the service manager of the master (sd_notify(3)). The loop itself sends them, so a
/// watchdog there detects a loop that hangs.
extension Master {
    /// Opens the connection to the service manager, if there is one.
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

    /// Sends new reports, before the loop waits.
    func notifyServiceManager() {
        guard let link = serviceManager else { return }
        let now = now
        sendUpward(link.report.update(service, at: now), at: now)
    }

    /// Reports that a reload was requested.
    func notifyReloading() {
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
