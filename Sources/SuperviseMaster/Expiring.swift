import SuperviseCore
import SuperviseLinux

/// A part of the master that has a deadline. The loop arms its timer for the earliest deadline of
/// all parts.
protocol Expiring: AnyObject {
    /// The time at which `expire(at:)` is called next; nil while there is nothing to wait for.
    var deadline: Instant? { get }

    /// Does everything that is due at this time.
    func expire(at now: Instant)
}

/// A deadline that the master keeps among its own properties.
final class MasterDeadline: Expiring {
    private let next: () -> Instant?
    private let action: (Instant) -> Void

    init(_ next: @escaping () -> Instant?, _ action: @escaping (Instant) -> Void) {
        self.next = next
        self.action = action
    }

    var deadline: Instant? { next() }

    func expire(at now: Instant) { action(now) }
}

extension Instant {
    /// The time of the monotonic clock.
    static var now: Instant { Instant(nanoseconds: MonotonicClock.nanoseconds()) }
}

extension Master {
    var now: Instant { .now }

    /// The parts that have a deadline, in the order in which they act on it.
    func allParts() -> [any Expiring] {
        let own = [
            MasterDeadline({ [unowned self] in checks.first?.at }) { [unowned self] now in
                performChecks(at: now)
            },
            MasterDeadline({ [unowned self] in watchedListeners.rearming.first?.at }) {
                [unowned self] _ in rearmListeners()
            },
        ]
        let others: [(any Expiring)?] = [
            starter, reaper, output, closingListeners, commands, observer, control, serviceManager,
        ]
        return [reloader, upgrader] + own + others.compactMap { $0 }
    }
}
