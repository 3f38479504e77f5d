import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The end of processes: our workers, what they left behind, and strangers that came to us because
/// the master is a subreaper (PR_SET_CHILD_SUBREAPER(2const)) or pid 1.
extension Master {
    func reap() {
        var ended: [(worker: RunningWorker, status: ChildStatus)] = []
        var shrunk: Set<UInt64> = []
        var hasUnknown = false
        do throws(SystemCallError) {
            while let child = try ChildProcesses.nextExited() {
                if let worker = workers[pid: child.pid] ?? starter.worker(ofExited: child.pid) {
                    readCount(of: worker)
                    starter.read(serial: worker.serial)
                    starter.forget(worker)
                    output.drain(worker.output, at: now)
                    worker.hasExited = true
                    workers.forgetProcess(of: worker)
                    ended.append((worker, child.status))
                } else if let owner = orphans.removeValue(forKey: child.pid) {
                    workers[serial: owner]?.orphans.remove(child.pid)
                    shrunk.insert(owner)
                } else if let command = commands.ended(child.pid) {
                    commandEnded(command, child.status)
                } else if observer.owns(child.pid) {
                    observer.ended(child.pid)
                } else if strangers.remove(child.pid) == nil {
                    // Whatever it left may be a worker's.
                    hasUnknown = true
                }
                try ChildProcesses.reap(child.pid)
            }
        } catch {
            preconditionFailure("our own children can be waited for: \(error)")
        }
        guard !ended.isEmpty || !shrunk.isEmpty || hasUnknown else { return }
        adoptOrphans(of: ended.map(\.worker))
        for (worker, status) in ended { tellEnd(of: worker, status) }
        for serial in shrunk.sorted() { tellTreeIfGone(serial) }
    }

    /// The children of a process that ended are ours by the time that we hear of its end. Whose they
    /// are is told by the group, as long as its number belongs to the worker, and by the nonce.
    private func adoptOrphans(of ended: [RunningWorker]) {
        let unknown = children.numbers().filter { !isKnown($0) }
        guard !unknown.isEmpty else { return }
        let leaders = Dictionary(
            ended.compactMap { worker in worker.pid.map { ($0, worker) } }
        ) { first, _ in first }
        for pid in unknown {
            let group = ProcessStatus.read(pid)?.group
            if let owner = group.flatMap({ leaders[$0] ?? workers[pid: $0] }) {
                adopt(pid, for: owner)
                continue
            }
            switch ProcessEnvironment.value(of: pid, ContractVariable.id) {
            case .known(let text):
                if let owner = text.flatMap(Nonce.init).flatMap({ workers[nonce: $0] }) {
                    adopt(pid, for: owner)
                } else if let owner = holder(of: pid, among: ended) {
                    adopt(pid, for: owner)
                } else if !starter.awaitsProcess {
                    strangers.insert(pid)
                }
            case .unknown:
                // For a moment after exec, or for good where there is no environment.
                if let owner = holder(of: pid, among: ended) { adopt(pid, for: owner) }
            }
        }
    }

    /// A daemon that has written over its environment, as nginx does for its title, still holds what its
    /// worker was given: the page, which no other worker has, or at least a listener.
    private func holder(of pid: Int32, among ended: [RunningWorker]) -> RunningWorker? {
        let pages = RequestPage.inodes(heldBy: pid)
        if !pages.isEmpty {
            return workers.bySerial.values.first {
                $0.page.map { pages.contains($0.inode) } ?? false
            }
        }
        do throws(SystemCallError) {
            let sockets = try ProcessSockets.inodes(of: pid)
            return ended.first { worker in
                worker.blueprint.listeners.contains {
                    sockets.contains($0.socket.identity.inode)
                }
            }
        } catch {
            return nil
        }
    }

    func isKnown(_ pid: Int32) -> Bool {
        workers[pid: pid] != nil || orphans[pid] != nil || loader?.pid == pid
            || upgrade?.probe?.pid == pid || commands.owns(pid) || strangers.contains(pid)
            || observer.owns(pid)
    }

    func adopt(_ pid: Int32, for owner: RunningWorker) {
        orphans[pid] = owner.serial
        owner.orphans.insert(pid)
    }

    private func tellEnd(of worker: RunningWorker, _ status: ChildStatus) {
        if let failure = worker.startFailure {
            tell(worker.id, .startFailed(failure))
            release(worker)
            return
        }
        if status == .exited(0), !worker.orphans.isEmpty { explainDaemon(worker) }
        reconsiderAdoption(after: worker)
        if let requests = worker.requestsInFlight(atItsEnd: true) {
            tell(worker.id, .endedDuring(requests))
        }
        tell(worker.id, .exited(exit(of: worker, status), leavesTree: !worker.orphans.isEmpty))
    }

