import SuperviseCore
import SuperviseLinux

/// An object that starts the processes of a pool's workers.
protocol Launcher: AnyObject {
    /// Begins a start. If it throws, no process and no descriptor is left.
    func launch(_ request: LaunchRequest) throws(StartError) -> BegunStart
}

/// The parameters of one worker's process.
struct LaunchRequest {
    let blueprint: Blueprint
    /// The whole environment, as `KEY=VALUE`.
    let environment: [String]
    let arguments: [String]
    /// The descriptors that become 3, 4, 5 and so on.
    let descriptors: [Int32]
    /// The destination of stdout and stderr.
    var output = SpawnOutput.inherited
}

/// A process of a worker.
struct WorkerProcess {
    let pid: Int32
    let descriptor: ProcessDescriptor
}

/// The result of beginning a start.
struct BegunStart {
    /// The process, if it exists already.
    var process: WorkerProcess?
    /// The rest of the start; nil if the program already runs.
    var pending: (any PendingStart)?
    /// The source of the filter on the worker's bind(2) once the program runs, if it gets one.
    var filterChannel: BindFilterChannel?
}

/// The part of a start that is not known yet. While a start is pending, its worker may have no
/// process. Releasing a pending start without a process cancels it.
protocol PendingStart: AnyObject {
    /// The descriptor that becomes readable when there is news.
    var descriptor: Int32 { get }
    /// The time at which the start is abandoned; nil if it is limited only by its process.
    var deadline: Instant? { get }
    /// The failure of a start whose channel ended without a report, which is reported at the
    /// deadline; nil otherwise. If its mold has ended, that explains it and is reported before.
    var unexplainedFailure: StartFailure? { get }
    /// The pending start for another program of this process.
    var state: MasterState.PendingStart { get }

    /// Reads new reports.
    func read() -> StartProgress
    /// Lets a process run its program that `read` has created. Called once the master knows it.
    func proceed()
    /// Extends the deadline by a time in which nothing could run.
    func shiftDeadline(by span: TimeSpan)
}

/// What a pending start has reported.
enum StartProgress {
    /// Nothing new.
    case pending
    /// The process exists, and its program does not run yet.
    case created(WorkerProcess)
    /// The program runs, or its process has ended before. The start is no longer pending.
    case running
    /// The descriptor has ended. The start fails later.
    case ended
    /// The start failed and is no longer pending. A process that was created exits.
    case failed(StartFailure)
}

/// Runs the command: fork(2) and execve(2).
final class ExecLauncher: Launcher {
    private let plan: SpawnPlan

    init(_ plan: SpawnPlan) {
        self.plan = plan
    }

    func launch(_ request: LaunchRequest) throws(StartError) -> BegunStart {
        do throws(SpawnFailure) {
            let spawned = try plan.spawn(
                environment: request.environment, arguments: request.arguments,
                descriptors: request.descriptors, output: request.output,
                filtersToo: request.blueprint.filtersToo)
            return BegunStart(
                process: WorkerProcess(pid: spawned.pid, descriptor: spawned.process),
                pending: spawned.errorPipe.map { PendingExec($0, request.blueprint) },
                filterChannel: spawned.filterChannel)
        } catch {
            throw StartError(error, of: request.blueprint)
        }
    }
}

/// The exec of a process with other credentials, which reports its outcome over a pipe.
final class PendingExec: PendingStart {
    private let pipe: OwnedDescriptor
    private let blueprint: Blueprint

    init(_ pipe: OwnedDescriptor, _ blueprint: Blueprint) {
        self.pipe = pipe
        self.blueprint = blueprint
    }

    var descriptor: Int32 { pipe.rawValue }

    /// Nil: the process exists and can be killed, so the deadlines of the worker are enough.
    var deadline: Instant? { nil }
    var unexplainedFailure: StartFailure? { nil }

    func shiftDeadline(by span: TimeSpan) {}

    var state: MasterState.PendingStart { .exec(pipe: pipe.rawValue) }

    func proceed() {}

    func read() -> StartProgress {
        switch SpawnPlan.readFailure(from: pipe) {
        case .pending: .pending
        case .running: .running
        case .failed(let failure): .failed(failure.startFailure(of: blueprint))
        }
    }
}

extension MasterState.PendingStart {
    /// The pending start that another program of this process began.
    func resume(_ blueprint: Blueprint) throws(SystemCallError) -> any PendingStart {
        switch self {
        case .exec(let pipe):
            PendingExec(OwnedDescriptor(try HandedDescriptors.take(pipe)), blueprint)
        case .forked(let channel, let deadline):
            PendingFork(MoldChannel(try HandedDescriptors.take(channel)), deadline: deadline)
        }
    }
}
