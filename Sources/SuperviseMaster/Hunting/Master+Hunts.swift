import SuperviseControl
import SuperviseCore
import SuperviseLinux

/// Hunts: the core decides when they begin and end, and the master reads what their workers record.
extension Master {
    /// Gives the other parts what they need of the hunts.
    func connectHunts() {
        starter.hunts = hunts
        upgrader.willBegin = { [unowned self] in endHunts(because: .upgrade) }
        upgrader.willExecute = { [unowned self] in
            observer.endWithMaster()
            hunts.removeFolders()
        }
    }

    /// Removes the folders of the master at its end.
    func removeFolders() {
        starter.notifyFolders.remove()
        hunts.removeFolders()
    }

    /// Throws the reason for which the pool cannot be hunted now.
    func mustBeHuntable(_ member: Service.Member) throws(ControlRefusal) {
        let pool = "pool \(member.name)"
        switch member.pool.huntObstacle {
        case .noListeners: throw .conflict("\(pool) has no listeners, so it serves no requests")
        case .schedule: throw .conflict("\(pool) has a schedule, so it serves no requests")
        case .hunt:
            throw .conflict("\(pool) is already hunted; allowed: one hunt at a time per pool")
        case .notRunning: throw .conflict("\(pool) is parked or stops")
        case .reload: throw .conflict("\(pool) is being reloaded; retry when the reload has ended")
        case nil: break
        }
        if upgrader.isUpgrading {
            throw .conflict("the master is being upgraded; retry afterwards")
        }
        guard let blueprint = generations[member.pool.generation]?.blueprints[member.name] else {
            return
        }
        if blueprint.settings.requestInfo != .auto {
            throw .conflict(
                "\(pool) has request-info = \(blueprint.settings.requestInfo); a hunt requires "
                    + "auto, so that requests are visible")
        }
        guard blueprint.adoption.observesRequests else {
            throw .conflict(
                "\(pool): requests are not visible, because the program does not load the preload "
                    + "library (see: supervise help request-info)")
        }
    }

    /// Ends all hunts.
    func endHunts(because reason: HuntEnd) {
        for number in hunts.running.keys.sorted() {
            enqueue(.hunt(pool: number, .end(reason)))
        }
        performPending()
    }

    /// Follows what the core reports about a hunt.
    func follow(_ notice: HuntNotice) {
        switch notice {
        case .begun(let id, let order):
            hunts.running[id.pool] = Hunts.Running(
                id: id, order: order, begunAt: now, others: requestsOfOthers(than: id))
        case .ended(let id, let reason, _):
            guard let hunt = hunts.running.removeValue(forKey: id.pool) else { return }
            if hunt.order.pause != nil { pauseOthers(than: id, for: .zero) }
            let report = report(of: id, hunt, reason)
            control.publish(.hunt(id.pool), report.line, last: true, at: now)
            // A worker that never ran is not released.
            if workers[id] == nil { hunts.forget(id) }
        }
    }

    /// Reads the progress of a hunt. One that nobody follows any longer ends.
    func sampleHunt(of id: WorkerID) {
        guard let hunt = hunts.running[id.pool], let worker = workers[id] else { return }
        guard control.hasFollowers(.hunt(id.pool)) else {
            return enqueue(.hunt(pool: id.pool, .end(.clientGone)))
        }
        let (requests, measured) = worker.page?.huntRecord.progress() ?? (0, 0)
        control.publish(
            .hunt(id.pool),
            HuntReport.progress(
                requests: measured, of: hunt.order.requests, after: now - hunt.begunAt),
            last: false, at: now)
        enqueue(
            .hunt(
                pool: id.pool,
                .sampled(id, HuntProgress(requests: requests, measured: measured))))
    }

    /// Lets the other workers of the pool accept no connections for a while, if that is requested.
    func huntedWorkerIsReady(_ id: WorkerID) {
        guard let hunt = hunts.running[id.pool], hunt.id == id, let span = hunt.order.pause else {
            return
        }
        pauseOthers(than: id, for: span)
    }

