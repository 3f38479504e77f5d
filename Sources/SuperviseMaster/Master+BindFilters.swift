import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The filter on the bind(2) calls of one worker and of all its descendants. It outlives the worker
/// if a daemon of the worker does, because that daemon's calls still need a response.
final class BindFilter {
    let binds: InterceptedBinds
    let worker: WorkerID
    let poolName: String
    /// Whether a call got a listener.
    var hasAdopted = false
    /// The listeners for callers that request their addresses; empty once the worker has ended.
    var listeners: [ListenSocket]

    /// Continues with a filter of another program of this process.
    init(
        resuming state: MasterState.BindFilter, _ sockets: [Int32: ListenSocket]
    ) throws(SystemCallError) {
        binds = InterceptedBinds(try HandedDescriptors.take(state.number))
        worker = state.worker
        poolName = state.poolName
        listeners = state.listeners.compactMap { sockets[$0] }
    }

    init(_ binds: InterceptedBinds, for worker: RunningWorker) {
        self.binds = binds
        self.worker = worker.id
        poolName = worker.blueprint.settings.name
        listeners = worker.blueprint.held.map(\.socket)
    }

    /// Returns the response to a call as a job for the observer, because responding may block on
    /// the caller.
    fileprivate func job(_ call: InterceptedBinds.Call, serial: UInt64) -> Observer.Job {
        Observer.Job(
            pool: worker.pool, purpose: .bind(serial: serial, call),
            request: .bind(
                call,
                listeners.map {
                    .init(
                        file: $0.file, isAdopted: $0.isAdopted,
                        listensOnDemand: $0.listensOnDemand)
                }),
            descriptors: [OwnedDescriptorReference(binds.rawValue, of: binds)]
                + listeners.map { OwnedDescriptorReference($0.rawValue, of: $0) })
    }
}

/// Adoption from outside: a worker's own bind(2) to one of our addresses gets our listener.
extension Master {
    /// The number of calls per turn that are answered for one worker's tree. Further calls wait.
    private static let bindsPerTurn = 16

    /// Receives the filter of a worker whose program runs. If this fails, the worker's calls fail.
    func takeFilter(of worker: RunningWorker) throws(SystemCallError) {
        guard let channel = worker.filterChannel else { return }
        worker.filterChannel = nil
        switch try channel.receive() {
        case .installed(let binds, let setsNoNewPrivileges):
            try poll.add(
                binds.rawValue, .readable, token: Token.bindFilter | worker.serial)
            bindFilters[worker.serial] = BindFilter(binds, for: worker)
            observer.prepare(at: now)
            if setsNoNewPrivileges, log.isNew(.noNewPrivileges(pool: worker.id.pool)) {
                log.write(
                    LogLine(.warning, "no-new-privileges", worker)
                        .with("message", Advice.noNewPrivileges))
            }
        case .refused(let error):
            notAdopted(worker.id, worker.blueprint.settings.name, error, Advice.refused)
        case .none:
            return
        }
    }

    func answerBinds(serial: UInt64, _ events: Interest) {
        guard let filter = bindFilters[serial] else { return }
        guard events.contains(.readable) else {
            // The last process under the filter has ended.
            poll.unwatch(filter.binds.rawValue)
            bindFilters[serial] = nil
            return
        }
        for call in filter.binds.take(limit: Master.bindsPerTurn) {
            guard !filter.listeners.isEmpty else {
                filter.binds.leave(call)
                continue
            }
            ask(filter.job(call, serial: serial))
        }
    }

    func take(_ answer: InterceptedBinds.Answer, of filter: BindFilter) {
        switch answer {
        case .untouched:
            return
        case .adopted(let process, let address, let asked):
            filter.hasAdopted = true
            keepFilter(of: filter.worker)
            if let asked { alsoBinds(filter.worker, filter.poolName, asked) }
            guard log.isNew(.adopted(pool: filter.worker.pool)) else { return }
            log.write(
                LogLine(.info, "adopted").with("pool", filter.poolName)
                    .with("slot", filter.worker.slot).with("pid", process)
                    .with("address", address).with("by", Adoption.Way.seccomp.rawValue))
        case .failed(let error):
            notAdopted(filter.worker, filter.poolName, error, Advice.noRights)
        }
    }

    /// Changes the adoption after a worker ended before it was ready. Its program may have lost the
    /// library, as behind `env -i`, or closed descriptors that only the library opens, which is not
    /// visible. So the master also handles the binds of the next worker, and if that one fails as
    /// well, not those of the one after it. The filter is not needed if a worker becomes ready
    /// without a response from it.
    func reconsiderAdoption(after worker: RunningWorker) {
        let blueprint = worker.blueprint
        guard blueprint.adoption.mayFilterToo, !worker.wasReady, !blueprint.isAdoptionProven,
            worker.isFilteredToo == blueprint.filtersToo, service.haste == nil,
            core.worker(worker.id)?.isAbandoned != true
        else { return }
        blueprint.filtersToo.toggle()
        guard blueprint.filtersToo, log.isNew(.filtersToo(pool: worker.id.pool)) else { return }
        log.write(
            LogLine(.info, "adoption").with("pool", blueprint.settings.name)
                .with("by", "preload,seccomp").with("message", Advice.filtersToo))
    }

    /// Keeps the way of adoption for the next workers, because this worker became ready with it.
    func proveAdoption(by id: WorkerID) {
        guard let worker = workers[id] else { return }
        worker.wasReady = true
        let blueprint = worker.blueprint
        guard blueprint.adoption.mayFilterToo, worker.isFilteredToo == blueprint.filtersToo
        else { return }
        blueprint.isAdoptionProven = true
        blueprint.filtersToo =
            worker.isFilteredToo && bindFilters[worker.serial]?.hasAdopted == true
    }

    /// The response may be reported after the worker is ready.
    private func keepFilter(of id: WorkerID) {
        guard let worker = workers[id], worker.isFilteredToo else { return }
        worker.blueprint.filtersToo = true
    }

    private func notAdopted(
        _ id: WorkerID, _ poolName: String, _ error: SystemCallError, _ advice: String
    ) {
        guard log.isNew(.notAdopted(pool: id.pool, reason: error.description)) else { return }
        log.write(
            LogLine(.warning, "not-adopted").with("pool", poolName).with("slot", id.slot)
                .with("pid", workers[id]?.pid).with("error", error.description)
                .with("message", advice))
    }

    private enum Advice {
        static let filtersToo =
            "a worker exited before it was ready, possibly because its program lost the preload library "
            + "(env -i, for example); the next worker is also adopted by seccomp"
        static let noNewPrivileges =
            "without CAP_SYS_ADMIN, the bind() filter requires no_new_privs, so sudo and other setuid "
            + "programs do not work in these workers; to avoid this, set adopt = off"
        static let refused =
            "the kernel rejects the bind() filter, for example in some containers or because another "
            + "supervisor has already installed one; bind() fails in a program that opens its own "
            + "socket"
        static let noRights =
            "this worker binds an address of the pool, but the master may not inspect or change the "
            + "process (it runs as another user, and the master lacks CAP_SYS_PTRACE); its bind() fails"
    }
}
