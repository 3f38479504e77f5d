import SuperviseCore

/// What a service manager is told of the service (sd_notify(3)), made from how the service stands at
/// the end of each turn: what is new, and what is to be repeated.
///
/// Whoever waits for the service manager waits for these words, so each is said once, in order:
/// `READY=1` when every pool has the workers that it promises; `RELOADING=1` with the time, and
/// `READY=1` again when the reload has a verdict, whatever it is; `STOPPING=1`.
public struct ServiceManagerReport: Equatable, Sendable, Codable {
    /// What was told last.
    private enum State: Equatable, Codable {
        case starting
        case ready
        case reloading
        case stopping
    }

    /// Between two lines of status, which systemctl(1) shows and nobody reads faster.
    private static let statusInterval = TimeSpan.seconds(1)
    /// So much time is asked for at once, and again so often: one that hangs gets no more.
    private static let extensionInterval = TimeSpan.seconds(10)
    private static let mostExtension = TimeSpan.seconds(30)
    /// To see the last process off.
    private static let extensionMargin = TimeSpan.seconds(5)

    private var state = State.starting
    /// Whether the service was ready at any moment of its start.
    private var hasBeenReady = false
    private var isReloading = false
    private var lastReloadFailed = false
    private var toldStatus: String?
    private var toldStatusAt: Instant?
    private var statusDueAt: Instant?
    private var extensionDueAt: Instant?
    private let beat: TimeSpan?
    private var beatDueAt: Instant?

    /// A report of a service that starts now. With `watchdog`, the service manager wants to hear from
    /// it within this time, again and again; it does twice as often.
    public init(watchdog: TimeSpan? = nil, at now: Instant) {
        beat = watchdog.map { TimeSpan(nanoseconds: max(1, $0.nanoseconds / 2)) }
        beatDueAt = beat.map { _ in now }
        extensionDueAt = now
    }

    /// When `update` has to be called next, if nothing else happens before; nil where there is nothing
    /// to repeat.
    public var nextDeadline: Instant? {
        [statusDueAt, extensionDueAt, beatDueAt].compactMap { $0 }.min()
    }

    /// Looks at a service that starts: what is done within one turn was ready meanwhile.
    public mutating func look(at service: Service) {
        guard state == .starting, !hasBeenReady else { return }
        hasBeenReady = service.isReady
    }

    /// A reload was asked for. One that overtakes another is told too, by its own time. A start that
    /// is under way stays one.
    public mutating func beginReload(_ service: Service, at now: Instant) -> [String] {
        guard state == .ready || state == .reloading else { return [] }
        isReloading = true
        enter(.reloading, at: now)
        let head = ["RELOADING=1", "MONOTONIC_USEC=\(now.nanoseconds / 1000)"]
        return [message(head, service, at: now)]
    }

    /// The reload has its verdict, which `update` tells.
    public mutating func endReload(isComplete: Bool) {
        isReloading = false
        lastReloadFailed = !isComplete
    }

    /// What is to be told now: datagrams, in order.
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

    /// A change of state brings its status along, however short ago the last one was.
    private mutating func message(
        _ lines: [String], _ service: Service, at now: Instant
    ) -> String {
        let status = status(of: service)
        toldStatus = status
        toldStatusAt = now
        statusDueAt = nil
        return (lines + ["STATUS=\(status)"]).joined(separator: "\n")
    }

    private mutating func newStatus(_ service: Service, at now: Instant) -> String? {
        statusDueAt = nil
        guard status(of: service) != toldStatus else { return nil }
        if let last = toldStatusAt, last + Self.statusInterval > now {
            statusDueAt = last + Self.statusInterval
            return nil
        }
        return message([], service, at: now)
    }

    /// The time in which a start, a reload or a stop that does what it should has got further.
    private mutating func newExtension(_ service: Service, at now: Instant) -> String? {
        guard let due = extensionDueAt, due <= now else { return nil }
        extensionDueAt = now + Self.extensionInterval
        let end: Instant? =
            switch state {
            case .starting: service.firstBootsEndBy
            case .ready: nil
            // A verdict comes: a reload that does not get on is called stalled.
            case .reloading: now + Self.mostExtension
            case .stopping: service.stopEndsBy
            }
        guard let end, end > now else { return nil }
        let span = min(end - now, Self.mostExtension) + Self.extensionMargin
        return "EXTEND_TIMEOUT_USEC=\(span.nanoseconds / 1000)"
    }
}
