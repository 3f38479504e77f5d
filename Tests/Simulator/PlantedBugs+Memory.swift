#if DEBUG
    @testable import SuperviseCore

    /// Bugs in memory caps and in the order of actions.
    extension Bugged {
        /// The state of the machine.
        mutating func confuseMemory(at now: Instant) {
            switch bug {
            case .spareWhoServes:
                eachIncumbent { worker, _ in worker.memory.ownBytes = worker.memory.bytes }
            case .stayAlarmed:
                var alarmed = alarmed
                eachIncumbent { worker, _ in
                    if worker.memory.isAlarmed { alarmed.append(worker.id) }
                    worker.memory.isAlarmed = alarmed.contains(worker.id)
                }
                self.alarmed = alarmed
            case .killByASmallerShare:
                eachIncumbent { worker, pool in worker.killRSSBytes = pool.policy.killRSSBytes }
            case .passTheCanaryUnmeasured:
                for index in service.members.indices {
                    guard case .weighing(let id, _) = service.members[index].pool.candidate?.phase
                    else { continue }
                    service.members[index].pool.candidate?.phase = .weighing(id, until: now)
                }
            case .hurryWhoIsSuperseded:
                eachSlot { pool, slot in
                    for place in pool.slots[slot].leaving.indices {
                        let worker = pool.slots[slot].leaving[place]
                        guard worker.retirement?.cause == .superseded, worker.readyAt == nil,
                            worker.isDraining
                        else { continue }
                        pool.slots[slot].leaving[place].draining?.until = now
                        pool.refresh(slot, at: now)
                    }
                }
            default: break
            }
        }

        private mutating func eachIncumbent(_ change: (inout Worker, Pool) -> Void) {
            eachSlot { pool, slot in
                guard var worker = pool.slots[slot].incumbent else { return }
                change(&worker, pool)
                pool.slots[slot].incumbent = worker
            }
        }

        /// The output.
        func reordered(_ actions: [Service.Action]) -> [Service.Action] {
            guard bug == .reportBeforeStarting else { return actions }
            func starts(_ action: Service.Action) -> Bool {
                if case .perform(.start) = action { true } else { false }
            }
            return actions.filter { !starts($0) } + actions.filter(starts)
        }
    }
#endif
