import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// A worker that finds no new connections any more and is watched until those that it has are idle,
/// or that got its stop-signal and is watched for what it does with its requests.
struct DrainWatch {
    enum Phase {
        /// It drains. Exits: `relaxed`, `signalled`, or the end of the watch.
        case strict
        /// It drains, and counts as idle while no request is known to be in flight. Exits: `signalled`,
        /// or the end of the watch.
        case relaxed
        /// It got the stop-signal while requests were in flight.
        case signalled(StopWitness)
    }

    var phase = Phase.strict
    var nextLook: Instant
    /// The connections that it had at the last look.
    var open: Int?
    var reuse = ReuseWitness()
    /// How often threads were interrupted that waited to accept a connection.
    var interruptions = 0

    var isDraining: Bool {
        if case .signalled = phase { return false }
        return true
    }
}

/// Draining workers.
///
/// What is seen of a program that runs is over by the time that a signal arrives: it may have taken
/// the next request of a connection. To stop it meanwhile (SIGSTOP) would not help, because whatever
/// arrives before its end is lost then too; and a stopped group forgets which thread takes the
/// signal (signal(7)), so that a main thread waiting for it may never wake.
extension Master {
    private static let lookAtDrainAfter = TimeSpan.milliseconds(50)
    private static let mostInterruptions = 20
    private static let lookForMomentAfter = TimeSpan.milliseconds(5)
    /// Where the kernel's tables are long, looks take no larger part of the master's time than this.
    private static let restPerLook: Int64 = 20
    private static let restPerMoment: Int64 = 4

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
            log.write(LogLine(.warning, "page-failed", worker).with("error", error.description))
            tell(id, .undrainable)
            return
        }
        drains[worker.serial] = DrainWatch(nextLook: now)
    }

    /// From now on any moment without a known request will do.
    func relaxDrain(_ id: WorkerID) {
        guard let worker = workers[id], drains[worker.serial]?.isDraining == true else { return }
        drains[worker.serial]?.phase = .relaxed
        drains[worker.serial]?.nextLook = now
    }

    /// Whether the library is where connections are accepted, and there are figures for all of them,
    /// as there are not for those of unix sockets.
    private func isDrainable(_ worker: RunningWorker) -> Bool {
        let listeners = worker.blueprint.listeners
        guard let library = worker.blueprint.adoption.library, !listeners.isEmpty,
            listeners.allSatisfy({ !$0.socket.isUnix })
        else { return false }
        let inodes = Set(listeners.map(\.socket.identity.inode))
        let budget = SampleBudget.ofConnections()
        do throws(SystemCallError) {
            var holders: [Int32] = []
            for pid in worker.tree
            where try !ProcessSockets.inodes(of: pid, within: budget)
                .isDisjoint(with: inodes)
            {
                holders.append(pid)
            }
            return ProcessMaps.contain("/" + PreloadLibrary.fileName(library), in: holders)
                == true
        } catch {
            return false
        }
    }

    func lookAtDrains() {
        let began = now
        var due: [RunningWorker] = []
        for (serial, watch) in drains where watch.nextLook <= began {
            if let worker = workers[serial: serial] { due.append(worker) }
        }
        guard !due.isEmpty else { return }
        lazy var tables = connections(of: Set(due.flatMap(ports)))
        for worker in due.sorted(by: { $0.serial < $1.serial }) {
            judge(worker) { tables }
        }
        let spent = (now - began).nanoseconds
        for worker in due {
            guard let phase = drains[worker.serial]?.phase else { continue }
            let isInterrupting = drains[worker.serial].map { $0.interruptions > 0 } ?? false
            let (pause, rest) =
                switch phase {
                case .strict where isInterrupting:
                    (Master.lookForMomentAfter, Master.restPerLook)
                case .strict: (Master.lookAtDrainAfter, Master.restPerLook)
                case .relaxed, .signalled: (Master.lookForMomentAfter, Master.restPerMoment)
                }
            drains[worker.serial]?.nextLook =
                now + max(pause, TimeSpan(nanoseconds: spent * rest))
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
        guard let watch = drains[worker.serial] else { return }
        let tree = worker.tree
        let held: [HeldConnection]?
        do throws(SystemCallError) {
            held = try connections(of: worker, tree, tables: tables)
        } catch {
            held = nil
        }
        switch watch.phase {
        case .signalled(var witness):
            guard let held else { return endDrain(of: worker) }
            let hasFinished = witness.saw(open: Set(held.map(\.inode)), at: now)
            drains[worker.serial]?.phase = .signalled(witness)
            if hasFinished { tell(worker.id, .finishedRequests) }
            if witness.remaining.isEmpty { endDrain(of: worker) }
        case .strict, .relaxed:
            guard let held else { return tell(worker.id, .undrainable) }
            drains[worker.serial]?.open = held.count
            watchReuse(of: held, by: worker, tree)
            if isIdle(held, worker, tree), !interruptsAccepting(worker, tree) {
                tell(worker.id, .drained)
            }
        }
    }

    private func isIdle(_ held: [HeldConnection], _ worker: RunningWorker, _ tree: [Int32]) -> Bool
    {
        let busy = held.filter { $0.use != .idle }
        if case .relaxed? = drains[worker.serial]?.phase {
            return !busy.contains { $0.use == .inFlight || $0.use == .unclear }
        }
        guard !busy.isEmpty else { return true }
        // What may be in flight is finished by such a program. A long request is waited for
        // nevertheless: the program may have a limit of its own.
        if service.member(worker.id.pool)?.pool.finishesRequests == true {
            return !busy.contains { $0.use == .inFlight }
        }
        guard busy.allSatisfy({ $0.use == .quiet || $0.use == .unclear }) else { return false }
        // A thread that waits for the client is at no response.
        let threads = BlockedThreads(of: tree, listeners: [])
        return busy.allSatisfy { threads.read.contains($0.inode) }
    }

    /// Whether threads waited to accept a connection and were interrupted. A thread that was in
    /// accept(2) before the worker began to drain would still take one, maybe with the stop-signal.
    private func interruptsAccepting(_ worker: RunningWorker, _ tree: [Int32]) -> Bool {
        guard let watch = drains[worker.serial],
            watch.interruptions < Master.mostInterruptions
        else { return false }
        let listeners = Set(worker.blueprint.listeners.map(\.socket.identity.inode))
        let threads = BlockedThreads(of: tree, listeners: listeners).acceptors
        guard threads.count(where: { $0.interrupt() }) > 0 else { return false }
        drains[worker.serial]?.interruptions += 1
        return true
    }

    /// A program that does not handle the stop-signal could do nothing with more time.
    private func watchReuse(
        of held: [HeldConnection], by worker: RunningWorker, _ tree: [Int32]
    ) {
        guard var reuse = drains[worker.serial]?.reuse, !reuse.isReused else { return }
        for connection in held {
            reuse.saw(
                connection.inode,
                ReuseWitness.Traffic(
                    sent: connection.segmentsSent, received: connection.segmentsReceived))
        }
        drains[worker.serial]?.reuse = reuse
        let number = worker.blueprint.settings.stopSignal.number
        if reuse.isReused, tree.contains(where: { ProcessSignals.handles(number, $0) }) {
            tell(worker.id, .reusesConnections)
        }
    }

    /// The kernel's tables are read only where the worker's sockets can't be asked. Nil where those do
    /// not tell either.
    private func connections(
        of worker: RunningWorker, _ tree: [Int32], tables: () -> PortConnections?
    ) throws(SystemCallError) -> [HeldConnection]? {
        let budget = SampleBudget.ofConnections()
        // There may never be a moment without a request on any of many connections, but there is one on
        // each of them.
        let isRelaxed = if case .relaxed? = drains[worker.serial]?.phase { true } else { false }
        if let held = try HeldConnections.list(
            of: tree, ports: Set(ports(of: worker)), within: budget, endsAnswered: isRelaxed)
        {
            return held
        }
        let own = Set(worker.blueprint.listeners.map(\.socket.identity.inode))
        // Listeners of another network namespace are not in our tables, nor are their connections.
        guard let tables = tables(), own.isSubset(of: tables.listeners) else { return nil }
        var held: Set<UInt64> = []
        for pid in tree { held.formUnion(try ProcessSockets.inodes(of: pid, within: budget)) }
        return tables.connections(among: held)
    }

    /// Watches on whom the program before this one watched.
    func resumeDrains() {
        for worker in workers.bySerial.values.sorted(by: { $0.serial < $1.serial }) {
            guard let drain = core.worker(worker.id),
                drain.isDraining
            else { continue }
            self.drain(worker.id)
            if drain.isDrainRelaxed { relaxDrain(worker.id) }
        }
    }

    /// Sends a worker that was drained its stop-signal. What its program does with requests in flight
    /// is watched, for its successors.
    func endDrain(of worker: RunningWorker, bySignal number: Int32) {
        let waiting = drains[worker.serial] == nil ? [] : connectionsInFlight(of: worker)
        endDrain(of: worker)
        signalIgnoringExit(worker, number)
        guard !waiting.isEmpty else { return }
        drains[worker.serial] = DrainWatch(
            phase: .signalled(StopWitness(waiting: waiting, at: now)),
            nextLook: now + Master.lookForMomentAfter)
    }

    private func connectionsInFlight(of worker: RunningWorker) -> Set<UInt64> {
        guard !ports(of: worker).isEmpty else { return [] }
        do throws(SystemCallError) {
            let held = try connections(of: worker, worker.tree) { nil }
            let waiting = (held ?? []).filter { $0.use == .inFlight || $0.use == .unclear }
            return Set(waiting.map(\.inode))
        } catch {
            return []
        }
    }

    /// Before the end of a worker is told: its program ended by itself, and connections waited still.
    func judgeStop(of worker: RunningWorker) {
        guard case .signalled(let witness)? = drains[worker.serial]?.phase, !worker.wasKilled,
            worker.orphans.isEmpty, witness.hasDropped
        else { return }
        tell(worker.id, .droppedRequests)
    }

    /// The end of the watch.
    func endDrain(of worker: RunningWorker) {
        drains[worker.serial] = nil
    }
}
