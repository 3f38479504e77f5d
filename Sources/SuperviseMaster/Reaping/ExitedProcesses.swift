import SuperviseControl
import SuperviseCore

/// The processes of workers that exited recently, so that the ledger of exits can name them.
struct ExitedProcesses: Codable {
    /// The number of exits per pool whose whole final output is kept.
    private static let keptOutputs = 10

    private struct Entry: Codable {
        let id: WorkerID
        let pid: Int32
        /// The final output, if the worker failed; later only its last line.
        var output: String?
    }

    private var recent: [Int: [Entry]] = [:]

    mutating func add(_ id: WorkerID, pid: Int32, output: String?) {
        var list = recent[id.pool] ?? []
        if list.count >= 2 * History.ledgerLength { list.removeFirst(History.ledgerLength) }
        list.append(Entry(id: id, pid: pid, output: output))
        let withOutput = list.indices.filter { list[$0].output != nil }
        if withOutput.count > ExitedProcesses.keptOutputs {
            let index = withOutput[withOutput.count - ExitedProcesses.keptOutputs - 1]
            list[index].output = list[index].output?.lastLine
        }
        recent[id.pool] = list
    }

    func process(of id: WorkerID) -> StatusReport.Process? {
        guard let entry = recent[id.pool]?.last(where: { $0.id == id }) else { return nil }
        return StatusReport.Process(pid: entry.pid, text: nil, finalOutput: entry.output)
    }

    /// Returns the last output line of the pool's last exited worker.
    func lastLine(pool: Int) -> String? { recent[pool]?.last?.output?.lastLine }

    /// Forgets a pool that has ended.
    mutating func forget(pool: Int) { recent[pool] = nil }
}

extension String {
    /// The last line that is not empty.
    var lastLine: String? {
        utf8.split(separator: UInt8(ascii: "\n")).last.map { String(Substring($0)) }
    }
}
