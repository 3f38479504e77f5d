import SuperviseCore

/// The messages to a service manager (sd_notify(3)), derived from the state of the service at the end of
/// each loop iteration.
///
/// Each state is sent once, in order: `READY=1` when every pool has its minimum number of ready workers;
/// `RELOADING=1` with the time, and `READY=1` again when the reload has a verdict, whatever it is;
/// `STOPPING=1`.
public struct ServiceManagerReport: Equatable, Sendable, Codable {
    /// The last state sent.
    private enum State: Equatable, Codable {
        case starting
        case ready
        case reloading
        case stopping
    }

    /// The minimum interval between status lines.
    private static let statusInterval = TimeSpan.seconds(1)
    /// The extension that is requested at once, and the interval between requests. A master that hangs
    /// requests no more.
    private static let extensionInterval = TimeSpan.seconds(10)
    private static let maxExtension = TimeSpan.seconds(30)
    /// The extra time for the last process to be reaped.
    private static let extensionMargin = TimeSpan.seconds(5)

    private var state = State.starting
    /// Whether the service was ready at any time since its start.
    private var hasBeenReady = false
    private var isReloading = false
    private var lastReloadFailed = false
    private var sentStatus: String?
    private var sentStatusAt: Instant?
    private var statusDueAt: Instant?
    private var extensionDueAt: Instant?
    private let beat: TimeSpan?
    private var beatDueAt: Instant?

    /// Creates the report of a service that starts. With `watchdog`, the service manager expects a message
    /// within this time; the report sends one twice as often.
    public init(watchdog: TimeSpan? = nil, at now: Instant) {
        beat = watchdog.map { TimeSpan(nanoseconds: max(1, $0.nanoseconds / 2)) }
        beatDueAt = beat.map { _ in now }
        extensionDueAt = now
    }

    /// The time of the next call of `update`, if nothing else happens before; nil if there is nothing to
    /// repeat.
    public var nextDeadline: Instant? {
        [statusDueAt, extensionDueAt, beatDueAt].compactMap { $0 }.min()
    }

    /// Observes a service that starts: a job that finishes within one loop iteration was ready in between.
    public mutating func observe(_ service: Service) {
        guard state == .starting, !hasBeenReady else { return }
        hasBeenReady = service.isReady
    }

    /// Handles the request of a reload. One that supersedes another is reported with its own time. During
    /// a start, the state remains that of a start.
    public mutating func beginReload(_ service: Service, at now: Instant) -> [String] {
        guard state == .ready || state == .reloading else { return [] }
        isReloading = true
        enter(.reloading, at: now)
        let head = ["RELOADING=1", "MONOTONIC_USEC=\(now.nanoseconds / 1000)"]
        return [message(head, service, at: now)]
    }

    /// Handles the verdict of the reload, which `update` reports.
    public mutating func endReload(isComplete: Bool) {
        isReloading = false
        lastReloadFailed = !isComplete
    }

    /// Returns the datagrams to send now, in order.
    public mutating func update(_ service: Service, at now: Instant) -> [String] {
        var messages: [String] = []
        let isDone = service.haste != nil && hasBeenReady
        if state == .starting, service.isReady || isDone {
            enter(.ready, at: now)
            messages.append(message(["READY=1"], service, at: now))
        }
        if service.haste != nil, state != .stopping {
            enter(.stopping, at: now)
            messages.append(message(["STOPPING=1"], service, at: now))
        } else if state == .reloading, !isReloading {
            enter(.ready, at: now)
            messages.append(message(["READY=1"], service, at: now))
        }
        if let line = newStatus(service, at: now) { messages.append(line) }
        if let line = newExtension(service, at: now) { messages.append(line) }
        if let beat, let due = beatDueAt, due <= now {
            beatDueAt = now + beat
            messages.append("WATCHDOG=1")
        }
        return messages
    }

    var isStarting: Bool { state == .starting }
    var isReloadUnderWay: Bool { isReloading }
    var hasFailedReload: Bool { lastReloadFailed }

    private mutating func enter(_ state: State, at now: Instant) {
        self.state = state
        extensionDueAt = state == .ready ? nil : now
    }

    /// Sends the status with a change of state, without the minimum interval.
    private mutating func message(
        _ lines: [String], _ service: Service, at now: Instant
    ) -> String {
        let status = status(of: service)
        sentStatus = status
        sentStatusAt = now
        statusDueAt = nil
        return (lines + ["STATUS=\(status)"]).joined(separator: "\n")
    }

    private mutating func newStatus(_ service: Service, at now: Instant) -> String? {
        statusDueAt = nil
        guard status(of: service) != sentStatus else { return nil }
        if let last = sentStatusAt, last + Self.statusInterval > now {
            statusDueAt = last + Self.statusInterval
            return nil
        }
        return message([], service, at: now)
    }

    /// The time within which a healthy start, reload or stop makes progress.
    private mutating func newExtension(_ service: Service, at now: Instant) -> String? {
        guard let due = extensionDueAt, due <= now else { return nil }
        extensionDueAt = now + Self.extensionInterval
        let end: Instant? =
            switch state {
            case .starting: service.firstBootsEndBy
            case .ready: nil
            // A reload without progress gets the verdict stalled.
            case .reloading: now + Self.maxExtension
            case .stopping: service.stopEndsBy
            }
        guard let end, end > now else { return nil }
        let span = min(end - now, Self.maxExtension) + Self.extensionMargin
        return "EXTEND_TIMEOUT_USEC=\(span.nanoseconds / 1000)"
    }
}
