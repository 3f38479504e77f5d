import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// A worker that finds no new connections any more, and is watched until those that it has are idle.
struct DrainWatch {
    enum Phase {
        /// It runs. Exits: `stopping` (no connection is in use).
        case running
        /// Its processes got SIGSTOP. Exits: `running`, or the end of the watch.
        case stopping(until: Instant)
    }

    var phase = Phase.running
    var nextLook: Instant
    /// The connections that it had at the last look.
    var open: Int?
    /// What got SIGSTOP and has to get SIGCONT, by number.
    var stopped: [Int32: ProcessDescriptor] = [:]
}

/// Emptying workers. A look at a program that runs tells of a moment that is over: it may take the
/// next request of a connection before a signal arrives. So it is stopped, looked at once more, and
/// gets the stop-signal before it goes on.
extension Master {
    private static let lookAtDrainAfter = TimeSpan.milliseconds(50)
    /// Where the kernel's tables are long, looks take no larger part of the master's time than this.
    private static let restPerLook: Int64 = 20
    private static let lookAtStopAfter = TimeSpan.milliseconds(1)
    /// A process that waits for a disk, or in a frozen control group, does not stop before it goes on.
    private static let stopWithin = TimeSpan.milliseconds(100)

    var nextLookAtDrains: Instant? { drains.values.map(\.nextLook).min() }

    /// Closes the worker to new connections and begins to watch those that it has.
    func drain(_ id: WorkerID) {
        guard let worker = workers[id] else { return }
        guard isDrainable(worker), let page = worker.page else {
            tell(id, .undrainable)
            return
        }
        do throws(SystemCallError) {
            try page.closeToNewConnections()
        } catch {
            log.write(line(.warning, "page-failed", worker).with("error", error.description))
            tell(id, .undrainable)
            return
        }
        drains[worker.serial] = DrainWatch(nextLook: now)
    }

    /// Whether the library is where connections are accepted, and there are figures for all of them,
    /// as there are not for those of unix sockets.
    private func isDrainable(_ worker: RunningWorker) -> Bool {
        let listeners = worker.blueprint.listeners
        guard worker.blueprint.adoption.library != nil, !listeners.isEmpty,
            listeners.allSatisfy({ !$0.socket.isUnix })
        else { return false }
        let inodes = Set(listeners.map(\.socket.identity.inode))
        do throws(SystemCallError) {
            var holders: [Int32] = []
            for pid in tree(of: worker)
            where try !ProcessSockets.inodes(of: pid).isDisjoint(with: inodes) {
                holders.append(pid)
            }
            return ProcessMaps.contain("/" + PreloadLibrary.name, in: holders) == true
        } catch {
            return false
        }
    }

    /// The worker, if it lives, what it left behind, and all below, parents first.
    func tree(of worker: RunningWorker) -> [Int32] {
        let roots = (worker.hasExited ? [] : [worker.pid]) + worker.orphans.sorted()
        return roots + roots.flatMap { ProcessTree.descendants(of: $0) }
    }

    func lookAtDrains() {
        let now = now
        var due: [RunningWorker] = []
        for (serial, watch) in drains where watch.nextLook <= now {
            guard let worker = workers[serial: serial] else { continue }
            drains[serial]?.nextLook = now + Master.lookAtDrainAfter
            switch watch.phase {
            case .running: due.append(worker)
            case .stopping(let until): if isStopped(worker, until: until) { due.append(worker) }
            }
        }
        guard !due.isEmpty else { return }
        lazy var tables = connections(of: Set(due.flatMap(ports)))
        for worker in due.sorted(by: { $0.serial < $1.serial }) {
            judge(worker) { tables }
        }
        let rest = TimeSpan(nanoseconds: (self.now - now).nanoseconds * Master.restPerLook)
        for worker in due {
            guard case .running = drains[worker.serial]?.phase else { continue }
            drains[worker.serial]?.nextLook = now + max(Master.lookAtDrainAfter, rest)
        }
    }

    private func ports(of worker: RunningWorker) -> [UInt16] {
        worker.blueprint.listeners.compactMap(\.socket.port)
    }

    private func connections(of ports: Set<UInt16>) -> PortConnections? {
        guard let diagnosis else { return nil }
        do throws(SystemCallError) {
            return try PortConnections(ports: ports, diagnosis)
        } catch {
            // What is left of the answer would be taken for that to the next question.
            self.diagnosis = openDiagnosis()
            return nil
        }
    }

