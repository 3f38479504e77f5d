/// How long what is under way may take, for a service manager that has a clock of its own.

extension Service {
    /// When the stop has ended at the latest; nil while the service does not stop. Costs a look at
    /// every slot.
    public var stopEndsBy: Instant? {
        guard haste != nil else { return nil }
        return members.compactMap(\.stopEndsBy).max()
    }

    /// When the last of the workers that boot in their slots for the first time is ready or has
    /// failed; nil where none does. A slot that fails again and again gets a service manager to wait
    /// for nothing. Costs a look at every slot.
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
            .filter { $0.isBooting && $0.id.incarnation == 1 }
            .map(\.bootUntil).max()
    }
}
