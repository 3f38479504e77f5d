#if DEBUG
    @testable import SuperviseCore

    /// Planted bugs in hunts, which prove that the simulation detects errors.
    package enum HuntBug: String, CaseIterable, Sendable {
        case countTheHuntedWorker
        case reportNoEnd
        case reportTwoEnds
        case keepOnReload
        case keepOnPark
        case ignoreTheTime
        case armNoTimer
        case keepWhenMemoryIsShort
    }

    /// A service that makes one kind of wrong decision about hunts.
    package struct BuggedHunts: Machine {
        package private(set) var service: Service
        private let bug: HuntBug

        package init(_ bug: HuntBug, seed: UInt64) {
            self.bug = bug
            service = HuntSimulation<Service>.service(seed: seed)
        }

        package var nextDeadline: Instant? {
            bug == .armNoTimer && service.members.contains { $0.pool.hunt != nil }
                ? nil : service.nextDeadline
        }

        package mutating func handle(
            _ event: Service.Event, at now: Instant
        ) -> [Service.Action] {
            let kept = hidden(before: event)
            let actions = service.handle(event, at: now).flatMap(spoiled)
            if let kept, !service.members.isEmpty { service.members[0].pool.hunt = kept }
            if bug == .countTheHuntedWorker { count(at: now) }
            if bug == .ignoreTheTime, !service.members.isEmpty {
                service.members[0].pool.hunt?.until = nil
            }
            return actions
        }

        private mutating func hidden(before event: Service.Event) -> Hunt? {
            guard let hunt = service.members.first?.pool.hunt else { return nil }
            switch (bug, event) {
            case (.keepOnReload, .reload), (.keepWhenMemoryIsShort, .sampled):
                service.members[0].pool.hunt = nil
                return hunt
            default: return nil
            }
        }

        private mutating func count(at now: Instant) {
            guard let id = service.members.first?.pool.hunt?.id else { return }
            service.members[0].pool.slots[id.slot].incumbent?.isHunted = false
            service.members[0].pool.refresh(id.slot, at: now)
        }

        private func spoiled(_ action: Service.Action) -> [Service.Action] {
            guard case .perform(.note(let notice)) = action else { return [action] }
            switch (bug, notice) {
            case (.reportNoEnd, .hunt(.ended)): return []
            case (.reportTwoEnds, .hunt(.ended)): return [action, action]
            case (.keepOnPark, .hunt(.ended(_, .left(.parked), _))): return []
            default: return [action]
            }
        }
    }
#endif
