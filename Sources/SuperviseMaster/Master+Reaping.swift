import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The end of processes: our workers, what they left behind, and strangers that came to us because
/// the master is a subreaper (PR_SET_CHILD_SUBREAPER(2const)) or pid 1.
extension Master {
    func reap() {
        var ended: [(worker: RunningWorker, status: ChildStatus)] = []
        var shrunk: Set<UInt64> = []
        do throws(SystemCallError) {
            while let child = try ChildProcesses.nextExited() {
                if let worker = workers[pid: child.pid] {
                    readCount(of: worker)
                    if worker.errorPipe != nil { readErrorPipe(serial: worker.serial) }
                    worker.hasExited = true
                    workers.forgetProcess(of: worker)
                    ended.append((worker, child.status))
                } else if let owner = orphans.removeValue(forKey: child.pid) {
                    shrunk.insert(owner)
                } else if loader?.pid == child.pid {
                    loaderExited(child.status)
                }
                try ChildProcesses.reap(child.pid)
            }
        } catch {
            preconditionFailure("our own children can be waited for: \(error)")
        }
        guard !ended.isEmpty || !shrunk.isEmpty else { return }
        adoptOrphans(of: ended.map(\.worker) + shrunk.sorted().compactMap { workers[serial: $0] })
        for (worker, status) in ended { tellEnd(of: worker, status) }
        for serial in shrunk.sorted() { tellTreeIfGone(serial) }
    }

    /// The children of a process that ended are ours by the time that we hear of its end.
    private func adoptOrphans(of candidates: [RunningWorker]) {
        for worker in candidates {
            worker.orphans = worker.orphans.filter { orphans[$0] != nil }
        }
        for pid in ChildProcesses.list() {
            guard workers[pid: pid] == nil, orphans[pid] == nil, loader?.pid != pid,
                let owner = candidates.first(where: { $0.owns(pid) })
            else { continue }
            orphans[pid] = owner.serial
            owner.orphans.insert(pid)
        }
    }

    private func tellEnd(of worker: RunningWorker, _ status: ChildStatus) {
        if let failure = worker.startFailure {
            tell(
                worker.id,
                .startFailed(failure.startFailure(of: worker.blueprint.settings.command[0])))
            release(worker)
            return
        }
        let exit: ExitStatus =
            switch status {
            case .exited(let code): .code(code)
            case .signaled(let number, coreDumped: _): .signal(Signal(number: number))
            }
        tell(worker.id, .exited(exit, leavesTree: !worker.orphans.isEmpty))
    }

    private func tellTreeIfGone(_ serial: UInt64) {
        guard let worker = workers[serial: serial], worker.hasExited, worker.orphans.isEmpty
        else { return }
        tell(worker.id, .treeGone)
        release(worker)
    }

    /// Closes what the master holds for a worker of which nothing is left.
    func release(_ worker: RunningWorker) {
        guard workers[serial: worker.serial] != nil else { return }
        unwatch(worker.notify.rawValue)
        if let pipe = worker.errorPipe { unwatch(pipe.rawValue) }
        workers.remove(worker)
    }

    /// The stop-signal for what an ended worker left behind, and for all below.
    func signalOrphans(of id: WorkerID) {
        guard let worker = workers[id] else { return }
        signalTree(of: worker, worker.blueprint.settings.stopSignal.number)
    }

    /// SIGKILL for all that is known to be the worker's.
    func kill(_ id: WorkerID) {
        guard let worker = workers[id] else { return }
        signalTree(of: worker, Signal.kill.number)
    }

    /// Signals the worker, if it lives, and everything below it. A number is signalled only while it
    /// can belong to nobody else: our own children are not reaped in between, and for others a pidfd
    /// is opened before the process is looked at once more.
    private func signalTree(of worker: RunningWorker, _ number: Int32) {
        let roots = worker.hasExited ? worker.orphans.sorted() : [worker.pid]
        let below = roots.flatMap { ProcessTree.descendants(of: $0) }
        if worker.hasExited {
            for pid in roots { signal(pid, number, of: worker) }
        } else {
            signalIgnoringExit(worker, number)
        }
        let tree = Set(roots + below)
        for pid in below {
            do throws(SystemCallError) {
                let process = try ProcessDescriptor.open(pid: pid)
                guard let status = ProcessStatus.read(pid),
                    tree.contains(status.parent) || worker.owns(pid)
                else { continue }
                try process.signal(number)
            } catch {
                continue
            }
        }
        if !worker.hasExited { signalGroup(of: worker, number) }
    }

    private func signal(_ pid: Int32, _ number: Int32, of worker: RunningWorker) {
        do throws(SystemCallError) {
            try ProcessDescriptor.open(pid: pid).signal(number)
        } catch {
            log.write(
                line(.warning, "signal-failed", worker).with("process", pid)
                    .with("error", error.description))
        }
    }

    /// The group holds its number as long as the worker is not reaped.
    private func signalGroup(of worker: RunningWorker, _ number: Int32) {
        do throws(SystemCallError) {
            try ProcessGroup.signal(worker.pid, number)
        } catch {
            // The worker had not made its group yet, or left it.
            return
        }
    }
}
