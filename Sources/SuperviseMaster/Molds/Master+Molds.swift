import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Starting molds, reading what they report, and their ends.
extension Master {
    /// Connects the parts that start workers and molds.
    func connectMolds() {
        molds.hasEnded = { [unowned self] in moldEnded($0, $1) }
        starter.isKnown = { [unowned self] in reaper.isKnown($0) }
        starter.launcher = { [unowned self] order, blueprint throws(StartError) in
            try launcher(order, blueprint)
        }
    }

    /// Starts the process of a mold. Its outcome is an event for the core.
    func startMold(_ id: MoldID) {
        guard let name = service.member(id.pool)?.name,
            let blueprint = generations[id.generation]?.blueprints[name]
        else { preconditionFailure("generation \(id.generation) has no pool \(id.pool)") }
        switch blueprint.mold {
        case .off:
            preconditionFailure("the pool \(name) has no mold")
        case .impossible(let reason):
            enqueue(
                .mold(
                    id,
                    .notStarted(
                        StartFailure(step: "mold", message: reason, isTransient: false))))
        case .plan(let plan):
            do throws(StartError) {
                try spawnMold(id, plan, blueprint)
            } catch {
                enqueue(.mold(id, .notStarted(error.failure)))
            }
        }
    }

    private func spawnMold(
        _ id: MoldID, _ plan: MoldPlan, _ blueprint: Blueprint
    ) throws(StartError) {
        let (own, other) = try socketPair()
        let (pipe, writer) = try starter.outputPipe(blueprint)
        defer { withExtendedLifetime(writer) {} }
        let spawned: SpawnedProcess
        do throws(SpawnFailure) {
            spawned = try plan.spawn(
                other, output: writer.map { .descriptor($0.rawValue) } ?? blueprint.moldOutput)
        } catch {
            throw StartError(error, of: blueprint)
        }
        // Unique among workers too: it also identifies the output.
        let serial = workers.nextSerial()
        let mold = RunningMold(
            id: id, serial: serial, blueprint: blueprint, spawned: spawned, socket: own,
            socketNumber: plan.socketNumber,
            output: pipe.map {
                WorkerOutput(
                    $0, serial: serial, source: RunningMold.source(blueprint),
                    blocks: blueprint.settings.outputOverflow == .block)
            })
        molds.add(mold)
        do throws(SystemCallError) {
            try watch(mold)
            try output.watch(mold.output)
        } catch {
            // It stays in the table until it is reaped, and its end is reported to the core then.
            mold.isConnected = false
            killMold(id)
        }
    }

    /// What starts the process of a worker.
    func launcher(
        _ order: StartOrder, _ blueprint: Blueprint
    ) throws(StartError) -> any Launcher {
        guard let id = order.mold else { return blueprint.launcher }
        guard let mold = molds[id] else {
            throw StartError(
                StartFailure(step: "mold", message: "the mold has ended", isTransient: true))
        }
        return ForkLauncher(mold) { [unowned self] in now }
    }

    private func socketPair() throws(StartError) -> (MessageSocket, MessageSocket) {
        do throws(SystemCallError) {
            return try MessageSocket.pair()
        } catch {
            throw StartError(resource: error)
        }
    }

    /// Watches the socket of a mold that was started now, or by another program of this process.
    func watch(_ mold: RunningMold) throws(SystemCallError) {
        guard mold.isConnected else { return }
        try poll.add(mold.socket.rawValue, .readable, token: Token.mold | mold.serial)
    }

    func readMold(serial: UInt64) {
        guard let mold = molds[serial: serial], mold.isConnected else { return }
        do throws(SystemCallError) {
            let bytes = try mold.socket.receive(waits: false).bytes
            if bytes.isEmpty { return disconnect(mold) }
            guard MoldMessage.parse(bytes) == .ready, !mold.hasReported else {
                return reject(mold, "it violates the protocol of a mold")
            }
            mold.hasReported = true
            inspect(mold)
        } catch  where error.kind == .notNow {
            return
        } catch {
            // Caused by what it sent.
            reject(mold, error.description)
        }
    }

    /// It has closed its socket, or nothing more is read from it. It ends, or its start orders fail
    /// from now on.
    private func disconnect(_ mold: RunningMold) {
        poll.unwatch(mold.socket.rawValue)
        mold.isConnected = false
    }

