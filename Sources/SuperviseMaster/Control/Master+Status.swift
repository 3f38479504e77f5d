import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The status, created on request.
extension Master {
    /// Reads the figures that the status reports, unless they are fresh.
    func refreshFigures(for access: ControlAccess) {
        endInterference(with: generations[service.generation]?.listeners.map(\.socket) ?? [])
        sampler.refresh(for: access, at: now)
        performPending()
    }

    /// The resident set in bytes; nil if it is unreadable.
    private var ownMemory: UInt64? {
        do throws(SystemCallError) {
            return try ProcessMemory.residentBytes(of: ThisProcess.pid)
        } catch {
            return nil
        }
    }

    /// Returns a rendering of the status, made once per turn unless an event occurs in between. So
    /// the number of clients does not increase the number of renderings beyond that of changes.
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
        master.wallNanoseconds = Clocks.read().wallNanoseconds
        master.memoryBytes = ownMemory
        master.processorTime = TimeSpan(nanoseconds: ThisProcess.processorNanoseconds)
        master.reloadsComplete = reloader.counts.complete
        master.reloadsAborted = reloader.counts.aborted
        master.reloadsFailed = reloader.counts.failed
        master.upgradesComplete = upgrader.counts.complete
        master.upgradesFailed = upgrader.counts.failed
        master.configurationProblems = reloader.counts.problems
        master.isReadingConfiguration = reloader.isReading || preparation?.isFirst == false
        master.eventsDropped = control.dropped
        master.outputLinesDropped = output.droppedLines
        master.canaryOutputs = reloader.counts.canaryOutputs
        master.lastChange = log.feed.changes.last?.sequence ?? 0
        master.clients = control.clients
        var report = StatusReport(
            master: master, snapshot: service.snapshot(at: now), listeners: listenerReports(),
            process: { [workers, reaper] id in
                if let worker = workers[id], let pid = worker.pid {
                    return worker.report(pid)
                }
                return reaper.exited.process(of: id)
            })
        report.requests = { [workers] id in
            guard let worker = workers[id] else { return StatusReport.Requests() }
            return StatusReport.Requests(
                inFlight: worker.requestsInFlight(), areVisible: worker.hasVisibleRequests)
        }
        report.processorTime = { [workers] id in
            workers[id]?.livingPID.flatMap(ProcessorTime.nanoseconds(of:)).map(
                TimeSpan.init(nanoseconds:))
        }
        report.requestTime = { [workers] id in workers[id]?.requestTime }
        report.molds = moldReports()
        return report
    }

    /// Returns the listeners of this pool, or of all pools.
    func listenerReports(ofPool number: Int? = nil) -> [StatusReport.Listener] {
        service.members.filter { number == nil || $0.pool.number == number }.flatMap {
            member -> [StatusReport.Listener] in
            let blueprint = generations[member.pool.generation]?.blueprints[member.name]
            return (blueprint?.listeners ?? []).map { listener in
                let queue = queue(of: listener.socket)
                return StatusReport.Listener(
                    pool: member.pool.number, address: listener.socket.address,
                    waiting: queue?.waiting, limit: queue?.limit)
            }
        }
    }

    /// Returns the accept queue of a listener; nil if the kernel does not report it.
    func queue(of socket: ListenSocket) -> AcceptQueue? {
        do throws(SystemCallError) {
            return try diagnosis?.queue(of: socket)
        } catch {
            return nil
        }
    }
}

/// The renderings of this turn.
struct Renderings {
    var history: [UInt8]?
    /// Without routes, for `status-bind`.
    var publicHistory: [UInt8]?
    var status: [UInt8]?
    /// Without routes, for `status-bind`.
    var publicStatus: [UInt8]?
    var metrics: [UInt8]?
}
