import SuperviseLinux

/// The output of a worker, or of a command, that the master reads.
final class WorkerOutput {
    let pipe: OutputPipe
    /// The number in the epoll set.
    let serial: UInt64
    /// The source of the output: `web/0`.
    private let source: String
    /// The process; nil while there is none.
    var pid: Int32?
    /// Whether the worker waits if its output cannot be written; otherwise its output is dropped.
    let blocks: Bool
    /// Its lines; nil until the first output.
    fileprivate(set) var lines: PrefixedLines?
    fileprivate(set) var tail: OutputTail
    fileprivate var begun: [UInt8] = []
    /// Whether the epoll set contains the pipe.
    var isWatched = false
    /// Whether no process has the pipe open any longer.
    var hasEnded = false

    init(_ pipe: OutputPipe, serial: UInt64, source: String, blocks: Bool) {
        self.pipe = pipe
        self.serial = serial
        self.source = source
        self.blocks = blocks
        tail = OutputTail()
    }

    /// The state for another program of this process. Texts are of `SystemText`.
    struct State: Codable {
        var number: Int32
        var blocks: Bool
        var begun: String
        var tail: String
        var hasEnded: Bool
    }

    var state: State {
        State(
            number: pipe.rawValue, blocks: blocks,
            begun: SystemText.text(lines?.unfinished ?? begun),
            tail: SystemText.text(tail.lastBytes), hasEnded: hasEnded)
    }

    init(resuming state: State, serial: UInt64, source: String) throws(SystemCallError) {
        self.serial = serial
        self.source = source
        pipe = OutputPipe(resuming: try HandedDescriptors.take(state.number))
        blocks = state.blocks
        begun = SystemText.bytes(state.begun)
        tail = OutputTail(SystemText.bytes(state.tail))
        hasEnded = state.hasEnded
    }

    /// Appends the lines that these bytes complete.
    func take(_ bytes: UnsafeRawBufferPointer, to result: inout [UInt8]) {
        tail.add(bytes)
        if lines == nil { lines = PrefixedLines(prefix: prefix, begun: begun) }
        lines?.add(bytes, to: &result)
    }

    /// Appends the last line if it has no line break.
    func finish(to result: inout [UInt8]) {
        if lines == nil, !begun.isEmpty { lines = PrefixedLines(prefix: prefix, begun: begun) }
        lines?.finish(to: &result)
        begun = []
    }

    /// The beginning of each line.
    private var prefix: String { "[\(source) \(pid.map { "\($0)" } ?? "-")] " }
}
