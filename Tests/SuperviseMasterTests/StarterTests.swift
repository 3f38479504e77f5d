import Glibc
import SuperviseLinux
import SuperviseSettings
import SuperviseState
import Testing

@testable import SuperviseCore
@testable import SuperviseMaster

/// Starts that complete later: what happens while the worker has no process, or its program does not
/// run yet.
@Suite(.serialized) struct StarterTests {
    /// A start that reports what the test lets it report.
    private final class Reported: PendingStart {
        let reader: Pipe.Reader
        var writer: OwnedDescriptor?
        var deadline: Instant?
        var reports: [StartProgress] = []
        private(set) var unexplainedFailure: StartFailure?

        init() throws {
            (reader, writer) = try Pipe.make()
        }

        var descriptor: Int32 { reader.rawValue }
        var state: MasterState.PendingStart { .exec(pipe: reader.rawValue) }

        func proceed() {}

        func shiftDeadline(by span: TimeSpan) { deadline = deadline.map { $0 + span } }

        func read() -> StartProgress {
            let report = reports.isEmpty ? .pending : reports.removeFirst()
            if case .ended = report {
                unexplainedFailure = StartFailure(step: "fork", message: "no", isTransient: true)
            }
            return report
        }
    }

    private final class OnRequest: Launcher {
        let start: Reported

        init(_ start: Reported) {
            self.start = start
        }

        func launch(_ request: LaunchRequest) throws(StartError) -> BegunStart {
            BegunStart(process: nil, pending: start)
        }
    }

    private static let now = Instant(nanoseconds: 1_000_000_000)

    private let core: Core
    private let workers = WorkerTable()
    private let poll: EventPoll
    private let starter: Starter
    private let pending: Reported
    private let id: WorkerID
    private let order: StartOrder
    private let blueprint: Blueprint

    /// A pool of one worker, whose start is pending and has created no process.
    init() throws {
        let configuration = try Configuration(
            canonicalText: Array("[pool web]\ncommand = sleep 60\n".utf8))
        let settings = configuration.pools[0]
        let context = ProcessContext(
            environment: ["PATH=/usr/bin:/bin"], openFilesLimit: nil, library: PreloadLibrary.find()
        )
        pending = try Reported()
        blueprint = try Blueprint(
            settings, listeners: [], account: nil, context: context, launcher: OnRequest(pending))
        poll = try EventPoll()
        core = Core(
            Service(
                [.init(name: "web", policy: blueprint.policy, dropsListeners: false)], seed: 1))
        let launch = Launch(arguments: [], overrides: Overrides(), environment: [])
        let log = try Log(configuration.master)
        starter = Starter(
            core: core, workers: workers, poll: poll, log: log, output: OutputRelay(log, in: poll),
            notifyFolders: NotifyFolders(launch))
        starter.release = { [workers, starter] worker in
            starter.forget(worker)
            workers.remove(worker)
        }
        core.enqueue(.start)
        let actions = core.handleAll(at: Self.now)
        let starts = actions.compactMap { action in
            if case .perform(.start(let id, let order)) = action { (id, order) } else { nil }
        }
        (id, order) = try #require(starts.first)
        try starter.start(id, order, blueprint)
    }

