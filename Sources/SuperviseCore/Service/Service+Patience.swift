/// The remaining time of operations in progress, for a service manager that has its own timeouts.

extension Service {
    /// The time by which the stop has ended; nil if the service does not stop. Scans every slot.
    public var stopEndsBy: Instant? {
        guard haste != nil else { return nil }
        return members.compactMap(\.stopEndsBy).max()
    }

    /// The time by which the last of the workers that boot in their slots for the first time is
    /// ready or has failed; nil if there is none. A slot that fails repeatedly does not extend the
    /// service manager's timeout. Scans every slot.
    public var firstBootsEndBy: Instant? {
        members.compactMap(\.pool.firstBootsEndBy).max()
    }
}

extension Service.Member {
    fileprivate var stopEndsBy: Instant? {
        guard let closing else { return pool.latestKill }
        return switch closing.phase {
        case .serving(let until): until + pool.policy.gracefulTimeout
        case .emptying(let until): max(closing.killAt, until + closing.share)
        }
    }
}

extension Pool {
    fileprivate var latestKill: Instant? {
        slots.lazy.flatMap(\.leaving).compactMap(\.killAt).max()
    }

    fileprivate var firstBootsEndBy: Instant? {
        slots.lazy.compactMap(\.incumbent)
            .filter { $0.id.incarnation == 1 && !$0.isHunted }
            .compactMap(\.boot?.until).max()
    }
}
