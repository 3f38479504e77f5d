import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The filter on the bind(2) calls of one worker and of all that it ever started. It outlives the
/// worker where a daemon of its does: that one's calls still want an answer.
final class BindFilter {
    let binds: InterceptedBinds
    let worker: WorkerID
    let poolName: String
    /// Whether a call was answered with one.
    var hasAdopted = false
    /// What is given to those who ask for its address; nothing any more once the worker is gone.
    var listeners: [ListenSocket]

    /// A filter that another program of this process took.
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

    /// The answer to a call, as a job for the observer: to answer is to wait for the caller.
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

/// Adoption from outside: workers' own bind(2) to an address of ours, answered with our listener.
extension Master {
    /// How many calls of one worker's tree are answered in a turn; who makes more waits for the next.
    private static let bindsPerTurn = 16

    /// Takes over the filter of a worker whose program runs. When this fails, the worker's calls do.
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
            // The last process that could ask is gone.
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

    /// A worker ended before it was ready. Its program may have lost the library on the way to it, as
    /// behind `env -i`, or closed to itself what only the library opens, and that shows nowhere; so the
    /// next one's binds are answered by the master too, and those of the one after it, should that
    /// fail as well, are not. The filter is no use where a worker gets ready without an answer of it.
    func reconsiderAdoption(after worker: RunningWorker) {
        let blueprint = worker.blueprint
        guard blueprint.adoption.mayFilterToo, !worker.wasReady, !blueprint.isAdoptionProven,
            worker.isFilteredToo == blueprint.filtersToo, service.haste == nil
        else { return }
        blueprint.filtersToo.toggle()
        guard blueprint.filtersToo, log.isNew(.filtersToo(pool: worker.id.pool)) else { return }
        log.write(
            LogLine(.info, "adoption").with("pool", blueprint.settings.name)
                .with("by", "preload,seccomp").with("message", Advice.filtersToo))
    }

    /// A worker is ready, so its way of adoption is that of the next ones.
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

    /// Its answer may be reported after the worker is ready.
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
