import SuperviseCore
import SuperviseLinux

/// The kernel's side of one worker: its process, its descriptors, and the processes that it left
/// behind.
@dynamicMemberLookup
final class RunningWorker {
    /// What another program of this process continues with as it is.
    struct Record: Codable {
        /// Whether its binds are handled from outside as well as by the library.
        let isFilteredToo: Bool
        /// Whether it was ever ready.
        var wasReady = false
        /// Whether its own process was reaped.
        var hasExited = false
        /// Whether the master sent it SIGKILL.
        var wasKilled = false
        /// The reason for which its start failed, although it has a process.
        var startFailure: StartFailure?
        /// Processes of its tree that lost their parent and became our children.
        var orphans: Set<Int32> = []
        /// The text of its last `STATUS=`.
        var statusText: String?
        /// The number of its refused or invalid messages.
        var invalidMessages = 0
        /// Whether the kernel refused to signal it, which is logged once.
        var isSignalRefused = false
        /// Whether there is a `killGroup`.
        var hasKillGroup: Bool?

        init(isFilteredToo: Bool) { self.isFilteredToo = isFilteredToo }
    }

    let id: WorkerID
    /// Its number in the epoll set. It is never reused, so a late readiness matches no worker.
    let serial: UInt64
    let blueprint: Blueprint
    /// Its own process; nil while its start is pending and has not created one.
    fileprivate(set) var process: WorkerProcess?
    /// `SUPERVISE_WORKER_ID`, by which orphans of the worker are identified.
    let nonce: Nonce
    let notify: NotifySocket
    let page: RequestPage?
    /// Its output, if the master reads it.
    let output: WorkerOutput?
    /// The rest of its start, while the program does not run.
    var pendingStart: (any PendingStart)?
    /// The source of its filter on bind(2), until that has arrived.
    var filterChannel: BindFilterChannel?
    private var record: Record
    /// The time from which its ledger records responses as slow; nil if that was not set by this
    /// program of the master.
    var slowTime: TimeSpan?
    /// How often this program of the master sent it SIGKILL.
    var kills = 0
    /// The group in which those of its processes are killed that create others too fast.
    var killGroup: KillGroup? {
        didSet { record.hasKillGroup = killGroup != nil }
    }
    var memory: TreeMemory?
    /// Whether its processes may be sampled: false once a sample was too large, or did not return.
    var isSampled = true
    /// Whether the observer currently samples it.
    var isBeingObserved = false
    /// The time from which the observer may sample it again.
    var observeAgainAt: Instant?
    /// The maximum length of its status in characters.
    static let longestStatus = 120
    /// The recent listener requests of its processes.
    var listenerRequests = RequestsPerSecond()

    subscript<Value>(dynamicMember field: WritableKeyPath<Record, Value>) -> Value {
        get { record[keyPath: field] }
        set { record[keyPath: field] = newValue }
    }

    /// Whether its binds are handled from outside as well as by the library.
    var isFilteredToo: Bool { record.isFilteredToo }
    /// Whether its own process was reaped. Asked of all workers for each sample.
    var hasExited: Bool {
        get { record.hasExited }
        set { record.hasExited = newValue }
    }

    init(
        id: WorkerID, serial: UInt64, blueprint: Blueprint, begun: BegunStart,
        nonce: Nonce, notify: NotifySocket, page: RequestPage?,
        output: WorkerOutput? = nil
    ) {
        self.id = id
        self.serial = serial
        self.blueprint = blueprint
        process = begun.process
        pendingStart = begun.pending
        filterChannel = begun.filterChannel
        record = Record(isFilteredToo: blueprint.filtersToo)
        self.nonce = nonce
        self.notify = notify
        self.page = page
        self.output = output
        output?.pid = process?.pid
    }

    /// Continues with a worker that another program of this process started.
    init(
        resuming state: MasterState.RunningWorker, blueprint: Blueprint
    ) throws(SystemCallError) {
        id = state.id
        serial = state.serial
        self.blueprint = blueprint
        if let known = state.process {
            process = WorkerProcess(
                pid: known.pid,
                descriptor: ProcessDescriptor(try HandedDescriptors.take(known.descriptor)))
        }
        pendingStart = try state.pendingStart?.resume(blueprint)
        nonce = state.nonce
        notify = NotifySocket(
            resuming: try HandedDescriptors.take(state.notify), path: state.notifyPath)
        if let number = state.page {
            page = RequestPage(resuming: try HandedDescriptors.take(number))
        } else {
            page = nil
        }
        output = try state.output.map { (output) throws(SystemCallError) in
            try WorkerOutput(
                resuming: output, serial: state.serial,
                source: "\(blueprint.settings.name)/\(state.id.slot)")
        }
        output?.pid = process?.pid
        if let number = state.filterChannel {
            filterChannel = BindFilterChannel(try HandedDescriptors.take(number))
        }
        record = state.record
    }

