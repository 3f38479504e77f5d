import SuperviseCore
import SuperviseSettings

/// The log line of each notice of the core. The names of events and fields are a public interface.
extension LogLine {
    /// Creates the line of a notice. `subject` begins a line about a worker or a pool.
    init(_ notice: Notice, _ subject: LogSubjects) {
        switch notice {
        case .started, .startFailed, .ready, .bootTimedOut, .due, .retiring, .drained, .stopHabit,
            .exited, .killed, .leftProcesses, .killedTree:
            self = LogLine(ofWorker: notice, subject)
        case .backoff, .slotDone, .resized, .parked, .unparked, .drainDelay, .closed, .stopping,
            .ended, .givingUp:
            self = LogLine(ofPool: notice, subject)
        case .requestStuck, .requestsHang: self = LogLine(ofRequests: notice, subject)
        case .memoryAlarm, .memoryWarning, .leakAlarm, .memoryShared, .memoryIsTight, .shortage:
            self = LogLine(ofMemory: notice, subject)
        case .canaryStarted, .canaryPassed, .canaryFailed, .rolledOut, .reloadBegun,
            .reloadCommitted, .reloadAborted, .reloadComplete:
            self = LogLine(ofReload: notice, subject)
        case .mold(let notice): self = LogLine(notice, subject)
        case .run(let notice): self = LogLine(ofRun: notice, subject)
        case .scale(let notice): self = LogLine(ofScaling: notice, subject)
        case .hunt(let notice): self = LogLine(ofHunt: notice, subject)
        }
    }

    private init(ofWorker notice: Notice, _ subject: LogSubjects) {
        switch notice {
        case .started(let id, let generation, let requestLimit):
            self = subject.line(.info, "started", id).with("generation", generation)
                .with("request_limit", requestLimit)
        case .startFailed(let id, let failure):
            self = subject.line(.error, "start-failed", id).with(failure)
        case .ready(let id, let rule, let span):
            self = subject.line(rule == .assumed ? .warning : .info, "ready", id)
                .with("by", rule.rawValue).with("after", span)
                .with("message", rule == .assumed ? Advice.assumedReady : nil)
        case .bootTimedOut(let id, let span):
            self = subject.line(.error, "boot-timeout", id).with("after", span)
        case .due(let id, let cause, let facts):
            self = subject.line(.info, "recycle-scheduled", id).with("cause", cause.name)
                .with(facts, requests: cause == .requests)
                .with("limit", bytes: subject.policy(id.pool).flatMap { cause.limitBytes(by: $0) })
        case .retiring(let id, let cause, let facts):
            self = subject.line(.info, "retiring", id).with("cause", cause.name)
                .with(facts, requests: false)
        case .drained(let id, let end, let span):
            self = subject.line(end == .timeout ? .warning : .debug, "drained", id)
                .with("by", end.rawValue).with("after", span)
                .with("message", end == .timeout ? Advice.notDrained : nil)
        case .stopHabit(let id, let finishes):
            self = subject.line(.info, "drain-mode", id)
                .with("requests", finishes ? "finished" : "dropped")
                .with("message", finishes ? Advice.finishesRequests : Advice.dropsRequests)
        case .exited(let id, let status, let ending, let facts):
            self = subject.line(ending.level, "exited", id).with("cause", ending.name(status))
                .with(status).with("killed_by", subject.killer(of: id, status)).with(facts)
        case .killed(let id, let cause):
            self = subject.line(.warning, "killed", id).with("cause", cause.name)
        // Every `sh -c` leaves its program behind if both get the stop-signal. Processes that do
        // not end in time cause a warning: orphans-killed.
        case .leftProcesses(let id): self = subject.line(.info, "orphans-found", id)
        case .killedTree(let id): self = subject.line(.warning, "orphans-killed", id)
        case .backoff, .slotDone, .resized, .parked, .unparked, .drainDelay, .closed, .stopping,
            .ended, .givingUp, .requestStuck, .requestsHang, .memoryAlarm, .memoryWarning,
            .leakAlarm, .memoryShared,
            .memoryIsTight, .shortage, .canaryStarted, .canaryPassed, .canaryFailed, .rolledOut,
            .reloadBegun, .reloadCommitted, .reloadAborted, .reloadComplete, .mold, .run, .scale,
            .hunt:
            preconditionFailure("no notice about a worker")
        }
    }

