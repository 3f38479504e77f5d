import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Reaps children: workers, the processes that they left behind, and processes of nobody that came
/// to the master because it is a subreaper (PR_SET_CHILD_SUBREAPER(2const)) or process 1.
final class Reaper: Expiring {
    /// All of it, for another program of this process to continue with. The orphans come from the
    /// workers.
    struct State: Codable {
        /// Children that belong to no worker. They are not inspected again.
        var unrelated: Set<Int32> = []
        var exited = ExitedProcesses()
    }

    private let core: Core
    let workers: WorkerTable
    let starter: Starter
    private let output: OutputRelay
    private let poll: EventPoll
    private let log: Log
    private let cgroup: Cgroup
    /// The parts of the master that have other children.
    private let owners: [any ChildOwner]
    private let children = ChildList()
    private(set) var state = State()
    /// The maximum number of times that exited children are reaped at once.
    private static let mostRounds = 20
    /// The time without an exit of unknown owner after which a tree is known to have ended. A
    /// process that lives for less than a millisecond is rarely seen alive, and the list of
    /// children may omit it (proc_pid_task(5)), but its exit is seen.
    private static let confirmation = TimeSpan.milliseconds(10)
    /// The longest time for which the report of an ended tree is postponed, because processes of
    /// others may exit all the time. SIGKILL is repeated every second, and only then processes that
    /// create others all the time are searched for, which may take several attempts.
    private static let longestPostponement = TimeSpan.seconds(15)
    /// The workers of which nothing is left except, possibly, a child of an exited child, and since
    /// when that report is postponed.
    private var unconfirmed: [UInt64: Instant] = [:]
    /// The time of the last exit of unknown owner.
    private var lastUnassignedExit: Instant?
    /// The time at which the postponed reports are reconsidered.
    private(set) var deadline: Instant?
    /// Processes that ended workers left behind, with the serial of the worker.
    private var orphans: [Int32: UInt64] = [:]
    /// What detects that the kernel killed for memory, once there is a worker.
    private var memoryKills: MemoryKills?
    /// Reads the count of a worker, and reports it to the core.
    var readCount: (RunningWorker) -> Void = { _ in }
    /// Called before the end of a worker is reported.
    var willReportExit: (RunningWorker) -> Void = { _ in }
    /// Closes the descriptors of a worker without remaining processes.
    var release: (RunningWorker) -> Void = { _ in }
    /// Lets a child that was just started run first.
    var yieldToChild: () -> Void = {}

    init(
        core: Core, workers: WorkerTable, starter: Starter, output: OutputRelay, poll: EventPoll,
        log: Log, cgroup: Cgroup, owners: [any ChildOwner]
    ) {
        self.core = core
        self.workers = workers
        self.starter = starter
        self.output = output
        self.poll = poll
        self.log = log
        self.cgroup = cgroup
        self.owners = owners
    }

    /// Continues with the children of another program of this process.
    func resume(_ state: State) {
        self.state = state
        let now = Instant.now
        for worker in workers.bySerial.values {
            for pid in worker.orphans { orphans[pid] = worker.serial }
            if worker.hasExited, worker.orphans.isEmpty { unconfirmed[worker.serial] = now }
        }
    }

    /// The processes of workers that ended lately.
    var exited: ExitedProcesses { state.exited }

    /// Records the process of a worker that has ended.
    func record(_ id: WorkerID, pid: Int32, output: String?) {
        state.exited.add(id, pid: pid, output: output)
    }

    /// Forgets a pool that has ended.
    func forget(pool: Int) { state.exited.forget(pool: pool) }

    /// Reaps every child that has exited.
    func reap() {
        var ended: [(worker: RunningWorker, status: ChildStatus)] = []
        var shrunk: Set<UInt64> = []
        for _ in 0..<Reaper.mostRounds {
            let isComplete = reap(&ended, &shrunk)
            guard !isComplete else { break }
        }
        for (worker, status) in ended { reportExit(of: worker, status) }
        deadline = nil
        let serials = shrunk.union(unconfirmed.keys).sorted()
        guard !serials.isEmpty else { return }
        let now = Instant.now
        let isQuiet = lastUnassignedExit.map { $0 + Reaper.confirmation <= now } ?? true
        let mayMissChild = !isQuiet || hasUnassignedExit
        for serial in serials { reportTreeIfGone(serial, mayMissChild: mayMissChild, at: now) }
        if !unconfirmed.isEmpty { deadline = now + Reaper.confirmation }
    }

    /// Reconsiders the postponed reports.
    func expire(at now: Instant) {
        guard let deadline, deadline <= now else { return }
        reap()
    }

    /// Reaps the children that have exited by now, and assigns their orphans. Returns whether the
    /// owner of every child is known: a child that has exited since shows its owner no longer, and
    /// its own children become ours only after it is reaped.
    private func reap(
        _ ended: inout [(worker: RunningWorker, status: ChildStatus)], _ shrunk: inout Set<UInt64>
    ) -> Bool {
        let before = (ended.count, shrunk.count)
        var hasUnknown = false
        do throws(SystemCallError) {
            while let child = try ChildProcesses.nextExited() {
                if let worker = workers[pid: child.pid] ?? starter.worker(ofExited: child.pid) {
                    readCount(worker)
                    starter.read(serial: worker.serial)
                    starter.forget(worker)
                    output.drain(worker.output, at: .now)
                    worker.hasExited = true
                    workers.forgetProcess(of: worker)
                    ended.append((worker, child.status))
                } else if let owner = orphans.removeValue(forKey: child.pid) {
                    workers[serial: owner]?.orphans.remove(child.pid)
                    shrunk.insert(owner)
                } else if let owner = owners.first(where: { $0.owns(child.pid) }) {
                    owner.ended(child.pid, child.status)
                } else if state.unrelated.remove(child.pid) == nil {
                    // Its orphans may belong to a worker.
                    hasUnknown = true
                    lastUnassignedExit = .now
                }
                try ChildProcesses.reap(child.pid)
            }
        } catch {
            preconditionFailure("our own children can be waited for: \(error)")
        }
        guard before != (ended.count, shrunk.count) || hasUnknown else { return true }
        assignOrphans(of: ended.map(\.worker))
        return !hasUnassignedExit
    }