    private func pauseOthers(than id: WorkerID, for span: TimeSpan) {
        let until = span == .zero ? 0 : UInt64(clamping: (now + span).nanoseconds)
        for worker in workers.ofPool(id.pool) where worker.id != id && !worker.hasExited {
            do throws(SystemCallError) {
                try worker.page?.pauseAccepting(until: until)
            } catch {
                // It takes connections as before.
                continue
            }
        }
    }

    private func requestsOfOthers(than id: WorkerID) -> UInt64 {
        workers.ofPool(id.pool).reduce(0) { sum, worker in
            worker.id == id ? sum : sum &+ (worker.observedTotals?.requests ?? 0)
        }
    }

    private func report(of id: WorkerID, _ hunt: Hunts.Running, _ reason: HuntEnd) -> HuntReport {
        let worker = workers[id]
        let record = worker?.page?.huntRecord
        let rows = record?.rows() ?? []
        let runtimes = record?.runtimes
        let requests = rows.map {
            HuntEstimate.Request(
                route: $0.route, process: $0.process, bytes: $0.bytes,
                residentBytes: $0.residentBytes, overlaps: $0.overlaps, hasEnded: $0.hasEnded)
        }
        let estimate = HuntEstimate(requests)
        let others = requestsOfOthers(than: id)
        return HuntReport(
            pool: service.member(id.pool)?.name ?? "", order: hunt.order, reason: reason,
            duration: now - hunt.begunAt, estimate: estimate,
            runtime: runtimes?.python == true ? .python : runtimes?.node == true ? .node : .other,
            isPython: worker?.runsPython ?? false,
            requests: rows.count, processes: Set(rows.map(\.process)).count,
            others: others > hunt.others ? others - hunt.others : 0,
            lines: record.flatMap { lines(of: $0, rows, estimate) } ?? [])
    }

    /// The lines that have allocated most, in bytes per request of the routes that leak.
    private func lines(
        of record: HuntRecord, _ rows: [HuntRecord.Row], _ estimate: HuntEstimate
    ) -> [HuntReport.Line] {
        let leaking = Set(estimate.routes.filter(\.leaks).map(\.name))
        guard !leaking.isEmpty, let (first, last) = record.traces() else { return [] }
        let span = min(first.requests, rows.count)..<min(last.requests, rows.count)
        let requests = rows[span].count { leaking.contains($0.route) }
        guard requests > 0 else { return [] }
        let before = Dictionary(
            first.lines.map { ($0.name, $0.bytes) }, uniquingKeysWith: { $0 &+ $1 })
        let grown = last.lines.compactMap { line -> HuntReport.Line? in
            let earlier = before[line.name] ?? 0
            guard line.bytes > earlier else { return nil }
            return HuntReport.Line(
                name: line.name, bytes: Double(line.bytes - earlier) / Double(requests))
        }
        return Array(
            grown.sorted { $0.bytes == $1.bytes ? $0.name < $1.name : $0.bytes > $1.bytes }
                .prefix(HuntReport.mostLines))
    }
}

extension RunningWorker {
    /// Whether its first process is a Python interpreter.
    fileprivate var runsPython: Bool {
        guard let pid, let file = ThisProcess.program(of: pid) else { return false }
        return file.split(separator: "/").last?.hasPrefix("python") ?? false
    }
}

/// The log lines of hunts.
extension LogLine {
    init(ofHunt notice: HuntNotice, _ subject: LogSubjects) {
        switch notice {
        case .begun(let id, let order):
            self = subject.line(.info, "hunt-started", id).with("requests", order.requests)
                .with("duration", order.time)
        case .ended(let id, let reason, let progress):
            self = subject.line(.info, "hunt-ended", id).with("reason", reason.name)
                .with("requests", progress.measured)
        }
    }
}
