import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// `before-start`: commands such as migrations, which run once per generation before its workers.
extension Master {
    private static let key = "before-start"

    /// Runs the commands of a generation, then activates it. Returns immediately if there are none.
    func prepare(_ generation: Generation, isFirst: Bool) {
        guard let preparation = Preparation(generation, isFirst: isFirst) else {
            return activate(generation, isFirst: isFirst)
        }
        self.preparation = preparation
        if isFirst { announce() }
        runNextCommand()
    }

    private func runNextCommand() {
        guard let preparation else { return }
        guard let blueprint = preparation.next() else {
            self.preparation = nil
            activate(preparation.generation, isFirst: preparation.isFirst)
            // The reload was requested before there was a generation.
            if preparation.isReloadWanted { reload() }
            return
        }
        let pool = blueprint.settings.name
        do {
            try run(blueprint, preparation)
        } catch {
            preparationFailed("pool \(pool): before-start: \(error)")
        }
    }

    private func run(_ blueprint: Blueprint, _ preparation: Preparation) throws {
        let settings = blueprint.settings
        let owner = blueprint.account.map { ($0.credentials.uid, $0.credentials.gid) }
        let (pipe, writer) = try OutputPipe.make(owner: owner)
        defer { withExtendedLifetime(writer) {} }
        let output = WorkerOutput(
            pipe, serial: workers.nextSerial(), source: "\(settings.name)/\(Master.key)",
            blocks: settings.outputOverflow == .block)
        let started = try commands.run(
            try blueprint.plan(settings.beforeStart),
            environment: blueprint.commandEnvironment(generation: preparation.generation.number),
            output: .descriptor(writer.rawValue), for: .beforeStart,
            within: settings.beforeStartTimeout, at: now)
        output.pid = started.pid
        preparation.began(settings.name, output, started.errorPipe, at: now)
        log.write(
            LogLine(.info, Master.key).with("pool", settings.name).with("pid", started.pid)
                .with("generation", preparation.generation.number))
        try self.output.watch(output)
    }

    /// Handles the end of the command, which is not reaped yet.
    func preparationEnded(_ command: SideCommand, _ status: ChildStatus) {
        guard let preparation, let ended = preparation.takeEnded() else { return }
        output.close(ended.output, at: now)
        let text = ended.output.tail.text
        let failure = ended.failure?.description
        log.write(
            LogLine(status == .exited(0) ? .info : .error, "before-start-ended")
                .with("pool", ended.pool).with("after", now - ended.startedAt).with(status)
                .with("error", failure)
                .with("output", status == .exited(0) || text.isEmpty ? nil : text))
        if let stop = preparation.stop {
            self.preparation = nil
            return enqueue(stop)
        }
        if preparation.isReloadWanted, !preparation.isFirst {
            self.preparation = nil
            closeUnused()
            return reload()
        }
        if status == .exited(0) { return runNextCommand() }
        let reason =
            command.isOverdue
            ? "did not end within before-start-timeout" : failure ?? status.predicate
        let last = text.lastLine.map { ": \($0)" } ?? ""
        preparationFailed("pool \(ended.pool): before-start \(reason)\(last)")
    }

    private func preparationFailed(_ reason: String) {
        guard let preparation else { return }
        self.preparation = nil
        guard preparation.isFirst else {
            closeUnused()
            return reloader.fail(
                [reason], message: "before-start failed; the current generation keeps running")
        }
        log.write(LogLine(.error, "startup-failed").with("message", reason))
        exitCode = Program.ExitCode.bootFailed
    }

    /// Ends the command before a stop of the master. Returns whether the stop must wait for it: no
    /// worker runs yet, and an interrupted command may leave a migration incomplete.
    func stopPreparation(_ request: Service.Event) -> Bool {
        guard let preparation else { return false }
        let grace = preparation.grace(for: request, at: now)
        if let grace { commands.end(.beforeStart, within: grace, at: now) }
        guard preparation.isFirst else {
            // The workers stop meanwhile, and the master does not wait.
            self.preparation = nil
            output.close(preparation.takeEnded()?.output, at: now)
            closeUnused()
            return false
        }
        preparation.isReloadWanted = false
        preparation.stop = request
        preparation.stoppedAt = preparation.stoppedAt ?? now
        return true
    }
}

extension Preparation {
    private static let quickGrace = TimeSpan.seconds(2)
    /// Launchers may send SIGTERM twice at the same time.
    private static let repeatedAfter = TimeSpan.seconds(1)

    /// Returns the time that the command has to end after this request; nil if an earlier one
    /// applies.
    fileprivate func grace(for request: Service.Event, at now: Instant) -> TimeSpan? {
        let isGraceful = request == .stop(.graceful) || request == .stopSignal(.terminate)
        if let stoppedAt {
            return isGraceful && now - stoppedAt < Preparation.repeatedAfter ? nil : .zero
        }
        guard isGraceful, let settings = generation.pools.first?.settings else {
            return Preparation.quickGrace
        }
        return settings.policy.gracefulTimeout
    }
}

extension ChildStatus {
    /// The status as a predicate.
    fileprivate var predicate: String {
        switch self {
        case .exited(let code): "exited with status \(code)"
        case .signaled(let number, coreDumped: _):
            "was terminated by signal \(Signal(number: number))"
        }
    }
}
