import SuperviseCore
import SuperviseLinux

/// A scheduled check of a worker.
struct WorkerCheck {
    /// The subject of the check.
    enum Subject: Codable {
        /// Its listening sockets.
        case listeners
        /// Whether it has sent WATCHDOG=1.
        case watchdog
        /// The unit of its count, and the number of earlier checks.
        case count(checks: Int)
    }

    let subject: Subject
    let id: WorkerID
    /// The blueprint of its start. It holds listeners, which a reload may remove meanwhile.
    private(set) weak var blueprint: Blueprint?
    let at: Instant
}

/// Checks whether workers that are ready by report, time or exec serve one of our listeners. Their
/// program may use the address in its own configuration, or any port, without an error.
extension Master {
    /// The time from ready until a program has opened its sockets.
    private static let listenCheckDelay = TimeSpan.seconds(5)

    /// Schedules one check of one worker per pool and generation, unless it was seen waiting on a
    /// listener.
    func scheduleListenCheck(at id: WorkerID, readyBy rule: ReadyRule) {
        guard let worker = workers[id], !worker.blueprint.hasListenCheck else { return }
        switch rule {
        case .listening: return
        case .notify where worker.blueprint.policy.readiness == .auto:
            guard core.worker(id)?.isUnproven == true else { return }
        case .notify, .exec, .time, .assumed: break
        }
        worker.blueprint.hasListenCheck = true
        plan(.listeners, at: worker, after: Master.listenCheckDelay)
    }

    /// Schedules one check of one worker per pool and generation with a `timeout`.
    func scheduleWatchdogCheck(at id: WorkerID) {
        guard let worker = workers[id], !worker.blueprint.hasWatchdogCheck,
            let timeout = worker.blueprint.policy.watchdogTimeout
        else { return }
        worker.blueprint.hasWatchdogCheck = true
        plan(.watchdog, at: worker, after: min(timeout, Master.longestWatchdogCheck))
    }

    /// Schedules checks of the count of a pool with `max-requests`. A worker with few connections,
    /// each with many requests, sends its count only at its limit.
    func scheduleCountCheck(at id: WorkerID) {
        guard let worker = workers[id], worker.blueprint.policy.maxRequests > 0,
            worker.blueprint.adoption.countsConnections, !worker.blueprint.hasCountCheck,
            !log.alreadyLogged.contains(.counting(pool: id.pool))
        else { return }
        worker.blueprint.hasCountCheck = true
        plan(.count(checks: 0), at: worker, after: Master.firstCountCheck)
    }

    private func checkCount(_ check: WorkerCheck, after earlier: Int) {
        guard let blueprint = check.blueprint else { return }
        let running = workers.ofPool(check.id.pool).filter {
            $0.blueprint === blueprint && !$0.hasExited
        }
        guard let worker = running.first else {
            blueprint.hasCountCheck = false
            return
        }
        for worker in running.prefix(Master.mostCheckedWorkers) { readCount(of: worker) }
        // The number of wakeups for an idle service is limited.
        guard !log.alreadyLogged.contains(.counting(pool: check.id.pool)),
            earlier + 1 < Master.mostCountChecks
        else { return }
        let span = TimeSpan(nanoseconds: Master.firstCountCheck.nanoseconds << (2 * (earlier + 1)))
        plan(.count(checks: earlier + 1), at: worker, after: span)
    }

    private func plan(
        _ subject: WorkerCheck.Subject, at worker: RunningWorker, after span: TimeSpan
    ) {
        let check = WorkerCheck(
            subject: subject, id: worker.id, blueprint: worker.blueprint, at: now + span)
        let place = checks.firstIndex { $0.at > check.at } ?? checks.endIndex
        checks.insert(check, at: place)
    }

    func performChecks(at now: Instant) {
        while let check = checks.first, check.at <= now {
            checks.removeFirst()
            perform(check)
        }
    }

    private func perform(_ check: WorkerCheck) {
        switch check.subject {
        case .listeners: checkListeners(check)
        case .watchdog: checkWatchdog(check)
        case .count(let earlier): checkCount(check, after: earlier)
        }
    }

    /// `timeout` applies only to workers that send WATCHDOG=1, and most programs do not.
    private func checkWatchdog(_ check: WorkerCheck) {
        guard let blueprint = check.blueprint else { return }
        guard let worker = workers[check.id], !worker.hasExited,
            let state = core.worker(check.id), state.isReady
        else {
            // The next worker will be checked.
            blueprint.hasWatchdogCheck = false
            return
        }
        guard !state.announcesWatchdog, log.isNew(.timeoutUnused(pool: check.id.pool)) else {
            return
        }
        log.write(
            LogLine(.warning, "timeout-unused", worker).with(
                "message",
                Master.timeoutAdvice + Master.alternativeToTimeout(blueprint)))
    }