    /// The pid of its own process, also after it was reaped; nil while there is none yet.
    var pid: Int32? { process?.pid }

    /// The pid of its own process; nil while there is none.
    var livingPID: Int32? { hasExited ? nil : pid }

    /// Its own process, if it runs, and those that it left behind.
    var roots: [Int32] { [livingPID].compactMap { $0 } + record.orphans.sorted() }

    /// Its own process and its descendants, parents first.
    var processes: [Int32] { livingPID.map { [$0] + ProcessTree.descendants(of: $0) } ?? [] }

    /// The worker, if it runs, the processes that it left behind, and all descendants, parents
    /// first.
    var tree: [Int32] { roots + roots.flatMap { ProcessTree.descendants(of: $0) } }

    /// Returns the state that /proc does not contain, for another program of this process.
    func state(recipe: Int) -> MasterState.RunningWorker {
        MasterState.RunningWorker(
            id: id, serial: serial, recipe: recipe,
            process: process.map { .init(pid: $0.pid, descriptor: $0.descriptor.rawValue) },
            nonce: nonce, notify: notify.rawValue, notifyPath: notify.path, page: page?.rawValue,
            output: output?.state, pendingStart: pendingStart?.state,
            filterChannel: filterChannel?.rawValue, record: record)
    }
}

/// The running workers, indexed by identity, process and epoll number.
final class WorkerTable {
    private(set) var bySerial: [UInt64: RunningWorker] = [:]
    private var serials: [WorkerID: UInt64] = [:]
    private var serialsByPID: [Int32: UInt64] = [:]
    /// The serials of each pool, in ascending order.
    private var serialsByPool: [Int: [UInt64]] = [:]
    private(set) var lastSerial: UInt64 = 0

    /// Continues with the serials after `lastSerial`, the last one of another program of this
    /// process.
    func resume(lastSerial: UInt64) {
        self.lastSerial = lastSerial
    }

    func nextSerial() -> UInt64 {
        lastSerial += 1
        return lastSerial
    }

    func add(_ worker: RunningWorker) {
        bySerial[worker.serial] = worker
        serials[worker.id] = worker.serial
        if let pid = worker.livingPID { serialsByPID[pid] = worker.serial }
        serialsByPool[worker.id.pool, default: []].append(worker.serial)
    }

    func remove(_ worker: RunningWorker) {
        bySerial[worker.serial] = nil
        serials[worker.id] = nil
        serialsByPool[worker.id.pool]?.removeAll { $0 == worker.serial }
        forgetProcess(of: worker)
    }

    /// Gives a worker the process that its pending start has created.
    func setProcess(_ process: WorkerProcess, of worker: RunningWorker) {
        worker.process = process
        worker.output?.pid = process.pid
        serialsByPID[process.pid] = worker.serial
    }

    /// After it is reaped, its pid may be reused.
    func forgetProcess(of worker: RunningWorker) {
        guard let pid = worker.pid, serialsByPID[pid] == worker.serial else { return }
        serialsByPID[pid] = nil
    }

    subscript(serial serial: UInt64) -> RunningWorker? { bySerial[serial] }
    subscript(id: WorkerID) -> RunningWorker? { serials[id].flatMap { bySerial[$0] } }
    /// Scans all workers: this is used only for unknown processes.
    subscript(nonce nonce: Nonce) -> RunningWorker? {
        bySerial.values.first { $0.nonce == nonce }
    }
    subscript(pid pid: Int32) -> RunningWorker? { serialsByPID[pid].flatMap { bySerial[$0] } }

    /// Returns the workers of a pool, by age.
    func ofPool(_ number: Int) -> [RunningWorker] {
        (serialsByPool[number] ?? []).compactMap { bySerial[$0] }
    }

    var isEmpty: Bool { bySerial.isEmpty }
}
