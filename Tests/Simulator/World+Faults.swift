import SuperviseCore

/// Faults and what people do.
extension World {
    mutating func befall(_ fault: Fault, at now: Instant) -> [Service.Event] {
        switch fault {
        case .end(let pool, let worker, let signal, let status):
            guard let id = living(pool, worker) else { return [] }
            let end: ExitStatus =
                signal == 0
                ? .code(status)
                : signal == 9 ? .outOfMemory : .signal(Signal(number: signal))
            die(id, end, at: now)
            return []
        case .announce(let pool, let worker, let status):
            guard let id = living(pool, worker), var process = processes[id] else { return [] }
            let drain = Int64(process.draws.between(0, process.program.drain))
            processes[id] = process
            agenda.enter(
                .died(id, .code(status), byItself: false), at: now + .milliseconds(drain))
            return [.worker(id, .stopping)]
        case .ask(let pool, let worker):
            return tell(pool, worker, .recycleRequested)
        case .hold(let pool, let worker, let time):
            return tell(pool, worker, .hold(.milliseconds(Int64(time))))
        case .burst(let pool, let worker, let count):
            guard let id = living(pool, worker) else { return [] }
            processes[id]?.requests += count
            return [.worker(id, .moreRequests(UInt64(count)))]
        case .grow(let pool, let worker, let size):
            if let id = living(pool, worker) { processes[id]?.extraMemory += size }
            return []
        case .refuseForks(let time):
            forksRefusedUntil = now + .milliseconds(Int64(time))
            return []
        case .breakExec(let time):
            execBrokenUntil = now + .milliseconds(Int64(time))
            return []
        case .stall(let time):
            stalledUntil = now + .milliseconds(Int64(time))
            return []
        case .repeatExits:
            return reapedIDs.suffix(8).flatMap { id -> [Service.Event] in
                let exit = Service.Event.worker(id, .exited(.code(1), leavesTree: false))
                return processes[id] == nil ? [exit, .worker(id, .treeGone)] : [exit]
            }
        case .resize(let pool, let change): return [.resize(pool: pool, by: change)]
        case .recycle(let pool, let slot):
            return [.recycle(pool: pool, slot: slot < 0 ? nil : slot)]
        case .park: return [.park]
        case .reload(let plans, let program):
            programs.append(program)
            return [.reload(plans)]
        case .stop(let haste): return [.stop(haste)]
        }
    }

    private func living(_ pool: Int, _ worker: Int) -> WorkerID? {
        let living = present.filter { $0.pool == pool && isRunning($0) }
        return living.isEmpty ? nil : living[worker % living.count]
    }

    private func isRunning(_ id: WorkerID) -> Bool {
        guard let process = processes[id] else { return false }
        return process.isAlive && process.hasExecuted
    }

    private func tell(_ pool: Int, _ worker: Int, _ news: WorkerEvent) -> [Service.Event] {
        living(pool, worker).map { [.worker($0, news)] } ?? []
    }
}