    private static func alternativeToTimeout(_ blueprint: Blueprint) -> String {
        if blueprint.listeners.isEmpty {
            return "set max-lifetime, which limits how long a job can hang"
        }
        if blueprint.settings.requestInfo == .off {
            return "set request-info = auto and request-timeout"
        }
        return blueprint.policy.requestTimeout == nil
            ? "set request-timeout, which needs no support by the program"
            : "rely on request-timeout, which is set and needs no support by the program"
    }

    /// Detects a pool without a bind in which the first worker binds the address and the others
    /// crash because it is in use. Checks only a few times, because crashes may be frequent.
    func checkForUnboundListener(whenEnded id: WorkerID, _ ending: Ending) {
        guard ending == .crashed || ending == .bootFailed, let ended = workers[id],
            ended.blueprint.listeners.isEmpty,
            ended.blueprint.crashChecks < Master.mostCrashChecks
        else { return }
        ended.blueprint.crashChecks += 1
        for worker in workers.ofPool(id.pool).prefix(Master.mostCheckedWorkers)
        where !worker.hasExited {
            checkForUnboundListener(of: worker)
        }
    }

    private func checkForUnboundListener(of worker: RunningWorker) {
        guard !log.alreadyLogged.contains(.unboundListener(pool: worker.id.pool)) else { return }
        let held = HeldListeners.inspect(worker.processes, known: [])?.others ?? []
        // A port that the kernel chose on a loopback address is used between the program's own
        // processes.
        let served = held.filter { !$0.hasPrefix("unix:") && !Master.isPrivate($0) }
        guard let address = served.first, log.isNew(.unboundListener(pool: worker.id.pool)) else {
            return
        }
        let all = served.joined(separator: ", ")
        log.write(
            LogLine(.warning, "listens-elsewhere", worker)
                .with("listens_on", served.joined(separator: ","))
                .with(
                    "message",
                    "slot \(worker.id.slot) listens on \(all), but the pool has no bind. Add --bind "
                        + "\(address); otherwise a second worker cannot bind the address, and recycling "
                        + "a worker resets its clients"))
    }

    private static func isPrivate(_ address: String) -> Bool {
        guard let colon = address.lastIndex(of: ":"),
            let port = Int(address[address.index(after: colon)...])
        else { return false }
        return port >= firstEphemeralPort
            && (address.hasPrefix("127.") || address.hasPrefix("[::1]"))
    }

    private func checkListeners(_ check: WorkerCheck) {
        guard let blueprint = check.blueprint else { return }
        guard let worker = workers[check.id], !worker.hasExited,
            core.worker(check.id)?.isReady == true
        else {
            // The next worker will be checked.
            blueprint.hasListenCheck = false
            return
        }
        guard !blueprint.listeners.isEmpty else { return checkForUnboundListener(of: worker) }
        let ours = blueprint.listeners.map(\.socket.identity)
        guard let held = HeldListeners.inspect(worker.processes, known: ours) else { return }
        // A process holds inherited listeners whether or not it uses them. So a worker that holds
        // ours is suspected only if it listens on something else.
        guard held.includeKnown else { return warnOfListeningElsewhere(worker, held) }
        guard !held.others.isEmpty, worker.isSampled, worker.page?.report() != .waits else {
            return
        }
        guard let request = evidenceRequest(for: worker) else { return }
        ask(
            Observer.Job(
                pool: worker.id.pool, purpose: .listensElsewhere(worker.id, held),
                request: request))
    }

    func warnOfListeningElsewhere(_ worker: RunningWorker, _ held: HeldListeners) {
        log.write(
            LogLine(.warning, "listens-elsewhere", worker)
                .with(
                    "listens_on",
                    held.others.isEmpty ? "nothing" : held.others.joined(separator: ",")
                )
                .with("message", Master.elsewhereAdvice))
    }

    /// A worker that supports the watchdog has sent WATCHDOG=1 by then.
    private static let longestWatchdogCheck = TimeSpan.seconds(30)
    /// As the interval is multiplied by four each time, this is an hour.
    private static let mostCountChecks = 5
    private static let firstCountCheck = TimeSpan.seconds(10)
    private static let mostCrashChecks = 3
    private static let mostCheckedWorkers = 8
    /// The default of ip_local_port_range (ip(7)).
    private static let firstEphemeralPort = 32_768
    private static let timeoutAdvice =
        "timeout has no effect: it applies to workers that send WATCHDOG=1, and this worker has sent "
        + "none. To stop workers that hang, "
    private static let elsewhereAdvice =
        "the worker is ready but waits on none of the pool's listeners, so it serves none of their "
        + "clients. Pass it the descriptor {fd}, or let it listen on the address of the pool (see adopt)"
}
