import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Writes the output of workers with `output = prefix` to the master's stderr.
///
/// Neither the master nor a worker may depend on the reader of stderr: the master never blocks, and
/// drops what it cannot write for a long time. Each turn of the loop reads a limited amount, so
/// that output delays nothing else.
final class OutputRelay: Expiring {
    /// The maximum number of bytes that wait for stderr.
    private static let mostPending = 1 << 20
    /// The maximum number of bytes that one turn of the loop reads.
    private static let bytesPerTurn = 1 << 19
    /// The maximum number of reads from the pipe of an exited worker.
    private static let readsAtExit = 32
    /// The longest time for which workers wait for stderr with `output-overflow = block`.
    private static let longestBlock = TimeSpan.seconds(10)
    /// The number and the length of the waits for stderr before the master exits.
    private static let attemptsAtEnd = 20
    private static let millisecondsAtEnd: Int32 = 10
    /// The maximum number of log bytes that wait for stderr.
    private static let logBacklog = 65_536

    private let writer: LogWriter
    private let poll: EventPoll
    private let log: Log
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: OutputPipe.pieceBytes, alignment: 16)
    /// Lines that wait for stderr, from `head` on.
    private var pending: [UInt8] = []
    private var head = 0
    /// Workers that wait until `pending` is shorter.
    private var paused: [WorkerOutput] = []
    private var isWatchingWriter = false
    /// The time since which stderr has accepted no data.
    private var stuckSince: Instant?
    /// Whether workers no longer wait, until stderr accepts data.
    private var hasGivenUp = false
    private var leftInTurn = OutputRelay.bytesPerTurn
    /// The number of lines dropped so far.
    private(set) var droppedLines: UInt64 = 0
    private var reportedDrops: UInt64 = 0
    private var hasReportedFailure = false

    init(_ log: Log, in poll: EventPoll) {
        writer = log.standardErrorWriter
        self.poll = poll
        self.log = log
    }

    deinit {
        buffer.deallocate()
    }

    private var waitingBytes: Int { pending.count - head }

    /// Starts reading this output.
    func watch(_ output: WorkerOutput?) throws(SystemCallError) {
        guard let output, !output.isWatched, !output.hasEnded else { return }
        // Log lines come before output, which could otherwise keep stderr full.
        writer.backlogBytes = OutputRelay.logBacklog
        try poll.add(
            output.pipe.rawValue, .readable, token: Master.Token.output | output.serial)
        output.isWatched = true
    }

    /// Reads a part of the available output. The epoll set reports the rest in the next turn.
    func read(_ output: WorkerOutput, at now: Instant) {
        guard output.isWatched, leftInTurn > 0 else { return }
        if output.blocks, !hasGivenUp, waitingBytes >= OutputRelay.mostPending {
            unwatch(output)
            paused.append(output)
            return
        }
        if take(output) == .end { unwatch(output) }
        flush(at: now)
    }

    /// Reads all output of an exited worker, so that it precedes the report of its exit.
    func drain(_ output: WorkerOutput?, at now: Instant) {
        guard let output else { return }
        for _ in 0..<OutputRelay.readsAtExit {
            guard !output.hasEnded, case .bytes = take(output) else { break }
        }
        if output.hasEnded { unwatch(output) }
        append(for: output) { output.finish(to: &$0) }
        flush(at: now)
    }

    /// Reads the remaining output of a worker without remaining processes.
    func close(_ output: WorkerOutput?, at now: Instant) {
        guard let output else { return }
        drain(output, at: now)
        unwatch(output)
        paused.removeAll { $0 === output }
    }

    /// Prepares the wait of the loop: the next turn reads again, and stderr is watched while output
    /// waits.
    func settle() {
        leftInTurn = OutputRelay.bytesPerTurn
        watchWriter()
    }

    /// Writes waiting output before the master exits. A slow reader has only a short time.
    func finish(at now: Instant) {
        for _ in 0..<OutputRelay.attemptsAtEnd {
            flush(at: now)
            guard waitingBytes > 0 || writer.hasBacklog else { return }
            writer.waitUntilWritable(milliseconds: OutputRelay.millisecondsAtEnd)
        }
    }

    /// Handles that stderr accepts data.
    func writable(at now: Instant) {
        flush(at: now)
        watchWriter()
    }

    var deadline: Instant? {
        paused.isEmpty ? nil : stuckSince.map { $0 + OutputRelay.longestBlock }
    }

    func expire(at now: Instant) {
        hasGivenUp = true
        resumePaused()
    }

    private func take(_ output: WorkerOutput) -> OutputPipe.Piece {
        let piece = output.pipe.read(into: buffer)
        switch piece {
        case .bytes(let count):
            leftInTurn -= count
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            append(for: output) { output.take(bytes, to: &$0) }
        case .empty: break
        case .end: output.hasEnded = true
        }
        return piece
    }

    /// Adds lines, or drops them if too many wait.
    private func append(for output: WorkerOutput, _ add: (inout [UInt8]) -> Void) {
        let isFull = waitingBytes >= OutputRelay.mostPending
        let before = pending.count
        add(&pending)
        guard isFull, !output.blocks || hasGivenUp else { return }
        drop(from: before)
    }

    private func drop(from index: Int) {
        droppedLines += UInt64(pending[index...].count { $0 == UInt8(ascii: "\n") })
        pending.removeSubrange(index...)
    }

    private func flush(at now: Instant) {
        guard waitingBytes > 0 || writer.hasBacklog else { return }
        if waitingBytes == 0 { return writer.flush() }
        let count = pending[head...].withUnsafeBytes { writer.write(lines: $0) }
        head += count
        if count > 0 {
            stuckSince = nil
            hasGivenUp = false
            hasReportedFailure = false
        } else if writer.isFailing {
            drop(from: head)
            reportFailure()
        } else if stuckSince == nil {
            stuckSince = now
        }
        compact()
        if waitingBytes < OutputRelay.mostPending / 2 { resumePaused() }
    }

    private func compact() {
        if waitingBytes == 0 {
            pending.removeAll(keepingCapacity: pending.capacity <= OutputRelay.bytesPerTurn)
            head = 0
            stuckSince = nil
            reportDrops()
        } else if head > OutputRelay.mostPending / 2 {
            pending.removeFirst(head)
            head = 0
        }
    }

    private func reportDrops() {
        let count = droppedLines - reportedDrops
        guard count > 0, !writer.isFailing else { return }
        reportedDrops = droppedLines
        log.write(
            LogLine(.warning, "output-dropped").with("lines", count)
                .with("message", "stderr did not take the workers' output fast enough"))
    }

    /// The reader of stderr has exited, or its disk is full.
    private func reportFailure() {
        guard !hasReportedFailure else { return }
        hasReportedFailure = true
        log.write(
            LogLine(.error, "output-lost").with(
                "message", "stderr cannot be written; the workers' output is dropped until it can"))
    }

    private func watchWriter() {
        let isNeeded = waitingBytes > 0 || writer.hasBacklog
        guard isNeeded != isWatchingWriter else { return }
        guard isNeeded else {
            isWatchingWriter = false
            return poll.unwatch(writer.rawValue)
        }
        do throws(SystemCallError) {
            try poll.add(writer.rawValue, .writable, token: Master.Token.standardError)
            isWatchingWriter = true
        } catch {
            // A file on a disk does not become full temporarily, as a pipe does.
            drop(from: head)
            compact()
        }
    }

    private func unwatch(_ output: WorkerOutput) {
        guard output.isWatched else { return }
        output.isWatched = false
        poll.unwatch(output.pipe.rawValue)
    }

    private func resumePaused() {
        let outputs = paused
        paused = []
        for output in outputs {
            do throws(SystemCallError) {
                try watch(output)
            } catch {
                // Out of memory; the output is read when the worker exits.
                continue
            }
        }
    }
}

extension OutputRelay {
    /// The output that waits for stderr, for another program of this process. The text is a
    /// `SystemText`.
    struct State: Codable {
        var pending: String
        var droppedLines: UInt64
    }

    var state: State {
        State(
            pending: SystemText.text(writer.backlog + pending[head...]), droppedLines: droppedLines)
    }

    /// Continues with the waiting output of another program of this process.
    func resume(_ state: State) {
        pending = SystemText.bytes(state.pending)
        droppedLines = state.droppedLines
        reportedDrops = state.droppedLines
    }
}
