import SuperviseCore
import SuperviseLinux

/// What starts the processes of a pool's workers.
protocol Launcher: AnyObject {
    /// Begins a start. If it throws, no process and no descriptor is left.
    func launch(_ request: LaunchRequest) throws(StartError) -> BegunStart
}

/// What one worker's process gets.
struct LaunchRequest {
    let blueprint: Blueprint
    /// The whole environment, as `KEY=VALUE`.
    let environment: [String]
    let arguments: [String]
    /// The descriptors that become 3, 4, 5 and so on.
    let descriptors: [Int32]
    /// Where stdout and stderr go.
    var output = SpawnOutput.inherited
}

/// A process of a worker.
struct WorkerProcess {
    let pid: Int32
    let descriptor: ProcessDescriptor
}

/// What is known of a start once it has begun.
struct BegunStart {
    /// The process, if there is one already.
    var process: WorkerProcess?
    /// What reports the rest; nil if the program runs already.
    var pending: (any PendingStart)?
    /// Where the filter on the worker's bind(2) comes from once the program runs, if it gets one.
    var filterChannel: BindFilterChannel?
}

/// The part of a start that is not known yet. While a start is pending, its worker may have no process.
/// Releasing a pending start without a process cancels it.
protocol PendingStart: AnyObject {
    /// The descriptor that becomes readable once there is something new to read.
    var descriptor: Int32 { get }
    /// The time at which the start is given up; nil if it takes as long as the process lives.
    var deadline: Instant? { get }
    /// The pending start for another program of this process.
    var state: MasterState.PendingStart { get }

    /// Reads what is new.
    func read() -> StartProgress
}

/// What a pending start has reported.
enum StartProgress {
    /// Nothing new.
    case pending
    /// The process exists, and its program does not run yet.
    case created(WorkerProcess)
    /// The program runs, or its process has ended on the way. The start is pending no longer.
    case running
    /// The start failed and is pending no longer. A process that was created exits.
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

    var state: MasterState.PendingStart { .exec(pipe: pipe.rawValue) }

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
        }
    }
}