    /// A program that ends well before it is ready, and goes on in a process of its own, will do so again at
    /// every start.
    private func explainDaemon(_ worker: RunningWorker) {
        let known = core.worker(worker.id)
        guard let known, known.readyAt == nil, log.isNew(.daemon(pool: worker.id.pool)) else {
            return
        }
        log.write(
            LogLine(.warning, "daemonized", worker).with(
                "message",
                "the program exited with status 0 before it was ready and left processes running: it "
                    + "daemonizes. Run it in the foreground, with an option such as --foreground, "
                    + "--no-daemon or -F"))
    }

    /// SIGKILL that we did not send may be the kernel's. A shell tells so of its program by 128 more.
    private func exit(of worker: RunningWorker, _ status: ChildStatus) -> ExitStatus {
        let kill = Signal.kill.number
        let pid = worker.wasKilled ? nil : worker.pid
        switch status {
        case .exited(let code):
            let isOurs = code == 128 + kill && pid.map { memoryKills?.claim(below: $0) } == true
            return isOurs ? .outOfMemory : .code(code)
        case .signaled(let number, coreDumped: _):
            let isOurs = number == kill && pid.map { memoryKills?.claim($0) } == true
            return isOurs ? .outOfMemory : .signal(Signal(number: number))
        }
    }

    /// Kills count from now on. To begin with it takes a while, in which the first worker can run.
    func watchForMemoryKills() {
        guard memoryKills == nil else { return }
        rightOfWay.give()
        let kills = MemoryKills(context.cgroup)
        memoryKills = kills
        guard let watch = kills.watch else { return }
        do throws(SystemCallError) {
            try poll.add(watch.descriptor, watch.interest, token: Token.memoryKills)
        } catch {
            // A file that cannot be watched tells nothing, as in a sandbox with its own /sys.
            return
        }
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
        drainer.forget(worker)
        output.close(worker.output, at: now)
        poll.unwatch(worker.notify.rawValue)
        worker.notify.remove()
        starter.forget(worker)
        bindFilters[worker.serial]?.listeners = []
        workers.remove(worker)
    }

    /// The stop-signal for what an ended worker left behind, and for all below.
    func signalOrphans(of id: WorkerID) {
        guard let worker = workers[id] else { return }
        signalTree(of: worker, worker.blueprint.settings.stopSignal.number)
    }

    /// Signals the worker, if it lives, and everything below it. A number is signalled only while it
    /// can belong to nobody else: our own children are not reaped in between, and for others a pidfd
    /// is opened, and the process looked at once more, before any parent of theirs is gone.
    func signalTree(of worker: RunningWorker, _ number: Int32) {
        let roots = worker.roots
        let below = roots.flatMap { ProcessTree.descendants(of: $0) }
        let tree = Set(roots + below)
        // Where descriptors run short, children come before their parents, one at a time.
        var unopened: [Int32] = []
        let processes = below.compactMap { pid in
            verified(pid, in: tree, of: worker) { unopened.append(pid) }
        }
        for pid in unopened.reversed() { signalAtOnce(pid, number, in: tree, of: worker) }
        if !worker.hasExited {
            signalGroup(of: worker, number)
            signalIgnoringExit(worker, number)
        }
        for pid in worker.orphans.sorted() { signal(pid, number, of: worker) }
        for process in processes {
            do throws(SystemCallError) {
                try process.signal(number)
            } catch {
                // It ended with its group or its parent.
                continue
            }
        }
    }

    /// `lacking` is called where there is no descriptor for it.
    func verified(
        _ pid: Int32, in tree: Set<Int32>, of worker: RunningWorker, orElse lacking: () -> Void
    ) -> ProcessDescriptor? {
        do throws(SystemCallError) {
            let process = try ProcessDescriptor.open(pid: pid)
            return belongs(pid, to: tree, of: worker) ? process : nil
        } catch  where error.kind == .noDescriptor {
            lacking()
            return nil
        } catch {
            // It ended since it was listed.
            return nil
        }
    }

    private func belongs(_ pid: Int32, to tree: Set<Int32>, of worker: RunningWorker) -> Bool {
        guard let status = ProcessStatus.read(pid) else { return false }
        return tree.contains(status.parent) || status.group == worker.pid
    }

    private func signalAtOnce(
        _ pid: Int32, _ number: Int32, in tree: Set<Int32>, of worker: RunningWorker
    ) {
        do throws(SystemCallError) {
            try ProcessDescriptor.signal(pid: pid, number) {
                belongs(pid, to: tree, of: worker)
            }
        } catch {
            // It ended since it was listed.
            return
        }
    }

    func signal(_ pid: Int32, _ number: Int32, of worker: RunningWorker) {
        do throws(SystemCallError) {
            try ProcessDescriptor.signal(pid: pid, number)
        } catch {
            signalFailed(worker, .warning, error, process: pid)
        }
    }

    /// The group holds its number as long as the worker is not reaped.
    private func signalGroup(of worker: RunningWorker, _ number: Int32) {
        guard let pid = worker.livingPID else { return }
        do throws(SystemCallError) {
            try ProcessGroup.signal(pid, number)
        } catch {
            // The worker had not made its group yet, or left it.
            return
        }
    }
}
