import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// What the status tells, put together when somebody asks.
extension Master {
    /// Figures that are younger than this are not read again.
    private static let freshness = TimeSpan.milliseconds(500)

    /// Of how many workers the memory is read for a scrape, which is to cost little however many there
    /// are. A larger service takes several scrapes.
    private static let measuredPerScrape = 64

    /// Reads the counts of all workers, and the memory of those that nobody samples anyway: of all of
    /// them for an operator, of some for a scrape.
    func refreshFigures(for access: ControlAccess) {
        let now = now
        if let last = figuresReadAt, now - last < Master.freshness { return }
        figuresReadAt = now
        let sampled = Set(service.members.filter(\.pool.isSampled).map(\.pool.number))
        var unmeasured: [UInt64] = []
        for worker in workers.bySerial.values where !worker.hasExited {
            readCount(of: worker)
            if !sampled.contains(worker.id.pool) { unmeasured.append(worker.serial) }
        }
        for serial in nextToMeasure(of: unmeasured, for: access) {
            guard let worker = workers[serial: serial] else { continue }
            measure(worker, at: now.nanoseconds, nearBytes: nil)
        }
        performPending()
    }

    /// The workers whose turn it is, around the table of all.
    private func nextToMeasure(of serials: [UInt64], for access: ControlAccess) -> [UInt64] {
        guard access == .readOnly, serials.count > Master.measuredPerScrape else { return serials }
        let sorted = serials.sorted()
        let start = sorted.firstIndex { $0 > lastMeasured } ?? 0
        let turn = (0..<Master.measuredPerScrape).map { sorted[(start + $0) % sorted.count] }
        lastMeasured = turn.last ?? 0
        return turn
    }

    /// The resident set in bytes, nil where it can't be told.
    private var ownMemory: UInt64? {
        do throws(SystemCallError) {
            return try ProcessMemory.residentBytes(of: ThisProcess.pid)
        } catch {
            return nil
        }
    }

    /// A rendering of the status, made once per turn unless something happens in between: however many
    /// clients ask, the loop renders no more often than things change.
    func rendered(
        _ kind: WritableKeyPath<Renderings, [UInt8]?>, _ render: (StatusReport) -> [UInt8]
    ) -> [UInt8] {
        if let known = renderings[keyPath: kind] { return known }
        let new = render(statusReport())
        renderings[keyPath: kind] = new
        return new
    }

    func statusReport() -> StatusReport {
        let now = now
        let uptime = now - start.at
        var master = StatusReport.Master(
            name: generations[service.generation]?.master?.name ?? "",
            pid: ThisProcess.pid, version: Version.current,
            startedAtSeconds: start.atWall, uptime: uptime)
        master.memoryBytes = ownMemory
        master.processorTime = TimeSpan(nanoseconds: ThisProcess.processorNanoseconds)
        master.reloadsComplete = reloads.complete
        master.reloadsAborted = reloads.aborted
        master.reloadsFailed = reloads.failed
        master.upgradesComplete = upgrades.complete
        master.upgradesFailed = upgrades.failed
        master.configurationProblems = reloads.problems
        master.isReadingConfiguration = loader != nil || preparation?.isFirst == false
        master.eventsDropped = control.dropped
        master.outputLinesDropped = output.droppedLines
        master.canaryOutputs = reloads.canaryOutputs
        master.clients = control.clients
        return StatusReport(
            master: master, snapshot: service.snapshot(at: now), listeners: listenerReports(),
            process: { [workers, exited] id in
                if let worker = workers[id], let pid = worker.pid {
                    return StatusReport.Process(pid: pid, text: worker.statusText)
                }
                return exited.process(of: id)
            })
    }

    private func listenerReports() -> [StatusReport.Listener] {
        service.members.flatMap { member -> [StatusReport.Listener] in
            let blueprint = generations[member.pool.generation]?.blueprints[member.name]
            return (blueprint?.listeners ?? []).map { listener in
                let queue = queue(of: listener.socket)
                return StatusReport.Listener(
                    pool: member.pool.number, address: listener.socket.address,
                    waiting: queue?.waiting, limit: queue?.limit)
            }
        }
    }

    /// What waits at a listener; nil where the kernel does not tell.
    private func queue(of socket: ListenSocket) -> AcceptQueue? {
        do throws(SystemCallError) {
            return try diagnosis?.queue(of: socket)
        } catch {
            return nil
        }
    }

    /// Counts reloads by their result.
    func countReload(_ notice: Notice) {
        if case .reloadBegun = notice {
            reloads.problems = []
            reloads.canaryOutputs = [:]
        }
        if case .canaryFailed(let pool, _, _) = notice, let name = service.member(pool)?.name {
            reloads.canaryOutputs[name] = lastLine(for: notice)
        }
        if case .reloadComplete = notice {
            reloads.problems = []
            reloads.complete += 1
        }
        if case .reloadAborted = notice {
            reloads.problems = []
            reloads.aborted += 1
        }
    }
}

/// What was rendered in this turn.
struct Renderings {
    var status: [UInt8]?
    var metrics: [UInt8]?
}

/// How reloads went.
struct ReloadCounts: Codable {
    var complete: UInt64 = 0
    var aborted: UInt64 = 0
    var failed: UInt64 = 0
    /// What was wrong with the newest configuration, where nothing came of it.
    var problems: [String] = []
    /// The last line of output of the canaries that failed, by pool.
    var canaryOutputs: [String: String] = [:]
}
