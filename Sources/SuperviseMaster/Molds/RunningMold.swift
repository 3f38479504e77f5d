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
    /// The number of its socket in its own process.
    let socketNumber: Int32
    /// Whether its socket is still read.
    var isConnected = true
    private var orders: UInt64

    init(
        id: MoldID, serial: UInt64, blueprint: Blueprint, spawned: SpawnedProcess,
        socket: MessageSocket, socketNumber: Int32
    ) {
        self.id = id
        self.serial = serial
        self.blueprint = blueprint
        process = WorkerProcess(pid: spawned.pid, descriptor: spawned.process)
        errorPipe = spawned.errorPipe
        self.socket = socket
        self.socketNumber = socketNumber
        orders = 0
    }

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
        socketNumber = state.socketNumber
        isConnected = state.isConnected
        orders = state.orders
    }

    func state(recipe: Int) -> MasterState.RunningMold {
        MasterState.RunningMold(
            id: id, serial: serial, recipe: recipe,
            process: .init(pid: process.pid, descriptor: process.descriptor.rawValue),
            socket: socket.rawValue, errorPipe: errorPipe?.rawValue, socketNumber: socketNumber,
            isConnected: isConnected, orders: orders)
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
    private(set) var lastSerial: UInt64 = 0
    /// The processes of the last molds that ended, which the log names.
    private var ended: [(id: MoldID, pid: Int32)] = []
    private static let mostEnded = 16
    /// Handles the end of a mold.
    var hasEnded: (RunningMold, ChildStatus) -> Void = { _, _ in }

    func nextSerial() -> UInt64 {
        lastSerial += 1
        return lastSerial
    }

    func add(_ mold: RunningMold) {
        bySerial[mold.serial] = mold
        lastSerial = max(lastSerial, mold.serial)
    }

    func remove(_ mold: RunningMold) {
        bySerial[mold.serial] = nil
        ended = ended.suffix(MoldTable.mostEnded - 1) + [(mold.id, mold.process.pid)]
    }

    /// The process of a mold, also of one that ended lately.
    func pid(of id: MoldID) -> Int32? {
        self[id]?.process.pid ?? ended.last { $0.id == id }?.pid
    }

    func owns(_ pid: Int32) -> Bool { self[pid: pid] != nil }

    func ended(_ pid: Int32, _ status: ChildStatus) {
        if let mold = self[pid: pid] { hasEnded(mold, status) }
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