    private init(ofPool notice: Notice, _ subject: LogSubjects) {
        switch notice {
        case .backoff(let pool, let slot, let failures, let delay):
            self = subject.line(.warning, "backoff", pool, slot: slot)
                .with("failures", failures).with("delay", delay)
        case .slotDone(let pool, let slot):
            self = subject.line(.info, "slot-finished", pool, slot: slot)
        case .resized(let pool, let from, let to):
            self = subject.line(.info, "resized", pool).with("from", from).with("to", to)
        case .parked(let pool): self = subject.line(.info, "parked", pool)
        case .unparked(let pool): self = subject.line(.info, "unparked", pool)
        case .drainDelay(let pool, let span):
            self = subject.line(.info, "drain-delay", pool).with("delay", span)
        case .closed(let pool): self = subject.line(.info, "listeners-closing", pool)
        case .stopping(let pool, let haste):
            self = subject.line(.info, "stopping", pool).with("mode", haste.name)
        case .ended(let pool): self = subject.line(.info, "pool-stopped", pool)
        case .givingUp(.noWorkerBoots):
            self = LogLine(.error, "startup-failed").with("boot_attempts", subject.bootAttempts())
                .with("message", Advice.noWorkerBoots)
        case .givingUp(.cannotStart(let pool, let failure)):
            self = subject.line(.error, "startup-failed", pool).with(failure)
        case .started, .startFailed, .ready, .bootTimedOut, .due, .retiring, .drained, .stopHabit,
            .exited, .killed, .leftProcesses, .killedTree, .requestStuck, .requestsHang,
            .memoryAlarm, .memoryWarning,
            .leakAlarm, .memoryShared, .memoryIsTight, .shortage, .canaryStarted, .canaryPassed,
            .canaryFailed, .rolledOut, .reloadBegun, .reloadCommitted, .reloadAborted,
            .reloadComplete, .mold, .run, .scale, .hunt:
            preconditionFailure("no notice about a pool")
        }
    }

    private init(ofMemory notice: Notice, _ subject: LogSubjects) {
        switch notice {
        case .memoryAlarm(let id, let facts, let cap, let limitBytes):
            self = subject.line(.warning, "memory-alarm", id).with("key", cap.key)
                .with(facts, requests: false).with("limit", bytes: limitBytes)
                .with("message", Advice.memoryAlarm(cap))
        case .memoryWarning(let id, let facts, let limitBytes):
            self = subject.line(.warning, "memory-warning", id).with(facts)
                .with("limit", bytes: limitBytes)
        case .leakAlarm(let id, let facts, let limitBytes, let within, let replacing):
            self = subject.line(.warning, "leak-alarm", id).with(facts)
                .with("limit", bytes: limitBytes).with("within", within)
                .with("replacing", replacing).with("message", Advice.leak)
        case .memoryShared(let pool, let caps):
            let isCrossed = caps.hard ?? .max < caps.soft ?? 0
            self = subject.line(isCrossed ? .warning : .info, "memory-caps", pool).with(
                "warn_rss", bytes: caps.warn
            )
            .with("max_rss", bytes: caps.soft).with("kill_rss", bytes: caps.hard)
            .with("max_pool_rss", bytes: caps.pool)
            .with("message", isCrossed ? Advice.capsCrossed : nil)
        case .memoryIsTight(let pool, let room, let workerBytes):
            self = subject.line(.warning, "memory-low", pool).with("free", bytes: room.freeBytes)
                .with("limit", bytes: room.limitBytes).with("worker", bytes: workerBytes)
                .with("message", Advice.memoryIsTight)
        case .shortage(let pool, let cause, let usedBytes, let room):
            self = subject.line(.warning, "memory-shortage", pool).with("cause", cause.name)
                .with("rss", bytes: usedBytes)
                .with("limit", bytes: subject.policy(pool).flatMap { cause.limitBytes(by: $0) })
                .with("free", bytes: room?.freeBytes).with("message", Advice.shortage)
        case .started, .startFailed, .ready, .bootTimedOut, .due, .retiring, .drained, .stopHabit,
            .exited, .killed, .leftProcesses, .killedTree, .requestStuck, .requestsHang, .backoff,
            .slotDone, .resized, .parked,
            .unparked, .drainDelay, .closed, .stopping, .ended, .givingUp, .canaryStarted,
            .canaryPassed, .canaryFailed, .rolledOut, .reloadBegun, .reloadCommitted,
            .reloadAborted, .reloadComplete, .mold, .run, .scale, .hunt:
            preconditionFailure("no notice about memory")
        }
    }

