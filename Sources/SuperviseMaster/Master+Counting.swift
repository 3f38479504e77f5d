import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Selects the source of a worker's request count and reads it.
extension Master {
    /// Sets the threshold. A worker that has already passed it sends no notification for it, so its
    /// count is read.
    func setNotifyThreshold(_ requests: UInt64, of id: WorkerID) {
        guard let worker = workers[id], let page = worker.page else { return }
        do throws(SystemCallError) {
            try page.setLimit(requests)
        } catch {
            log.write(LogLine(.warning, "page-failed", worker).with("error", error.description))
        }
        readCount(of: worker)
    }

    /// Reads the worker's count from its page.
    func readCount(of worker: RunningWorker) {
        if let event = currentCount(of: worker) { count(event, of: worker) }
    }

    /// Returns the count of the worker's page from the best source: the worker's own count, the
    /// responses that the library has observed, or the connections. Connections count only if
    /// requests are not visible.
    func currentCount(of worker: RunningWorker) -> WorkerEvent? {
        guard let page = worker.page else { return nil }
        let adoption = worker.blueprint.adoption
        if adoption.countsReports, let requests = page.requests(), requests > 0 {
            return .requests(requests)
        }
        guard adoption.countsConnections else { return nil }
        let totals = worker.observedTotals
        if let totals, totals.requests > 0 { return .responses(totals.requests) }
        guard let connections = page.connections(), connections > 0,
            totals?.isOpaque ?? true
        else { return nil }
        return .connections(connections)
    }

    /// Reads the counts of booting workers, because one that a reload supersedes may have
    /// connections.
    func countBooting() {
        for member in service.members {
            for worker in workers.ofPool(member.pool.number)
            where member.pool.worker(worker.id)?.readyAt == nil { readCount(of: worker) }
        }
    }

    /// Records a count, if the `count` setting includes its source.
    func count(_ news: WorkerEvent, of worker: RunningWorker) {
        let adoption = worker.blueprint.adoption
        let source = news.countSource
        let isReported = source == .report
        guard isReported ? adoption.countsReports : adoption.countsConnections else { return }
        worker.blueprint.hasCounted = true
        enqueue(worker.id, news)
        guard log.isNew(.counting(pool: worker.id.pool)) else { return }
        let isMisleading = source.unit == .connections && worker.blueprint.policy.maxRequests > 0
        log.write(
            LogLine(isMisleading ? .warning : .info, "counting")
                .with("pool", worker.blueprint.settings.name)
                .with("source", isReported ? "report" : "preload")
                .with("unit", source.unit.rawValue)
                .with("message", isMisleading ? Master.connectionsAdvice : nil))
    }

    /// Warns once per pool if `max-requests` has no count. A worker that reported itself uses the
    /// contract, a new one shows nothing yet, and if another one was counted its memory need not be
    /// searched.
    func warnIfUncounted(_ id: WorkerID, readyBy rule: ReadyRule) {
        guard let worker = workers[id], worker.blueprint.policy.maxRequests > 0,
            !worker.blueprint.hasCounted, rule != .notify,
            rule != .exec || !worker.blueprint.adoption.countsConnections,
            !log.alreadyLogged.contains(.uncounted(pool: id.pool)), isCountable(worker) == false,
            log.isNew(.uncounted(pool: id.pool))
        else { return }
        let also =
            worker.blueprint.settings.count == .auto
            ? ", and the preload library cannot count for it" : ""
        log.write(
            LogLine(.warning, "requests-not-counted", worker).with(
                "message",
                "max-requests is set, but this program does not seem to count its requests"
                    + also + Master.countingAdvice))
    }

    /// Returns whether any process in the worker's tree can count: it maps the page, or it has
    /// loaded the library. Returns nil if this is not visible.
    private func isCountable(_ worker: RunningWorker) -> Bool? {
        let adoption = worker.blueprint.adoption
        let tree = worker.processes
        let library = adoption.countsConnections ? adoption.library : nil
        let byLibrary: Bool? =
            if let library {
                ProcessMaps.contain("/" + PreloadLibrary.fileName(library), in: tree)
            } else { false }
        let byItself = adoption.countsReports ? worker.page?.isMapped(by: tree) : false
        if byLibrary == true || byItself == true { return true }
        return byLibrary == nil || byItself == nil ? nil : false
    }

    private static let connectionsAdvice =
        "the requests of this program are not visible, so max-requests counts connections. A "
        + "keep-alive connection carries many requests: behind a proxy, a worker may never reach its "
        + "limit. Report the requests from the program (supervise help count), or set max-lifetime or "
        + "max-rss"
    private static let countingAdvice =
        ". Count them in the page of $SUPERVISE_WORKER_PAGE, or send X_REQUESTS=+1 to "
        + "$NOTIFY_SOCKET; max-lifetime and max-rss work without a count"
}

extension WorkerEvent {
    /// The source of this count.
    fileprivate var countSource: CountSource {
        switch self {
        case .connections: .preload
        case .responses: .observed
        default: .report
        }
    }
}
