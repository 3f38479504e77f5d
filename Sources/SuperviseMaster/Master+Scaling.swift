import SuperviseCore
import SuperviseLinux

/// Elastic pools: the load that the core decides by, and the announcement of connections.
extension Master {
    /// Announces the next connection at the listeners of a pool.
    func awaitConnection(ofPool number: Int) {
        // A pool without workers may start none for months, so the master is announced without one.
        announce()
        do throws(SystemCallError) {
            if arrivals == nil {
                let watch = try ArrivalWatch()
                try poll.add(watch.rawValue, .readable, token: Token.arrivals)
                arrivals = watch
            }
            try arrivals?.arm(pool: number, listeners(ofPool: number))
        } catch {
            guard log.isNew(.arrivalsUnwatched(pool: number)) else { return }
            log.write(
                LogLine(.error, "scaling-failed").with("pool", service.member(number)?.name)
                    .with("error", error.description)
                    .with("message", "connections cannot be awaited; the pool keeps its size"))
        }
    }

    /// Handles announced connections.
    func takeArrivals() {
        guard let arrivals else { return }
        do throws(SystemCallError) {
            for pool in try arrivals.take() { enqueue(.connectionAnnounced(pool: pool)) }
        } catch {
            preconditionFailure("the epoll set of arrivals is ours: \(error)")
        }
    }

    /// Continues to await connections, after an upgrade or if listeners listen now.
    func resumeArrivals(ofPool number: Int? = nil) {
        for member in service.members
        where member.pool.awaitsConnection && member.pool.number == number ?? member.pool.number {
            awaitConnection(ofPool: member.pool.number)
        }
    }

    private func listeners(ofPool number: Int) -> [ListenSocket] {
        guard let member = service.member(number) else { return [] }
        let blueprint = generations[member.pool.generation]?.blueprints[member.name]
        return (blueprint?.listeners ?? []).map(\.socket)
    }

    /// Returns the load of a pool.
    func load(ofPool number: Int) -> PoolSample.Load {
        let waiting = listeners(ofPool: number).reduce(0) { sum, socket in
            sum + (queue(of: socket)?.waiting ?? (socket.hasWaitingConnection ? 1 : 0))
        }
        let measure = service.member(number)?.pool.policy.scaleBy ?? .requests
        let running = workers.ofPool(number).filter { !$0.hasExited }
        return PoolSample.Load(
            waiting: waiting, workers: running.map { load(of: $0, by: measure) })
    }

    private func load(of worker: RunningWorker, by measure: ScaleMeasure) -> PoolSample.Load.Figure
    {
        let totals = worker.observedTotals
        let reported = worker.blueprint.adoption.countsReports ? worker.page?.requests() : nil
        let served = [totals?.requests, reported].compactMap { $0 }.max()
        let connections = totals?.connections ?? worker.page?.connections() ?? 0
        let isBusy = measure == .requests ? worker.visibleInFlight.map { $0 > 0 } : nil
        return PoolSample.Load.Figure(
            worker.id,
            // A worker that reports its requests has accepted about as many connections.
            accepted: connections > 0 ? connections : reported.flatMap { $0 > 0 ? $0 : nil },
            served: served, isBusy: isBusy,
            processorTime: isBusy == nil ? processorTime(of: worker) : nil)
    }

    private func processorTime(of worker: RunningWorker) -> TimeSpan {
        TimeSpan(
            nanoseconds: worker.tree.reduce(0) {
                $0 + (ProcessorTime.nanoseconds(of: $1) ?? 0)
            })
    }
}

/// The log lines of elastic pools.
extension LogLine {
    init(ofScaling notice: ScaleNotice, _ subject: LogSubjects) {
        switch notice {
        case .up(let pool, let from, let to, let cause):
            let line = subject.line(.info, "scaled-up", pool).with("from", from).with("to", to)
                .with("cause", cause.name)
            self =
                switch cause {
                case .connection: line
                case .waitingTime(let span): line.with("waiting_time", span)
                case .unserved(let count): line.with("waiting", count)
                case .processorTime(let percent): line.with("cpu_percent", percent)
                }
        case .down(let pool, let from, let to):
            self = subject.line(.info, "scaled-down", pool).with("from", from).with("to", to)
                .with("cause", "idle")
        case .blocked(let pool, let workers, let needed, let block, let bytes):
            let isByMemory = block != .maximum
            self = subject.line(.warning, "scale-blocked", pool).with("by", block.rawValue)
                .with("workers", workers).with("needed", needed)
                .with("worker_rss", bytes: isByMemory ? bytes : nil)
                .with("message", block.advice)
        case .bounds(let pool, let from, let to):
            self = subject.line(.info, "bounds-changed", pool)
                .with("from", from.text).with("to", to.text)
        }
    }
}

extension ScaleCause {
    fileprivate var name: String {
        switch self {
        case .connection: "connection"
        case .waitingTime: "waiting-time"
        case .unserved: "unserved"
        case .processorTime: "cpu"
        }
    }
}

extension ScaleBlock {
    fileprivate var advice: String {
        switch self {
        case .poolMemory: "another worker would exceed max-pool-rss, so connections wait longer"
        case .memoryLimit:
            "another worker would not leave enough memory, so connections wait longer"
        case .maximum:
            "the load needs more workers than the upper bound of workers, so connections wait longer"
        }
    }
}