    private init(ofReload notice: Notice, _ subject: LogSubjects) {
        switch notice {
        case .canaryStarted(let id, let generation):
            self = subject.line(.info, "canary-started", id).with("generation", generation)
        case .canaryPassed(let pool, let generation, let responses):
            let isDoubtful = responses?.canary.seemsBad ?? false
            self = subject.line(isDoubtful ? .warning : .info, "canary-passed", pool)
                .with("generation", generation).with(responses)
                .with("message", isDoubtful ? Advice.doubtfulCanary : nil)
        case .canaryFailed(let pool, let generation, let failure):
            self = subject.line(.error, "canary-failed", pool).with("generation", generation)
                .with(failure)
        case .rolledOut(let pool, let generation):
            self = subject.line(.info, "rolled-out", pool).with("generation", generation)
        case .reloadBegun(let generation):
            self = LogLine(.info, "reload").with("generation", generation)
        case .reloadCommitted(let generation):
            self = LogLine(.info, "reload-committed").with("generation", generation)
        case .reloadAborted(let generation, let isSuperseded):
            self = LogLine(isSuperseded ? .info : .error, "reload-aborted")
                .with("generation", generation)
                .with("message", isSuperseded ? Advice.superseded : Advice.aborted)
        case .reloadComplete(let generation):
            self = LogLine(.info, "reload-complete").with("generation", generation)
        case .started, .startFailed, .ready, .bootTimedOut, .due, .retiring, .drained, .stopHabit,
            .exited, .killed, .leftProcesses, .killedTree, .requestStuck, .requestsHang, .backoff,
            .slotDone, .resized, .parked,
            .unparked, .drainDelay, .closed, .stopping, .ended, .givingUp, .memoryAlarm,
            .memoryWarning, .leakAlarm, .memoryShared, .memoryIsTight, .shortage, .mold, .run,
            .scale, .hunt:
            preconditionFailure("no notice about a reload")
        }
    }

    private enum Advice {
        static let assumedReady =
            "no readiness evidence; assumed ready because it is still running. Send READY=1 from the "
            + "program, or set ready to exec or to a duration"
        static func memoryAlarm(_ cap: AlarmedCap) -> String {
            "the worker exceeds \(cap.key), possibly because of the program's own size; after "
                + "min-lifetime it is \(cap == .hard ? "killed" : "recycled") if it still grows. If it "
                + "does not grow, raise \(cap.key)"
        }
        static let notDrained =
            "connections were in use until shortly before graceful-timeout; their requests may be lost"
        static let finishesRequests =
            "this program finishes its requests after the stop-signal; its workers receive the signal "
            + "while connections are in use"
        static let dropsRequests =
            "this program drops its requests at the stop-signal; its workers receive the signal when idle"
        static let capsCrossed =
            "kill-rss is below max-rss with these percentages, so workers are killed instead of recycled"
        static let leak =
            "workers reach this cap faster than they can be replaced; raise max-surge or the cap, or "
            + "reduce the boot time"
        static let memoryIsTight =
            "there is not enough memory for a replacement beside the old worker; workers that are "
            + "recycled for memory stop before their replacements start"
        static let shortage =
            "no worker has grown since it settled, so recycling frees no memory; configure fewer "
            + "workers or allow more memory"
        static let noWorkerBoots =
            "no worker became ready, and every slot failed to boot boot-attempts times in a row"
        static let doubtfulCanary =
            "most responses of the first new worker are errors, but so are those of the old workers, or "
            + "there are too few to compare"
        static let aborted = "reload aborted; the current generation keeps running"
        static let superseded = "superseded by a newer reload"
    }

    /// A worker reports its count at its limit, and the page is read at its end. In between, the
    /// last known count is old and omitted. A zero is omitted as well, if the program does not
    /// count and need not.
    private func with(_ facts: WorkerFacts, requests isCurrent: Bool = true) -> LogLine {
        let counts = facts.requests > 0 || facts.requestLimit != nil
        return with("generation", facts.generation).with("age", facts.age)
            .with("requests", isCurrent && counts ? facts.requests : nil)
            .with("request_limit", isCurrent ? facts.requestLimit : nil)
            .with("unit", isCurrent && counts ? facts.unit?.rawValue : nil)
            .with("rss", bytes: facts.memoryBytes)
            .with(LogLine.requestField, facts.during?.text)
            .with("growth_per_hour", bytes: facts.growth?.bytesPerHour, per: .hour)
            .with(
                "growth_per_request",
                bytes: facts.growth?.bytesPerRequest.map { Int64($0) },
                per: facts.unit == .connections ? .connection : .request)
    }

    func with(_ failure: StartFailure) -> LogLine {
        with("step", failure.step).with("error", failure.message)
    }

    func with(_ status: ExitStatus) -> LogLine {
        switch status {
        case .code(let code): with("status", code)
        case .signal(let signal): with("signal", signal.description)
        case .outOfMemory: with("signal", "KILL")
        }
    }

    private func with(_ responses: CanaryResponses?) -> LogLine {
        guard let responses else { return self }
        return with("responses", responses.canary.responses)
            .with("errors", responses.canary.errors)
            .with("error_share", "\(responses.canary.errorPercentage)%")
            .with("old_responses", responses.others.responses)
            .with("old_errors", responses.others.errors)
            .with("old_error_share", "\(responses.others.errorPercentage)%")
    }

    private func with(_ failure: CanaryFailure) -> LogLine {
        switch failure {
        case .ended(let status): with("cause", "exited").with(status)
        case .bootTimeout: with("cause", "boot-timeout")
        case .notStarted(let failure): with("cause", "start-failed").with(failure)
        case .mold(let failure): with("cause", "mold-failed").with("error", failure.text)
        case .left(let cause): with("cause", cause.name)
        case .responses(let responses): with("cause", "canary-check").with(responses)
        }
    }
}
