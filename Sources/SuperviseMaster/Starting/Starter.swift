import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Starts workers. A start may complete later: until then its worker is known, can be stopped and
/// can exit, and its process may not exist yet.
final class Starter: Expiring {
    private let core: Core
    private let workers: WorkerTable
    private let poll: EventPoll
    private let log: Log
    private let output: OutputRelay
    let notifyFolders: NotifyFolders
    /// The serials of the workers whose start is pending.
    private var pending: Set<UInt64> = []
    /// Prepares a worker whose program runs. Throws if the worker cannot be served.
    var programRuns: (RunningWorker) throws(SystemCallError) -> Void = {
        (_) throws(SystemCallError) in
    }
    /// Selects what starts the process of a worker.
    var launcher: (StartOrder, Blueprint) throws(StartError) -> any Launcher = {
        (_, blueprint) throws(StartError) in blueprint.launcher
    }
    /// What hunted workers get.
    var hunts = Hunts()
    /// Whether it is known what a child belongs to.
    var isKnown: (Int32) -> Bool = { _ in false }
    /// Closes what the master holds for a worker of which nothing is left.
    var release: (RunningWorker) -> Void = { _ in }

    init(
        core: Core, workers: WorkerTable, poll: EventPoll, log: Log, output: OutputRelay,
        notifyFolders: NotifyFolders
    ) {
        self.core = core
        self.workers = workers
        self.poll = poll
        self.log = log
        self.output = output
        self.notifyFolders = notifyFolders
    }

    /// Begins the start of a worker. Its outcome is an event for the core, now or later.
    func start(_ id: WorkerID, _ order: StartOrder, _ blueprint: Blueprint) throws(StartError) {
        if let library = blueprint.adoption.missingLibrary {
            throw StartError(missingLibrary: library)
        }
        let worker = try launch(id, order, blueprint)
        workers.add(worker)
        do throws(SystemCallError) {
            try poll.add(
                worker.notify.rawValue, .readable, token: Master.Token.notify | worker.serial)
            try output.watch(worker.output)
            if worker.pendingStart == nil {
                try programRuns(worker)
                core.enqueue(id, .running)
            } else {
                try watch(worker)
            }
        } catch {
            // The epoll set is full or out of memory. The process must not stay unwatched.
            kill(worker)
            worker.notify.remove()
            workers.remove(worker)
            throw StartError(resource: error)
        }
    }

    private func launch(
        _ id: WorkerID, _ order: StartOrder, _ blueprint: Blueprint
    ) throws(StartError) -> RunningWorker {
        let nonce: Nonce
        let notify: NotifySocket
        do throws(SystemCallError) {
            nonce = try Nonce()
            notify = try notifySocket(nonce: nonce.text, id, blueprint)
        } catch {
            throw StartError(resource: error)
        }
        do throws(StartError) {
            let page = try page(nonce: nonce.text, order, blueprint)
            let (pipe, writer) = try outputPipe(blueprint)
            let serial = workers.nextSerial()
            defer { withExtendedLifetime(writer) {} }
            let begun = try launcher(order, blueprint).launch(
                LaunchRequest(
                    blueprint: blueprint,
                    environment: hunts.environment(
                        of: id,
                        blueprint.environment(
                            for: id, order, nonce: nonce.text, notifyAddress: notify.address,
                            hasPage: page != nil)),
                    arguments: blueprint.arguments(for: id),
                    descriptors: blueprint.descriptors(page: page),
                    output: writer.map { .descriptor($0.rawValue) } ?? blueprint.output(of: id)))
            return RunningWorker(
                id: id, serial: serial, blueprint: blueprint, begun: begun,
                nonce: nonce, notify: notify, page: page,
                output: pipe.map {
                    WorkerOutput(
                        $0, serial: serial, source: "\(blueprint.settings.name)/\(id.slot)",
                        blocks: blueprint.settings.outputOverflow == .block)
                })
        } catch {
            notify.remove()
            throw error
        }
    }

    private func page(
        nonce: String, _ order: StartOrder, _ blueprint: Blueprint
    ) throws(StartError) -> RequestPage? {
        guard blueprint.hasPage else { return nil }
        do throws(SystemCallError) {
            return try RequestPage(
                nonce: nonce, limit: order.notifyThreshold ?? 0, ledger: blueprint.ledger,
                hunt: order.hunt.map(HuntRecord.Limits.init))
        } catch {
            throw StartError(resource: error)
        }
    }

    /// Returns the pipe for the output of a worker or a mold, if the master reads it, and the other
    /// end.
    func outputPipe(
        _ blueprint: Blueprint
    ) throws(StartError) -> (OutputPipe?, OwnedDescriptor?) {
        guard blueprint.settings.output == .prefix else { return (nil, nil) }
        do throws(SystemCallError) {
            let owner = blueprint.account.map { ($0.credentials.uid, $0.credentials.gid) }
            return try OutputPipe.make(owner: owner)
        } catch {
            throw StartError(resource: error)
        }
    }

