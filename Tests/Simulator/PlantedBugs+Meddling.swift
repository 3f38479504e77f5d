#if DEBUG
    @testable import SuperviseCore

    /// Actions that are added.
    extension Bugged {
        /// Returns actions that the machine should not take.
        mutating func meddle(after event: Service.Event, at now: Instant) -> [Service.Action] {
            var actions: [Service.Action] = []
            for index in service.members.indices {
                var pool = service.members[index].pool
                guard meddle(with: &pool, after: event, at: now) else { continue }
                actions += pool.outbox.take().map { .perform($0) }
                service.members[index].pool = pool
            }
            return actions
        }

        private func meddle(with pool: inout Pool, after event: Service.Event, at now: Instant)
            -> Bool
        {
            switch (bug, event) {
            case (.retireBeforeReady, _):
                for slot in pool.slots.indices {
                    guard pool.slots[slot].replacement?.isBooting == true, pool.candidate == nil,
                        let old = pool.slots[slot].incumbent
                    else { continue }
                    pool.retire(old.id, because: .recycle(.requests), at: now)
                    pool.refresh(slot, at: now)
                }
                return true
            case (.retireBeforeTheCommit, .reload) where pool.candidate != nil:
                guard let old = pool.slots.last?.incumbent, old.isReady else { return false }
                pool.retire(old.id, because: .recycle(.reload), at: now)
                pool.refresh(old.id.slot, at: now)
                return true
            case (.forgetAPendingStart, _):
                for slot in pool.slots.indices {
                    pool.slots[slot].leaving.removeAll { pendingStarts.contains($0.id) }
                    pool.refresh(slot, at: now)
                }
                return true
            case (.relieveTwoAtOnce, .sampled):
                guard let relief = pool.relief, pool.worker(relief) != nil,
                    let other = pool.slots.compactMap(\.incumbent).first(where: { $0.id != relief })
                else { return false }
                pool.setDue(other.id, .poolMemory, at: now)
                pool.refresh(other.id.slot, at: now)
                return true
            case (.killWhoIsSpared, .sampled):
                guard
                    let worker = pool.slots.compactMap(\.incumbent).first(where: {
                        $0.memory.isHardAlarmed
                    })
                else { return false }
                pool.endAbruptly(worker, because: .killMemory, within: .zero, at: now)
                pool.refresh(worker.id.slot, at: now)
                return true
            case (.startWhileStopping, .worker(_, .exited)):
                guard case .stopping = pool.stage else { return false }
                _ = pool.makeWorker(in: 0, at: now)
                return true
            default:
                return false
            }
        }
    }
#endif
