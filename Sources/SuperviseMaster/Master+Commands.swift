import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Evidence of a worker that will be stopped.
extension Master {
    /// The time limit of `before-recycle`, for which the core waits.
    private static let commandTime = TimeSpan.seconds(30)
    private static let beforeRecycle = "before-recycle"

    func gatherEvidence(of id: WorkerID, _ cause: RecycleCause, _ facts: WorkerFacts) {
        guard let worker = workers[id], let pid = worker.livingPID else { return }
        let settings = worker.blueprint.settings
        if let signal = settings.evidenceSignal { signalIgnoringExit(worker, signal.number) }
        guard !settings.beforeRecycle.isEmpty else { return }
        let name = settings.beforeRecycle[0]
        do {
            let plan = try commands.plan(settings.beforeRecycle, endsWithMaster: true)
            try commands.run(
                plan, variables: evidence(about: worker, pid, cause, facts), for: .evidence(id),
                within: Master.commandTime, at: now)
        } catch {
            log.write(
                LogLine(.error, Master.beforeRecycle, worker).with("command", name)
                    .with("error", "\(error)"))
            enqueue(id, .evidenceGathered)
        }
    }

    private func evidence(
        about worker: RunningWorker, _ pid: Int32, _ cause: RecycleCause, _ facts: WorkerFacts
    ) -> [String] {
        let head = "SUPERVISE_WORKER_"
        return [
            "\(ContractVariable.pool)=\(worker.blueprint.settings.name)",
            "\(ContractVariable.slot)=\(worker.id.slot)",
            "\(ContractVariable.generation)=\(facts.generation)",
            "\(head)PID=\(pid)", "\(head)CAUSE=\(cause.name)",
            "\(head)RSS=\(facts.memoryBytes ?? 0)", "\(head)REQUESTS=\(facts.requests)",
            "\(head)REQUESTS_UNIT=\((facts.unit ?? .requests).rawValue)",
            "\(head)AGE=\(facts.age.nanoseconds / 1_000_000_000)",
            "\(head)DURING=\(worker.requestsInFlight()?.text ?? "")",
            "\(head)ROUTE=\(facts.during?.route ?? "")",
        ]
    }

    /// Handles the end of a command, which is not reaped yet.
    func commandEnded(_ command: SideCommand, _ status: ChildStatus) {
        if command.purpose == .beforeStart { return preparationEnded(command, status) }
        guard case .evidence(let subject) = command.purpose else { return }
        if status != .exited(0) {
            let message = command.isOverdue ? "killed because it took longer than 30 s" : nil
            log.write(
                LogLine(.warning, Master.beforeRecycle)
                    .with("pool", service.member(subject.pool)?.name)
                    .with("slot", subject.slot).with("after", now - command.startedAt)
                    .with(status).with("message", message))
        }
        enqueue(subject, .evidenceGathered)
    }
}
