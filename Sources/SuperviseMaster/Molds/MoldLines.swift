import SuperviseCore
import SuperviseSettings

/// The log lines about molds.
extension LogLine {
    init(_ notice: MoldNotice, _ subject: LogSubjects) {
        func line(_ level: LogLevel, _ event: String, _ id: MoldID) -> LogLine {
            subject.line(level, event, id.pool).with("pid", subject.moldPID(id))
                .with("generation", id.generation)
        }
        switch notice {
        case .started(let id): self = line(.info, "mold-started", id)
        case .ready(let id, let span):
            self = line(.info, "mold-ready", id).with("after", span)
        case .failed(let id, let failure):
            self = line(.error, "mold-failed", id).with(failure)
        case .ended(let id, let status):
            let stopped = line(.info, "mold-stopped", id)
            self = status.map { stopped.with($0) } ?? stopped
        case .doubted(let id):
            self = line(.warning, "mold-doubted", id).with("message", Advice.doubted)
        case .givenUp(let pool, let generation, let wasWarm):
            self = subject.line(.warning, "mold-given-up", pool).with("generation", generation)
                .with("message", wasWarm ? Advice.mixed : Advice.neverWarm)
        case .execInstead(let id):
            self = subject.line(.warning, "exec-instead", id).with("message", Advice.execInstead)
        }
    }

    func with(_ failure: MoldFailure) -> LogLine {
        switch failure {
        case .ended(let status): with("cause", "exited").with(status)
        case .bootTimeout: with("cause", "boot-timeout")
        case .notStarted(let failure): with("cause", "start-failed").with(failure)
        case .unusable(let reason): with("cause", "unusable").with("error", reason)
        case .forksFail: with("cause", "forks-fail").with("message", Advice.forksFail)
        case .workersFail: with("cause", "workers-fail").with("message", Advice.workersFail)
        }
    }

    private enum Advice {
        static let neverWarm =
            "the workers of this generation execute the command instead of being forked. Correct the "
            + "cause and reload, or set mold = off"
        static let mixed =
            "the workers of this generation execute the command from now on. They run the code that is "
            + "on disk, which may differ from that of workers that were forked before"
        static let execInstead =
            "the mold is not available, so this worker executes the command. It runs the code that is on "
            + "disk, which may differ from that of forked workers"
        static let forksFail = "two start orders in a row produced no running worker"
        static let doubted =
            "two forked workers in a row did not become ready, so the next one executes the command for "
            + "comparison"
        static let workersFail =
            "its workers do not become ready, but a worker that executed the command did"
    }
}
