import SuperviseCore
import SuperviseLinux

/// Forks workers from a mold.
final class ForkLauncher: Launcher {
    /// A start order without a process after this time is cancelled.
    private static let orderTimeout = TimeSpan.seconds(5)
    /// The maximum number of a worker's descriptors. An order passes three more: its content, the
    /// channel and the output.
    static let mostDescriptors = MessageSocket.mostDescriptors - 3
    private let mold: RunningMold
    private let now: () -> Instant

    init(_ mold: RunningMold, now: @escaping () -> Instant) {
        self.mold = mold
        self.now = now
    }

    func launch(_ request: LaunchRequest) throws(StartError) -> BegunStart {
        do throws(SystemCallError) {
            let (channel, other) = try MoldChannel.make()
            let order = MoldOrder(
                number: mold.nextOrder(), parent: ThisProcess.pid,
                deathSignal: request.blueprint.settings.stopSignal.number,
                arguments: request.arguments, environment: request.environment)
            let file = try MemoryFile(name: "supervise-order", order.bytes)
            let output = try Output(request.output)
            defer { withExtendedLifetime((other, file, output)) {} }
            do throws(SystemCallError) {
                try mold.socket.send(
                    Array((output.number == nil ? "START" : "START OUTPUT").utf8),
                    [file.rawValue, other.rawValue] + (output.number.map { [$0] } ?? [])
                        + request.descriptors,
                    waits: false)
            } catch  where error.kind == .disconnected {
                // The mold has closed its socket and probably ends. The channel ends as well.
            }
            return BegunStart(
                process: nil,
                pending: PendingFork(channel, deadline: now() + ForkLauncher.orderTimeout))
        } catch {
            throw StartError(
                StartFailure(step: "mold", message: error.message, isTransient: true))
        }
    }
}

/// Where the output of a forked worker goes.
private struct Output {
    /// The descriptor for it; nil if the worker inherits the one of the mold.
    let number: Int32?
    private var null: OwnedDescriptor?

    init(_ output: SpawnOutput) throws(SystemCallError) {
        switch output {
        case .inherited: number = nil
        case .descriptor(let descriptor): number = descriptor
        case .null:
            let null = OwnedDescriptor(try EmptyFile.open())
            number = null.rawValue
            self.null = null
        case .file: preconditionFailure("a file for the output conflicts with a mold")
        }
    }
}

/// A worker that a mold was asked to fork. Releasing it closes the channel, and a worker whose
/// channel is closed before it may proceed exits.
final class PendingFork: PendingStart {
    private let channel: MoldChannel
    /// Nil once there is a process: `ready-timeout` applies to that.
    private(set) var deadline: Instant?
    private(set) var unexplainedFailure: StartFailure?
    /// The time in which the exit of a mold is noticed after it has closed its descriptors.
    private static let exitDelay = TimeSpan.milliseconds(100)

    init(_ channel: MoldChannel, deadline: Instant?) {
        self.channel = channel
        self.deadline = deadline
    }

    private var hasProcess: Bool { deadline == nil }

    var descriptor: Int32 { channel.rawValue }

    var state: MasterState.PendingStart {
        .forked(channel: channel.rawValue, deadline: deadline)
    }

    func shiftDeadline(by span: TimeSpan) { deadline = deadline.map { $0 + span } }

    func read() -> StartProgress {
        guard unexplainedFailure == nil else { return .pending }
        do throws(SystemCallError) {
            switch try channel.receive() {
            case .nothing: return .pending
            case .end where hasProcess: return .running
            case .end: return ended()
            case .message(.here, let pid) where !hasProcess: return try created(pid)
            case .message(.failed(let step, let message), _): return failure(step, message)
            case .message(let message, _):
                return failure("mold", "the mold violates the protocol: \(message)")
            }
        } catch {
            return failure("mold", error.description)
        }
    }

    /// A mold that ends closes the channels of its orders before its exit is noticed.
    private func ended() -> StartProgress {
        unexplainedFailure = StartFailure(
            step: "fork", message: "the worker ended before it reported to the master",
            isTransient: true)
        let soon = Instant.now + PendingFork.exitDelay
        deadline = deadline.map { min($0, soon) }
        return .ended
    }

    /// The pid of a child is not reused before the master reaps it, so the pidfd is that of the
    /// sender.
    private func created(_ pid: Int32) throws(SystemCallError) -> StartProgress {
        guard ChildProcesses.include(pid) else {
            return failure(
                "mold", "process \(pid) reported as the worker but is no child of the master")
        }
        deadline = nil
        return .created(
            WorkerProcess(pid: pid, descriptor: try ProcessDescriptor.open(pid: pid)))
    }

    /// Called once the worker is in the master's tables.
    func proceed() {
        do throws(SystemCallError) {
            try channel.proceed()
        } catch {
            // It has exited, and the channel ends.
            return
        }
    }

    private func failure(_ step: String, _ message: String) -> StartProgress {
        .failed(StartFailure(step: step, message: message, isTransient: true))
    }
}
