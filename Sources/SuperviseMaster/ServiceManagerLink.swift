import SuperviseControl
import SuperviseCore
import SuperviseLinux

/// The connection to the service manager that started the master. Sending never blocks: messages
/// are retried if its queue is full, and dropped if it has exited.
final class ServiceManagerLink: Expiring {
    private static let retryAfter = TimeSpan.milliseconds(500)
    /// Operators cause the state changes, so more of them do not accumulate.
    private static let mostUnsent = 16

    /// The state for another program of this process.
    struct State: Codable {
        var report: ServiceManagerReport
        var unsent: [String]
        var retryAt: Instant?
    }

    var report: ServiceManagerReport
    private let sender: NotifySender
    private var unsent: [String] = []
    private var retryAt: Instant?

    /// Opens the socket in `NOTIFY_SOCKET`, or returns nil if there is none. `WATCHDOG_USEC` counts
    /// unless `WATCHDOG_PID` names another process (sd_watchdog_enabled(3)).
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

    /// The loop sends due messages before each wait, so the deadline need only wake it.
    func expire(at now: Instant) {}

    /// Sends in order. Returns the error of the first message that could not be sent.
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

    /// Messages that are repeated anyway, or change again, are not kept.
    private func keep(_ messages: [String]) {
        let lasting = messages.filter { message in
            ["READY=", "RELOADING=", "STOPPING="].contains { message.hasPrefix($0) }
        }
        unsent = Array((unsent + lasting).suffix(ServiceManagerLink.mostUnsent))
    }
}