    private var worker: RunningWorker {
        get throws { try #require(workers[id]) }
    }

    private func spawn() throws -> WorkerProcess {
        let spawned = try SpawnPlan(arguments: ["/bin/sleep", "60"], searchPath: nil)
            .spawn(environment: [])
        return WorkerProcess(pid: spawned.pid, descriptor: spawned.process)
    }

    private func end(_ process: WorkerProcess) throws {
        try process.descriptor.signal(Signal.kill.number)
        process.descriptor.waitForExit(milliseconds: 10_000)
        try ChildProcesses.reap(process.pid)
    }

    @Test func aWorkerIsKnownBeforeItHasAProcess() throws {
        #expect(try worker.pid == nil)
        #expect(starter.awaitsProcess)
        #expect(core.handleAll(at: Self.now).isEmpty)
        starter.read(serial: try worker.serial)
        #expect(core.isSettled)
    }

    @Test func theProcessComesFirstAndThenTheProgram() throws {
        let process = try spawn()
        pending.reports = [.created(process), .running]
        let worker = try worker
        starter.read(serial: worker.serial)
        #expect(workers[pid: process.pid] === worker)
        #expect(!starter.awaitsProcess)
        #expect(core.isSettled)
        starter.read(serial: worker.serial)
        #expect(worker.pendingStart == nil)
        #expect(!core.isSettled)
        _ = core.handleAll(at: Self.now)
        #expect(core.worker(id)?.hasProgram == true)
        try end(process)
    }

    @Test func aStopCancelsAStartWithoutAProcess() throws {
        core.enqueue(.stop(.graceful))
        let signals = core.handleAll(at: Self.now).filter { action in
            if case .perform(.signal(id, .stop)) = action { true } else { false }
        }
        #expect(signals.count == 1)
        #expect(starter.cancel(try worker))
        #expect(workers[id] == nil)
        #expect(starter.deadline == nil)
        let ends = core.handleAll(at: Self.now).filter { action in
            if case .exit = action { true } else { false }
        }
        #expect(ends.count == 1)
    }

    @Test func aStopDoesNotCancelAStartWithAProcess() throws {
        let process = try spawn()
        pending.reports = [.created(process)]
        starter.read(serial: try worker.serial)
        #expect(!starter.cancel(try worker))
        #expect(workers[id] != nil)
        try end(process)
    }

    @Test func aStartThatDoesNotReportInTimeFails() throws {
        pending.deadline = Self.now + .seconds(5)
        #expect(starter.deadline == Self.now + .seconds(5))
        starter.expire(at: Self.now + .seconds(4))
        #expect(workers[id] != nil)
        starter.expire(at: Self.now + .seconds(5))
        #expect(workers[id] == nil)
        #expect(starter.deadline == nil)
        _ = core.handleAll(at: Self.now + .seconds(5))
        #expect(core.worker(id) == nil)
    }

    @Test func lostTimeDoesNotCount() throws {
        pending.deadline = Self.now + .seconds(5)
        starter.shiftDeadlines(by: .seconds(6))
        starter.expire(at: Self.now + .seconds(10))
        #expect(workers[id] != nil)
        starter.expire(at: Self.now + .seconds(11))
        #expect(workers[id] == nil)
    }

    /// The exit of the mold explains it, and is reported to the core first.
    @Test func aStartWhoseMoldEndedFailsAfterTheMold() throws {
        pending.deadline = Self.now + .seconds(5)
        pending.reports = [.ended]
        starter.read(serial: try worker.serial)
        #expect(workers[id] != nil && core.isSettled)
        starter.moldEnded()
        #expect(workers[id] == nil)
        _ = core.handleAll(at: Self.now)
        #expect(core.worker(id) == nil)
    }

    @Test func aStartWhoseChannelEndedFailsAtItsDeadline() throws {
        pending.deadline = Self.now + .seconds(5)
        pending.reports = [.ended]
        starter.read(serial: try worker.serial)
        starter.expire(at: Self.now + .seconds(4))
        #expect(workers[id] != nil)
        starter.expire(at: Self.now + .seconds(5))
        #expect(workers[id] == nil)
    }

    /// Its end is reported once the process is reaped, or the core would start another beside it.
    @Test func aProcessWhoseProgramDoesNotRunInTimeIsKilled() throws {
        let process = try spawn()
        pending.reports = [.created(process)]
        pending.deadline = Self.now + .seconds(5)
        starter.read(serial: try worker.serial)
        starter.expire(at: Self.now + .seconds(5))
        process.descriptor.waitForExit(milliseconds: 10_000)
        try ChildProcesses.reap(process.pid)
        #expect(try worker.startFailure != nil)
        #expect(core.isSettled)
    }

    /// SIGCHLD may be served before the descriptor over which the process was reported.
    @Test func anExitFindsItsWorkerBeforeTheReportWasRead() throws {
        let process = try spawn()
        pending.reports = [.created(process)]
        #expect(starter.worker(ofExited: process.pid) === (try worker))
        #expect(starter.worker(ofExited: process.pid + 1) == nil)
        try end(process)
    }

    /// The next program finds out by the same pipe whether the program of the worker runs.
    @Test func anUpgradeContinuesWithAPendingStart() throws {
        let process = try spawn()
        pending.reports = [.created(process)]
        let old = try worker
        starter.read(serial: old.serial)
        var state = try State.decode(
            MasterState.RunningWorker.self, from: State.encode(old.state(recipe: 0)))
        // Both programs are this process, and each closes its own.
        func duplicate(_ number: Int32) -> Int32 { fcntl(number, F_DUPFD_CLOEXEC, 3) }
        state.notify = duplicate(state.notify)
        state.page = state.page.map(duplicate)
        state.process?.descriptor = duplicate(process.descriptor.rawValue)
        state.pendingStart = .exec(pipe: duplicate(pending.descriptor))
        starter.forget(old)
        workers.remove(old)

        let next = try RunningWorker(resuming: state, blueprint: blueprint)
        workers.add(next)
        try starter.watch(next)
        #expect(next.pid == process.pid && !next.hasExited)
        #expect(!starter.awaitsProcess)
        starter.read(serial: next.serial)
        #expect(next.pendingStart != nil && core.isSettled)
        // The pipe is closed on exec.
        pending.writer = nil
        starter.read(serial: next.serial)
        #expect(next.pendingStart == nil)
        _ = core.handleAll(at: Self.now)
        #expect(core.worker(id)?.hasProgram == true)
        try end(process)
    }

    @Test func aFailureWithoutAProcessIsReportedAtOnce() throws {
        pending.reports = [.failed(StartFailure(step: "fork", message: "no", isTransient: true))]
        starter.read(serial: try worker.serial)
        #expect(workers[id] == nil)
        _ = core.handleAll(at: Self.now)
        #expect(core.worker(id) == nil)
    }
}

extension Core {
    fileprivate func handleAll(at now: Instant) -> [Service.Action] {
        var all: [Service.Action] = []
        while let actions = handleNext(at: now, keptCapacity: 64) { all += actions }
        return all
    }
}