    /// Whether a child of unknown owner can be reaped. The state Z does not imply it: a process
    /// whose main thread has exited has this state as long as its other threads run.
    private var hasUnassignedExit: Bool {
        unknownChildren().contains(where: ChildProcesses.hasExited)
    }

    /// Assigns the children of ended processes, which are ours by the time the end is known. Their
    /// group identifies the worker while its number belongs to it, and so does the nonce.
    private func assignOrphans(of ended: [RunningWorker]) {
        let unknown = unknownChildren()
        guard !unknown.isEmpty else { return }
        let leaders = Dictionary(
            ended.compactMap { worker in worker.pid.map { ($0, worker) } }
        ) { first, _ in first }
        for pid in unknown {
            let group = ProcessStatus.read(pid)?.group
            if let owner = group.flatMap({ leaders[$0] ?? workers[pid: $0] }) {
                assign(pid, to: owner)
                continue
            }
            switch ProcessEnvironment.value(of: pid, ContractVariable.id) {
            case .known(let text?) where starter.awaitsProcess && MoldPlan.isUnnamed(text):
                // A worker that has not reported to the master yet.
                continue
            case .known(let text):
                let named = text.flatMap(Nonce.init).flatMap { workers[nonce: $0] }
                if let owner = named ?? holder(of: pid, among: ended) {
                    assign(pid, to: owner)
                } else if !starter.awaitsProcess {
                    state.unrelated.insert(pid)
                }
            case .unknown:
                // Temporarily after exec, or permanently if there is no environment.
                if let owner = holder(of: pid, among: ended) { assign(pid, to: owner) }
            }
        }
    }

    /// The children that belong to nobody as far as is known.
    func unknownChildren() -> [Int32] {
        children.numbers().filter { !isKnown($0) }
    }

    /// Whether it is known what a child belongs to.
    func isKnown(_ pid: Int32) -> Bool {
        workers[pid: pid] != nil || orphans[pid] != nil || state.unrelated.contains(pid)
            || owners.contains { $0.owns(pid) }
    }

    /// Assigns an orphan to the worker that left it behind.
    func assign(_ pid: Int32, to owner: RunningWorker) {
        orphans[pid] = owner.serial
        owner.orphans.insert(pid)
    }

    /// The serial of the worker that left this process behind.
    func owner(ofOrphan pid: Int32) -> UInt64? { orphans[pid] }

    private func reportExit(of worker: RunningWorker, _ status: ChildStatus) {
        if let failure = worker.startFailure {
            core.enqueue(worker.id, .startFailed(failure))
            release(worker)
            return
        }
        if status == .exited(0), !worker.orphans.isEmpty { explainDaemon(worker) }
        willReportExit(worker)
        if let requests = worker.requestsInFlight(atItsEnd: true) {
            core.enqueue(worker.id, .endedDuring(requests))
        }
        core.enqueue(
            worker.id, .exited(exit(of: worker, status), leavesTree: !worker.orphans.isEmpty))
    }

    /// Explains a program that exits with status 0 before it is ready and continues in another
    /// process. It does so at every start.
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

    private func exit(of worker: RunningWorker, _ status: ChildStatus) -> ExitStatus {
        exit(of: worker.wasKilled ? nil : worker.pid, status)
    }

    /// Attributes a SIGKILL to the kernel, if it killed for memory. A shell reports that of its
    /// program by 128 more. `pid` is nil if the master sent one.
    func exit(of pid: Int32?, _ status: ChildStatus) -> ExitStatus {
        let kill = Signal.kill.number
        switch status {
        case .exited(let code):
            let isOurs = code == 128 + kill && pid.map { memoryKills?.claim(below: $0) } == true
            return isOurs ? .outOfMemory : .code(code)
        case .signaled(let number, coreDumped: _):
            let isOurs = number == kill && pid.map { memoryKills?.claim($0) } == true
            return isOurs ? .outOfMemory : .signal(Signal(number: number))
        }
    }

    /// Starts counting the kernel's kills. This takes some time, in which the first worker can run.
    func watchForMemoryKills() {
        guard memoryKills == nil else { return }
        yieldToChild()
        let kills = MemoryKills(cgroup)
        memoryKills = kills
        guard let watch = kills.watch else { return }
        do throws(SystemCallError) {
            try poll.add(watch.descriptor, watch.interest, token: Master.Token.memoryKills)
        } catch {
            // A file that cannot be watched reports nothing, as in a sandbox with its own /sys.
            return
        }
    }

    /// A worker is about to be started: kills before that are not of it.
    func willStartWorker() { memoryKills?.forget() }

    /// The kernel reported that it killed for memory.
    func acknowledgeMemoryKills() { memoryKills?.acknowledge() }

    private func reportTreeIfGone(_ serial: UInt64, mayMissChild: Bool, at now: Instant) {
        let since = unconfirmed.removeValue(forKey: serial) ?? now
        guard let worker = workers[serial: serial], worker.hasExited, worker.orphans.isEmpty
        else { return }
        // Its last process may have created the child of that one.
        guard !mayMissChild || now - since >= Reaper.longestPostponement else {
            unconfirmed[serial] = since
            return
        }
        core.enqueue(worker.id, .treeGone)
        release(worker)
    }
}
