import SuperviseControl
import SuperviseCore
import SuperviseLinux

/// The way to the service manager that started the master. Nothing waits for it: what finds its queue
/// full is tried again, and one that is gone is gone.
final class ServiceManagerLink: Expiring {
    private static let retryAfter = TimeSpan.milliseconds(500)
    /// A change of state comes from people, so more of them do not gather.
    private static let mostUnsent = 16

    /// All of it, for another program of this process to go on with.
    struct State: Codable {
        var report: ServiceManagerReport
        var unsent: [String]
        var retryAt: Instant?
    }

    var report: ServiceManagerReport
    private let sender: NotifySender
    private var unsent: [String] = []
    private var retryAt: Instant?

    /// The way that `NOTIFY_SOCKET` names, nil where none does. `WATCHDOG_USEC` counts unless
    /// `WATCHDOG_PID` names another process (sd_watchdog_enabled(3)).
    init?(_ launch: Launch, at now: Instant) throws(SystemCallError) {
        guard let address = launch.variable("NOTIFY_SOCKET"), !address.isEmpty else { return nil }
        sender = try NotifySender(address: address)
        let isForUs = launch.variable("WATCHDOG_PID").map { Int32($0) == ThisProcess.pid } ?? true
        let watchdog = launch.variable("WATCHDOG_USEC").flatMap { Int64($0) } ?? 0
        report = ServiceManagerReport(
            watchdog: isForUs && watchdog > 0 ? .microseconds(watchdog) : nil, at: now)
    }

    var state: State { State(report: report, unsent: unsent, retryAt: retryAt) }

    func resume(_ state: State) {
        report = state.report
        unsent = state.unsent
        retryAt = state.retryAt
    }

    var deadline: Instant? { [retryAt, report.nextDeadline].compactMap { $0 }.min() }

    /// Nothing: the loop sends what is due before each wait, so it need only wake up for it.
    func expire(at now: Instant) {}

    /// Sends in order. The error of the first that could not be sent.
    func send(_ messages: [String], at now: Instant) -> SystemCallError? {
        if let retryAt, retryAt > now {
            keep(messages)
            return nil
        }
        retryAt = nil
        let all = unsent + messages
        unsent = []
        var failure: SystemCallError?
        for (index, message) in all.enumerated() {
            do throws(SystemCallError) {
                if try sender.send(message) { continue }
                keep(Array(all[index...]))
                if !unsent.isEmpty { retryAt = now + ServiceManagerLink.retryAfter }
                break
            } catch {
                failure = failure ?? error
            }
        }
        return failure
    }

    /// What is repeated anyway, or changes again, need not be kept.
    private func keep(_ messages: [String]) {
        let lasting = messages.filter { message in
            ["READY=", "RELOADING=", "STOPPING="].contains { message.hasPrefix($0) }
        }
        unsent = Array((unsent + lasting).suffix(ServiceManagerLink.mostUnsent))
    }
}
