import SuperviseCore
import SuperviseLinux

/// The kernel's side of one worker: its process, its descriptors, and what it left behind.
final class RunningWorker {
    let id: WorkerID
    /// What the epoll set knows it by. Never used twice, so a late readiness finds nobody.
    let serial: UInt64
    let blueprint: Blueprint
    let pid: Int32
    let process: ProcessDescriptor
    /// `SUPERVISE_WORKER_ID`, by which strays of the worker are known.
    let nonce: String
    let notify: NotifySocket
    let page: RequestPage?
    /// Tells whether exec succeeded, while that is not known.
    var errorPipe: OwnedDescriptor?
    /// Where its filter on bind(2) comes from, while that has not come.
    var filterChannel: BindFilterChannel?
    /// Whether its own process was reaped.
    var hasExited = false
    /// Whether it got SIGKILL from us.
    var wasKilled = false
    /// Why the start failed, told by the error pipe.
    var startFailure: SpawnFailure?
    /// Processes of its tree that lost their parent and are our children now.
    var orphans: Set<Int32> = []
    var memory: TreeMemory?
    /// The most characters of its status that are kept.
    static let longestStatus = 120
    /// What it last said by `STATUS=`.
    var statusText: String?
    /// How many of its messages were refused or made no sense.
    var complaints = 0

    init(
        id: WorkerID, serial: UInt64, blueprint: Blueprint, spawned: SpawnedProcess,
        nonce: String, notify: NotifySocket, page: RequestPage?
    ) {
        self.id = id
        self.serial = serial
        self.blueprint = blueprint
        pid = spawned.pid
        process = spawned.process
        errorPipe = spawned.errorPipe
        filterChannel = spawned.filterChannel
        self.nonce = nonce
        self.notify = notify
        self.page = page
    }
}

/// The running workers, found by identity, by process and by the epoll set's number.
struct WorkerTable {
    private(set) var bySerial: [UInt64: RunningWorker] = [:]
    private var serials: [WorkerID: UInt64] = [:]
    private var serialsByPID: [Int32: UInt64] = [:]
    private var serialsByNonce: [String: UInt64] = [:]
    /// The serials of each pool in the order in which they were given out, which is rising.
    private var serialsByPool: [Int: [UInt64]] = [:]
    private var lastSerial: UInt64 = 0

    mutating func nextSerial() -> UInt64 {
        lastSerial += 1
        return lastSerial
    }

    mutating func add(_ worker: RunningWorker) {
        bySerial[worker.serial] = worker
        serials[worker.id] = worker.serial
        serialsByPID[worker.pid] = worker.serial
        serialsByNonce[worker.nonce] = worker.serial
        serialsByPool[worker.id.pool, default: []].append(worker.serial)
    }

    mutating func remove(_ worker: RunningWorker) {
        bySerial[worker.serial] = nil
        serials[worker.id] = nil
        serialsByNonce[worker.nonce] = nil
        serialsByPool[worker.id.pool]?.removeAll { $0 == worker.serial }
        forgetProcess(of: worker)
    }

    /// Its number belongs to nobody once it is reaped.
    mutating func forgetProcess(of worker: RunningWorker) {
        if serialsByPID[worker.pid] == worker.serial { serialsByPID[worker.pid] = nil }
    }

    subscript(serial serial: UInt64) -> RunningWorker? { bySerial[serial] }
    subscript(id: WorkerID) -> RunningWorker? { serials[id].flatMap { bySerial[$0] } }
    subscript(nonce nonce: String) -> RunningWorker? {
        serialsByNonce[nonce].flatMap { bySerial[$0] }
    }
    subscript(pid pid: Int32) -> RunningWorker? { serialsByPID[pid].flatMap { bySerial[$0] } }

    /// The workers of a pool, by age.
    func ofPool(_ number: Int) -> [RunningWorker] {
        (serialsByPool[number] ?? []).compactMap { bySerial[$0] }
    }

    var isEmpty: Bool { bySerial.isEmpty }
}
