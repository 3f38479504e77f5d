import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Starting workers, receiving their messages, and signalling them.
extension Master {
    /// The number of notify datagrams of one worker that are read per turn. Further ones wait.
    private static let notificationsPerTurn = 64
    /// The number of invalid messages of one worker that are logged.
    private static let loggedMessagesPerWorker = 10
    /// The number of a sender's ancestors that are checked.
    private static let longestAncestry = 64

    /// Starts a worker. Returns the failure if the start cannot begin.
    func start(_ id: WorkerID, _ order: StartOrder) -> StartFailure? {
        guard let name = service.member(id.pool)?.name,
            let blueprint = generations[order.generation]?.blueprints[name]
        else { preconditionFailure("generation \(order.generation) has no pool \(id.pool)") }
        do throws(StartError) {
            if let hunt = order.hunt { try hunts.prepare(hunt, for: id) }
            reaper.willStartWorker()
            try starter.start(id, order, blueprint)
            reaper.watchForMemoryKills()
            return nil
        } catch {
            return error.failure
        }
    }

    func readNotifications(serial: UInt64) {
        // A program that sends messages already runs; the end of its pending start reports that.
        starter.read(serial: serial)
        guard let worker = workers[serial: serial] else { return }
        for datagram in worker.notify.receive(limit: Master.notificationsPerTurn) {
            guard mayNotify(datagram, worker) else {
                logInvalid(worker, "notify-refused") { $0.with("sender", datagram.pid) }
                continue
            }
            for message in WorkerMessage.parse(datagram.bytes) {
                if case .listener(let inode) = message {
                    answer(datagram, from: worker, asksFor: inode)
                } else {
                    handle(message, from: worker)
                }
            }
        }
    }

    /// The socket identifies the worker. A sender is refused only if it is alive and belongs to
    /// another worker, or runs as an unrelated user: a short-lived `systemd-notify` exits before
    /// the master could look up its parents.
    private func mayNotify(_ datagram: NotifyDatagram, _ worker: RunningWorker) -> Bool {
        if let owner = owner(of: datagram.pid) { return owner == worker.serial }
        let own = worker.blueprint.uid ?? ThisProcess.effectiveUID
        return [0, ThisProcess.effectiveUID, own].contains(datagram.uid)
    }

    /// Returns the serial of the worker from which a running process descends.
    func owner(of process: Int32) -> UInt64? {
        var pid = process
        for _ in 0..<Master.longestAncestry {
            if let worker = workers[pid: pid] { return worker.serial }
            if let owner = reaper.owner(ofOrphan: pid) { return owner }
            guard let status = ProcessStatus.read(pid), status.parent > 1 else { return nil }
            pid = status.parent
        }
        return nil
    }

    /// The number of log lines that a worker's messages can cause is limited, or one worker could
    /// fill the log.
    func logInvalid(_ worker: RunningWorker, _ event: String, _ fill: (LogLine) -> LogLine) {
        worker.invalidMessages += 1
        guard worker.invalidMessages <= Master.loggedMessagesPerWorker else { return }
        log.write(fill(LogLine(.warning, event, worker)))
        if worker.invalidMessages == Master.loggedMessagesPerWorker {
            log.write(
                LogLine(.warning, event, worker)
                    .with("message", "further messages of this worker are not logged"))
        }
    }

    private func handle(_ message: WorkerMessage, from worker: RunningWorker) {
        switch message {
        case .ready: enqueue(worker.id, .ready)
        case .stopping: enqueue(worker.id, .stopping)
        case .requests(let total): count(.requests(total), of: worker)
        case .moreRequests(let more): count(.moreRequests(more), of: worker)
        // The page is read first, so that a worker that reports there is not counted by its
        // connections.
        case .connections(let total):
            readCount(of: worker)
            if worker.observedTotals == nil {
                count(.connections(total), of: worker)
            }
        case .responses(let total):
            readCount(of: worker)
            count(.responses(total), of: worker)
        case .recycle: enqueue(worker.id, .recycleRequested)
        case .listening: enqueue(worker.id, .listening)
        case .watchdog: enqueue(worker.id, .watchdog)
        case .watchdogTriggered: enqueue(worker.id, .watchdogTriggered)
        case .extendTimeout(let span): enqueue(worker.id, .extendTimeout(span))
        case .hold(let span): enqueue(worker.id, .hold(span))
        case .status(let text):
            worker.statusText = String(text.prefix(RunningWorker.longestStatus))
            log.write(LogLine(.debug, "status", worker).with("text", text))
        case .errno(let code):
            logInvalid(worker, "worker-error") {
                $0.with("error", SystemCallError.message(of: code))
            }
        case .listener: preconditionFailure("it is answered where the sender is known")
        case .notAdopted(let inode): notAdopted(worker, inode)
        case .alsoBinds(let address): alsoBinds(worker.id, worker.blueprint.settings.name, address)
        case .malformed(let key, let value):
            logInvalid(worker, "notify-malformed") { $0.with("key", key).with("value", value) }
        }
    }

    func send(_ signal: StopSignal, to id: WorkerID) {
        guard let worker = workers[id], !worker.hasExited, !starter.cancel(worker) else { return }
        let settings = worker.blueprint.settings
        let number =
            switch signal {
            case .stop: settings.stopSignal.number
            case .quick: (settings.quickSignal ?? settings.stopSignal).number
            case .abort: Signal.abort.number
            }
        if signal == .abort { abortStuckProcesses(of: worker) }
        if !(worker.pid.map { ProcessSignals.signalStopped(number, $0) } ?? false) {
            signalIgnoringExit(worker, number)
        }
        resumeStopped(worker)
    }

    /// Closes the descriptors of a worker without remaining processes.
    func release(_ worker: RunningWorker) {
        guard workers[serial: worker.serial] != nil else { return }
        drainer.forget(worker)
        leaks.end(worker)
        output.close(worker.output, at: now)
        poll.unwatch(worker.notify.rawValue)
        worker.notify.remove()
        starter.forget(worker)
        hunts.forget(worker.id)
        bindFilters[worker.serial]?.listeners = []
        workers.remove(worker)
    }

    /// ESRCH: it has exited and will be reaped in this turn or the next.
    func signalIgnoringExit(_ worker: RunningWorker, _ number: Int32) {
        do throws(SystemCallError) {
            try worker.process?.descriptor.signal(number)
        } catch  where error.kind == .noSuchProcess {
            return
        } catch {
            signalFailed(worker, .error, error)
        }
    }

    /// Signals to a worker that refuses them are repeated, so the refusal is logged once.
    func signalFailed(
        _ worker: RunningWorker, _ level: LogLevel, _ error: SystemCallError,
        process: Int32? = nil
    ) {
        let isRefused = error.kind == .notPermitted
        if isRefused, worker.isSignalRefused { return }
        if isRefused { worker.isSignalRefused = true }
        log.write(
            LogLine(level, "signal-failed", worker).with("process", process)
                .with("error", error.description)
                .with("message", isRefused ? Master.signalAdvice : nil))
    }

    private static let signalAdvice =
        "the worker runs as another user and the master lacks CAP_KILL, so the master cannot stop it. "
        + "Further failures of this worker are not logged"
}

extension LogLine {
    /// Creates a line about a worker.
    init(_ level: LogLevel, _ event: String, _ worker: RunningWorker) {
        self = LogLine(level, event).with("pool", worker.blueprint.settings.name)
            .with("slot", worker.id.slot).with("pid", worker.pid)
    }
}