    private func reject(_ mold: RunningMold, _ reason: String) {
        disconnect(mold)
        enqueue(.mold(mold.id, .unusable(reason)))
    }

    private func inspect(_ mold: RunningMold) {
        ask(
            Observer.Job(
                pool: mold.id.pool, purpose: .mold(serial: mold.serial),
                request: .mold(
                    pid: mold.process.pid, except: mold.socketNumber,
                    inherited: MoldInspection.standardStreams)))
    }

    /// Handles the result of an inspection.
    func take(_ outcome: Observer.Outcome, ofMold serial: UInt64) {
        // It may have ended or violated the protocol meanwhile.
        guard let mold = molds[serial: serial], mold.isConnected else { return }
        guard case .mold(let inspection) = outcome.reply else {
            return report(mold, MoldInspection(obstacle: Master.noReply))
        }
        report(mold, inspection)
    }

    private func report(_ mold: RunningMold, _ inspection: MoldInspection) {
        let settings = mold.blueprint.settings
        if let obstacle = inspection.obstacle {
            log.write(
                LogLine(.warning, "mold-not-inspected", mold).with("error", obstacle)
                    .with("message", Master.uninspectedAdvice))
        }
        if inspection.threadCount > 1 {
            log.write(
                LogLine(.warning, "mold-threads", mold).with("threads", inspection.threadCount)
                    .with("message", Master.threadAdvice))
        }
        guard !inspection.shared.isEmpty else { return enqueue(.mold(mold.id, .warm)) }
        let list = inspection.shared.joined(separator: ", ")
        if settings.moldShares == .allow {
            log.write(LogLine(.warning, "mold-shares", mold).with("shared", list))
            enqueue(.mold(mold.id, .warm))
        } else {
            enqueue(
                .mold(mold.id, .unusable("its workers would share \(list)\(Master.shareAdvice)")))
        }
    }

    private static let shareAdvice =
        ". Workers on one connection receive each other's data. Open it when a worker starts, or set "
        + "mold-shares = allow"
    private static let threadAdvice =
        "only the thread that forks exists in a worker; a lock that another thread holds at that moment "
        + "stays locked there"
    private static let noReply = "the process that inspects molds did not respond"
    private static let uninspectedAdvice =
        "the master cannot inspect the mold, so connections that its workers would share are not found"

    /// Lets a mold end in order: the end of its socket.
    func endMold(_ id: MoldID) {
        guard let mold = molds[id] else { return }
        mold.socket.shutDown()
    }

    /// SIGKILL to a mold and to what it has forked and not yet become a worker.
    func killMold(_ id: MoldID) {
        guard let mold = molds[id] else { return }
        mold.wasKilled = true
        killGroup(of: mold)
        do throws(SystemCallError) {
            try mold.process.descriptor.signal(Signal.kill.number)
        } catch {
            // It has exited and will be reaped.
            return
        }
    }

    private func killGroup(of mold: RunningMold) {
        do throws(SystemCallError) {
            try ProcessGroup.signal(mold.process.pid, Signal.kill.number)
        } catch {
            // It had not made its group yet.
            return
        }
    }

    /// Reports the end of a mold. It is not reaped yet, so its group still has its number.
    func moldEnded(_ mold: RunningMold, _ end: ChildStatus) {
        killGroup(of: mold)
        if mold.isConnected { poll.unwatch(mold.socket.rawValue) }
        output.close(mold.output, at: now)
        molds.remove(mold)
        if let pipe = mold.errorPipe,
            case .failed(let failure) = SpawnPlan.readFailure(from: pipe)
        {
            enqueue(.mold(mold.id, .notStarted(failure.startFailure(of: mold.blueprint))))
            return
        }
        let status = reaper.exit(of: mold.wasKilled ? nil : mold.process.pid, end)
        enqueue(.mold(mold.id, .exited(status)))
        starter.moldEnded()
    }
}

extension LogLine {
    /// A line about a mold.
    init(_ level: LogLevel, _ event: String, _ mold: RunningMold) {
        self = LogLine(level, event).with("pool", mold.blueprint.settings.name)
            .with("pid", mold.process.pid).with("generation", mold.id.generation)
    }
}