    private func notifySocket(
        nonce: String, _ id: WorkerID, _ blueprint: Blueprint
    ) throws(SystemCallError) -> NotifySocket {
        let credentials = blueprint.account?.credentials
        let guarded = try notifyFolders.socket(
            nonce: nonce, uid: credentials?.uid ?? ThisProcess.effectiveUID,
            gid: credentials?.gid ?? 0)
        if let guarded { return guarded }
        if log.isNew(.unguardedNotifySocket(pool: id.pool)) {
            log.write(
                LogLine(.info, "notify-socket-unprotected").with("pool", blueprint.settings.name)
                    .with("message", NotifyFolders.advice))
        }
        return try NotifySocket(nonce: nonce)
    }

    /// Watches the pending start of a worker that was started now, or by another program of this
    /// process.
    func watch(_ worker: RunningWorker) throws(SystemCallError) {
        guard let start = worker.pendingStart else { return }
        try poll.add(start.descriptor, .readable, token: Master.Token.start | worker.serial)
        pending.insert(worker.serial)
    }

    /// Whether a process may be created that does not belong to a worker yet.
    var awaitsProcess: Bool { pending.contains { workers[serial: $0]?.process == nil } }

    /// The worker of a child that has exited, if a pending start created it and reported so before.
    func worker(ofExited pid: Int32) -> RunningWorker? {
        for serial in pending.sorted() where workers[serial: serial]?.process == nil {
            read(serial: serial)
        }
        return workers[pid: pid]
    }

    /// Reads new reports of a pending start.
    func read(serial: UInt64) {
        guard let worker = workers[serial: serial], let start = worker.pendingStart else { return }
        switch start.read() {
        case .pending: return
        case .created(let process) where isKnown(process.pid):
            settle(worker)
            let message = "process \(process.pid) reported as the worker but is another child"
            fail(worker, StartFailure(step: "mold", message: message, isTransient: true))
        case .created(let process):
            workers.setProcess(process, of: worker)
            start.proceed()
        case .running:
            settle(worker)
            runs(worker)
        case .ended:
            poll.unwatch(start.descriptor)
        case .failed(let failure):
            settle(worker)
            fail(worker, failure)
        }
    }

    /// Reports failed starts whose mold has ended, and that end was reported.
    func moldEnded() {
        for serial in pending.sorted() {
            read(serial: serial)
            guard let worker = workers[serial: serial],
                let failure = worker.pendingStart?.unexplainedFailure
            else { continue }
            settle(worker)
            fail(worker, failure)
        }
    }

    /// Extends all deadlines by a time in which nothing could run.
    func shiftDeadlines(by span: TimeSpan) {
        for serial in pending { workers[serial: serial]?.pendingStart?.shiftDeadline(by: span) }
    }

    private func settle(_ worker: RunningWorker) {
        guard let start = worker.pendingStart else { return }
        if start.unexplainedFailure == nil { poll.unwatch(start.descriptor) }
        pending.remove(worker.serial)
        worker.pendingStart = nil
    }

    private func runs(_ worker: RunningWorker) {
        do throws(SystemCallError) {
            try programRuns(worker)
        } catch {
            log.write(LogLine(.error, "start-failed", worker).with("error", error.description))
            kill(worker)
        }
        core.enqueue(worker.id, .running)
    }

    /// A process that exists is still to be reaped, and the failure is reported then.
    private func fail(_ worker: RunningWorker, _ failure: StartFailure) {
        guard worker.process == nil else {
            worker.startFailure = failure
            kill(worker)
            return
        }
        core.enqueue(worker.id, .startFailed(failure))
        release(worker)
    }

    /// Cancels a start whose worker has no process yet. Returns whether there is one. The worker is
    /// to be stopped or killed, and there is no process to signal.
    func cancel(_ worker: RunningWorker) -> Bool {
        guard worker.process == nil else { return false }
        giveUp(worker, "the worker was stopped before it had a process")
        return true
    }

    private func giveUp(_ worker: RunningWorker, _ message: String) {
        settle(worker)
        kill(worker)
        fail(worker, StartFailure(step: "start", message: message, isTransient: true))
    }

    /// Forgets the pending start of a worker whose process has ended.
    func forget(_ worker: RunningWorker) { settle(worker) }

    var deadline: Instant? {
        pending.compactMap { workers[serial: $0]?.pendingStart?.deadline }.min()
    }

    func expire(at now: Instant) {
        for serial in pending.sorted() {
            guard let worker = workers[serial: serial], let start = worker.pendingStart,
                let deadline = start.deadline, deadline <= now
            else { continue }
            if let failure = start.unexplainedFailure {
                settle(worker)
                fail(worker, failure)
            } else {
                giveUp(worker, "its process did not report in time")
            }
        }
    }

    /// ESRCH: it has exited and will be reaped.
    private func kill(_ worker: RunningWorker) {
        do throws(SystemCallError) {
            try worker.process?.descriptor.signal(Signal.kill.number)
        } catch {
            return
        }
    }
}
