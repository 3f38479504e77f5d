import SuperviseCore
import SuperviseLinux

/// The kernel's side of one mold.
final class RunningMold {
    let id: MoldID
    /// What the epoll set knows it by.
    let serial: UInt64
    let blueprint: Blueprint
    let process: WorkerProcess
    let socket: MessageSocket
    /// The pipe that reports a failed start with other credentials.
    let errorPipe: OwnedDescriptor?
    /// Its output, if the master reads it.
    let output: WorkerOutput?
    /// The number of its socket in its own process.
    let socketNumber: Int32
    /// Whether its socket is still read.
    var isConnected = true
    /// Whether it has reported that it is warm.
    var hasReported = false
    /// Whether the master sent it SIGKILL.
    var wasKilled = false
    private var orders: UInt64

    init(
        id: MoldID, serial: UInt64, blueprint: Blueprint, spawned: SpawnedProcess,
        socket: MessageSocket, socketNumber: Int32, output: WorkerOutput?
    ) {
        self.id = id
        self.serial = serial
        self.blueprint = blueprint
        process = WorkerProcess(pid: spawned.pid, descriptor: spawned.process)
        errorPipe = spawned.errorPipe
        self.socket = socket
        self.socketNumber = socketNumber
        self.output = output
        output?.pid = process.pid
        orders = 0
    }

    /// The source of the output of a pool's molds: `web/mold`.
    static func source(_ blueprint: Blueprint) -> String { "\(blueprint.settings.name)/mold" }

    /// A mold that another program of this process started.
    init(
        resuming state: MasterState.RunningMold, blueprint: Blueprint
    ) throws(SystemCallError) {
        id = state.id
        serial = state.serial
        self.blueprint = blueprint
        process = WorkerProcess(
            pid: state.process.pid,
            descriptor: ProcessDescriptor(try HandedDescriptors.take(state.process.descriptor)))
        socket = MessageSocket(try HandedDescriptors.take(state.socket))
        if let pipe = state.errorPipe {
            errorPipe = OwnedDescriptor(try HandedDescriptors.take(pipe))
        } else {
            errorPipe = nil
        }
        output = try state.output.map { (output) throws(SystemCallError) in
            try WorkerOutput(
                resuming: output, serial: state.serial, source: RunningMold.source(blueprint))
        }
        output?.pid = process.pid
        socketNumber = state.socketNumber
        isConnected = state.isConnected
        hasReported = state.hasReported
        wasKilled = state.wasKilled
        orders = state.orders
    }

    func state(recipe: Int) -> MasterState.RunningMold {
        MasterState.RunningMold(
            id: id, serial: serial, recipe: recipe,
            process: .init(pid: process.pid, descriptor: process.descriptor.rawValue),
            socket: socket.rawValue, errorPipe: errorPipe?.rawValue, output: output?.state,
            socketNumber: socketNumber,
            isConnected: isConnected, hasReported: hasReported, wasKilled: wasKilled,
            orders: orders)
    }

    /// Its resident memory, which includes what workers share with it; nil if it cannot be read.
    var residentBytes: UInt64? {
        do throws(SystemCallError) {
            return try ProcessMemory.residentBytes(of: process.pid)
        } catch {
            return nil
        }
    }

    func nextOrder() -> UInt64 {
        orders += 1
        return orders
    }
}

/// The running molds, found by identity, by process and by the epoll set's number.
final class MoldTable: ChildOwner {
    private(set) var bySerial: [UInt64: RunningMold] = [:]
    /// The last molds that have ended, for the notices about their ends.
    private var ended: [(id: MoldID, pid: Int32, output: String?)] = []
    private static let mostEnded = 16
    /// Handles the end of a mold.
    var hasEnded: (RunningMold, ChildStatus) -> Void = { _, _ in }

    func add(_ mold: RunningMold) {
        bySerial[mold.serial] = mold
    }

    func remove(_ mold: RunningMold) {
        bySerial[mold.serial] = nil
        ended.append((mold.id, mold.process.pid, mold.output?.tail.text))
        ended.removeFirst(max(0, ended.count - MoldTable.mostEnded))
    }

    /// The process of a mold that runs, or ended lately.
    func pid(of id: MoldID) -> Int32? {
        self[id]?.process.pid ?? ended.last { $0.id == id }?.pid
    }

    func owns(_ pid: Int32) -> Bool { self[pid: pid] != nil }

    func ended(_ pid: Int32, _ status: ChildStatus) {
        if let mold = self[pid: pid] { hasEnded(mold, status) }
    }

    /// The final output of a mold that runs, or ended lately; nil if there is none.
    func output(of id: MoldID) -> String? {
        let text = self[id].map { $0.output?.tail.text } ?? ended.last { $0.id == id }?.output
        return text?.isEmpty == false ? text : nil
    }

    /// The final output of the last mold of a generation; nil if there is none.
    func output(ofPool pool: Int, generation: Int) -> String? {
        let ids = ended.map(\.id) + bySerial.keys.sorted().compactMap { bySerial[$0]?.id }
        return ids.last { $0.pool == pool && $0.generation == generation }
            .flatMap { output(of: $0) }
    }

    func residentBytes(ofPool pool: Int) -> UInt64 {
        bySerial.values.filter { $0.id.pool == pool }.compactMap(\.residentBytes).reduce(0, +)
    }

    subscript(serial serial: UInt64) -> RunningMold? { bySerial[serial] }
    subscript(id: MoldID) -> RunningMold? { bySerial.values.first { $0.id == id } }
    subscript(pid pid: Int32) -> RunningMold? {
        bySerial.values.first { $0.process.pid == pid }
    }
}
