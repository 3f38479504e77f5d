import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// A command that the master runs beside its workers. Nobody waits for it; what it started ends with
/// it, and when its time is up.
final class RunningCommand {
    let name: String
    let pid: Int32
    let startedAt: Instant
    let deadline: Instant
    /// The worker that it is about.
    let subject: WorkerID
    var isOverdue = false

    /// All of it, for another program of this process to go on with.
    struct State: Codable {
        var name: String
        var pid: Int32
        var startedAt: Instant
        var deadline: Instant
        var subject: WorkerID
        var isOverdue: Bool
    }

    var state: State {
        State(
            name: name, pid: pid, startedAt: startedAt, deadline: deadline, subject: subject,
            isOverdue: isOverdue)
    }

    init(resuming state: State) {
        name = state.name
        pid = state.pid
        startedAt = state.startedAt
        deadline = state.deadline
        subject = state.subject
        isOverdue = state.isOverdue
    }

    init(_ name: String, pid: Int32, about subject: WorkerID, at now: Instant, for time: TimeSpan) {
        self.name = name
        self.pid = pid
        self.subject = subject
        startedAt = now
        deadline = now + time
    }

    /// The group keeps its number as long as the command is not reaped. ESRCH: it left its group.
    func killGroup() {
        do throws(SystemCallError) {
            try ProcessGroup.signal(pid, Signal.kill.number)
        } catch {
            return
        }
    }
}

/// Evidence of a worker that is about to go.
extension Master {
    /// The time that `before-recycle` has; the core waits as long.
    private static let commandTime = TimeSpan.seconds(30)
    private static let beforeRecycle = "before-recycle"

    func gatherEvidence(of id: WorkerID, _ cause: RecycleCause, _ facts: WorkerFacts) {
        guard let worker = workers[id], !worker.hasExited else { return }
        let settings = worker.blueprint.settings
        if let signal = settings.evidenceSignal { signalIgnoringExit(worker, signal.number) }
        guard !settings.beforeRecycle.isEmpty else { return }
        let name = settings.beforeRecycle[0]
        var attributes = SpawnAttributes()
        attributes.deathSignal = Signal.kill.number
        if let limit = context.openFilesLimit { attributes.limits.append(limit) }
        let environment =
            WorkerEnvironment.withoutContract(context.environment)
            + evidence(about: worker, cause, facts)
        do {
            let plan = try SpawnPlan(
                arguments: settings.beforeRecycle,
                searchPath: WorkerEnvironment.path(in: environment), attributes: attributes)
            let spawned = try plan.spawn(environment: environment)
            commands[spawned.pid] = RunningCommand(
                Master.beforeRecycle, pid: spawned.pid, about: id, at: now,
                for: Master.commandTime)
        } catch {
            log.write(
                line(.error, Master.beforeRecycle, worker).with("command", name)
                    .with("error", "\(error)"))
            tell(id, .evidenceGathered)
        }
    }

    private func evidence(
        about worker: RunningWorker, _ cause: RecycleCause, _ facts: WorkerFacts
    ) -> [String] {
        let head = "SUPERVISE_WORKER_"
        return [
            "\(ContractVariable.pool)=\(worker.blueprint.settings.name)",
            "\(ContractVariable.slot)=\(worker.id.slot)",
            "\(ContractVariable.generation)=\(facts.generation)",
            "\(head)PID=\(worker.pid)", "\(head)CAUSE=\(cause.name)",
            "\(head)RSS=\(facts.memoryBytes ?? 0)", "\(head)REQUESTS=\(facts.requests)",
            "\(head)AGE=\(facts.age.nanoseconds / 1_000_000_000)",
        ]
    }

    /// A command has ended; it is still to be reaped.
    func commandEnded(_ command: RunningCommand, _ status: ChildStatus) {
        commands[command.pid] = nil
        command.killGroup()
        if status != .exited(0) {
            var text = LogLine(.warning, command.name)
                .with("pool", service.member(command.subject.pool)?.name)
                .with("slot", command.subject.slot).with("after", now - command.startedAt)
            switch status {
            case .exited(let code): text = text.with("status", code)
            case .signaled(let number, coreDumped: _):
                text = text.with("signal", Signal(number: number).description)
            }
            let message = command.isOverdue ? "killed, it took longer than 30 s" : nil
            log.write(text.with("message", message))
        }
        tell(command.subject, .evidenceGathered)
    }

    /// When the first command's time is up.
    var nextCommandDeadline: Instant? {
        commands.isEmpty
            ? nil : commands.values.filter { !$0.isOverdue }.map(\.deadline).min()
    }

    func killOverdueCommands() {
        guard let next = nextCommandDeadline, next <= now else { return }
        for command in commands.values where !command.isOverdue && command.deadline <= now {
            command.isOverdue = true
            command.killGroup()
        }
    }
}