    /// One look at all that the worker has open.
    private func judge(_ worker: RunningWorker, tables: () -> PortConnections?) {
        do throws(SystemCallError) {
            guard let count = try connections(of: worker, tables: tables) else {
                tell(worker.id, .undrainable)
                return
            }
            drains[worker.serial]?.open = count.open
            guard count.busy == 0 else { return goOn(worker) }
        } catch {
            tell(worker.id, .undrainable)
            return
        }
        switch drains[worker.serial]?.phase {
        case .stopping: tell(worker.id, .drained)
        case .running: beginToStop(worker)
        case nil: break
        }
    }

    /// The kernel's tables are read only where the worker's sockets can't be asked. Nil where those do
    /// not tell either.
    private func connections(
        of worker: RunningWorker, tables: () -> PortConnections?
    ) throws(SystemCallError) -> ConnectionCount? {
        let tree = tree(of: worker)
        if let count = try HeldConnections.count(of: tree, ports: Set(ports(of: worker))) {
            return count
        }
        let own = Set(worker.blueprint.listeners.map(\.socket.identity.inode))
        // Listeners of another network namespace are not in our tables, nor are their connections.
        guard let tables = tables(), own.isSubset(of: tables.listeners) else { return nil }
        var held: Set<UInt64> = []
        for pid in tree { held.formUnion(try ProcessSockets.inodes(of: pid)) }
        return tables.count(among: held)
    }

    private func beginToStop(_ worker: RunningWorker) {
        drains[worker.serial]?.phase = .stopping(until: now + Master.stopWithin)
        drains[worker.serial]?.nextLook = now + Master.lookAtStopAfter
        if !stop(tree(of: worker), of: worker) { tell(worker.id, .undrainable) }
    }

    /// Whether all stand still, also those that were born meanwhile.
    private func isStopped(_ worker: RunningWorker, until: Instant) -> Bool {
        let tree = tree(of: worker)
        guard stop(tree, of: worker) else {
            tell(worker.id, .undrainable)
            return false
        }
        if tree.allSatisfy({ StoppedProcesses.isStopped($0) }) { return true }
        if now < until {
            drains[worker.serial]?.nextLook = now + Master.lookAtStopAfter
        } else {
            goOn(worker)
        }
        return false
    }

    /// SIGSTOP to those that did not get it yet; false where one may not get it.
    private func stop(_ tree: [Int32], of worker: RunningWorker) -> Bool {
        for pid in tree where drains[worker.serial]?.stopped[pid] == nil {
            guard let process = descriptor(of: pid, in: Set(tree), worker) else { continue }
            do throws(SystemCallError) {
                try process.signal(Signal.stop.number)
            } catch  where error.kind == .noSuchProcess {
                continue
            } catch {
                return false
            }
            drains[worker.serial]?.stopped[pid] = process
        }
        return true
    }

    private func descriptor(
        of pid: Int32, in tree: Set<Int32>, _ worker: RunningWorker
    ) -> ProcessDescriptor? {
        if pid == worker.pid, !worker.hasExited { return worker.process }
        guard worker.orphans.contains(pid) else {
            return verified(pid, in: tree, of: worker) {}
        }
        do throws(SystemCallError) {
            return try ProcessDescriptor.open(pid: pid)
        } catch {
            return nil
        }
    }

    /// SIGCONT to what was stopped; it is watched on.
    private func goOn(_ worker: RunningWorker) {
        for process in (drains[worker.serial]?.stopped ?? [:]).values {
            do throws(SystemCallError) {
                try process.signal(Signal.continue.number)
            } catch {
                // It was killed, or may not be signalled any more.
                continue
            }
        }
        drains[worker.serial]?.stopped = [:]
        drains[worker.serial]?.phase = .running
    }

    /// Nobody stands still while this program makes way for another one.
    func goOnAfterDrainLooks() {
        for serial in drains.keys.sorted() {
            if let worker = workers[serial: serial] { goOn(worker) }
        }
    }

    /// Watches on whom the program before this one watched.
    func resumeDrains() {
        for worker in workers.bySerial.values.sorted(by: { $0.serial < $1.serial })
        where service.member(worker.id.pool)?.pool.worker(worker.id)?.isDraining == true {
            drain(worker.id)
        }
    }

    /// The end of the watch: the signals that it waited for were sent, and find it running.
    func endDrain(of worker: RunningWorker) {
        guard drains[worker.serial] != nil else { return }
        goOn(worker)
        drains[worker.serial] = nil
    }
}
