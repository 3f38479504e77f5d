import SuperviseCore
import SuperviseLinux

/// The result of a search for connections in the kernel's tables, which are long on some machines.
struct KnownConnections {
    /// The time for which a result is used.
    static let freshness = TimeSpan.seconds(1)

    let at: Instant
    let cookies: Set<UInt64>
    /// Those that were found, with their clients; nil if the tables cannot be read.
    let found: [UInt64: String?]?
}

/// Requests that wait for their responses, in the ledgers of workers.
extension Master {
    /// Returns the workers of a pool with requests that have waited for a quarter of
    /// `request-timeout`. A request counts only while the process that received it exists. One that
    /// has waited for all of it counts only if the kernel knows its connection, because a row may
    /// be outdated.
    func waitingRequests(ofPool number: Int) -> [WaitingRequests] {
        guard let timeout = service.member(number)?.pool.policy.requestTimeout else { return [] }
        warnIfInvisible(ofPool: number)
        let now = now
        let slowTime = WaitingRequests.slowTime(timeout)
        var found: [(listeners: [ListenSocket], requests: WaitingRequests)] = []
        for worker in workers.ofPool(number) where !worker.hasExited {
            worker.setSlowTime(slowTime)
            guard let waiting = worker.waitingRequests(at: now, for: slowTime) else { continue }
            found.append((worker.blueprint.listeners.map(\.socket), waiting))
        }
        // Workers of another generation may have other listeners.
        var searches: [(listeners: [ListenSocket], known: [UInt64: String?]?)] = []
        for (listeners, _) in found where !searches.contains(where: { $0.listeners == listeners }) {
            let overdue = found.filter { $0.listeners == listeners }.flatMap(\.requests.slow)
                .filter { now - $0.since >= timeout }
            searches.append((listeners, openConnections(overdue, at: listeners)))
        }
        return found.compactMap { listeners, requests in
            let known = searches.first { $0.listeners == listeners }?.known
            var requests = requests
            requests.slow = requests.slow.compactMap { request in
                guard now - request.since >= timeout, let known else { return request }
                guard let peer = known[request.connection] else { return nil }
                var request = request
                request.peer = peer
                return request
            }
            return requests.slow.isEmpty ? nil : requests
        }
    }

    /// Warns once per pool if the requests of its first worker are not visible.
    private func warnIfInvisible(ofPool number: Int) {
        guard !log.alreadyLogged.contains(.requestsInvisible(pool: number)),
            let worker = workers.ofPool(number).first(where: { !$0.hasExited }),
            worker.blueprint.settings.requestInfo == .auto,
            worker.hasVisibleRequests == false || !worker.blueprint.adoption.observesRequests,
            log.isNew(.requestsInvisible(pool: number))
        else { return }
        log.write(
            LogLine(.warning, "request-timeout-unused", worker).with(
                "message",
                "request-timeout has no effect: the requests of this program are not visible (see "
                    + "request-info). stall-timeout needs only a count"))
    }

    /// Returns the number of requests that have waited for `request-timeout` in a worker that is
    /// stopped for one; 0 for any other, for which it does not matter.
    func stuckRequests(of worker: RunningWorker) -> Int {
        guard core.worker(worker.id)?.isStoppedAsStuck == true,
            let timeout = service.member(worker.id.pool)?.pool.policy.requestTimeout,
            let waiting = worker.waitingRequests(at: now, for: timeout)
        else { return 0 }
        let listeners = worker.blueprint.listeners.map(\.socket)
        guard let known = openConnections(waiting.slow, at: listeners) else {
            return waiting.slow.count
        }
        return waiting.slow.count { known[$0.connection] != nil }
    }

    /// Aborts the processes below a worker that have its stuck requests, because their stacks or
    /// core files show where they hang.
    func abortStuckProcesses(of worker: RunningWorker) {
        guard core.worker(worker.id)?.isStoppedAsStuck == true,
            let found = worker.page?.ledger.inFlight()
        else { return }
        let tree = Set(worker.tree)
        let stuck = Set(found.exchanges.filter { $0.responded == nil }.map(\.pid))
        for pid in stuck.intersection(tree).sorted() where pid != worker.pid {
            guard let process = verified(pid, in: tree, of: worker, orElse: {}) else { continue }
            do throws(SystemCallError) {
                try process.signal(Signal.abort.number)
            } catch {
                // It has just ended.
                continue
            }
        }
    }

    /// Returns the connections of these requests that the kernel knows, with their clients; nil if
    /// its tables cannot be read, or do not contain these listeners.
    private func openConnections(
        _ requests: [StuckRequest], at listeners: [ListenSocket]
    ) -> [UInt64: String?]? {
        guard !requests.isEmpty else { return nil }
        let cookies = Set(requests.map(\.connection))
        if let known = knownConnections, now - known.at < KnownConnections.freshness,
            cookies.isSubset(of: known.cookies)
        {
            return known.found
        }
        let found = openConnections(cookies, at: listeners)
        knownConnections = KnownConnections(at: now, cookies: cookies, found: found)
        return found
    }

    private func openConnections(
        _ cookies: Set<UInt64>, at listeners: [ListenSocket]
    ) -> [UInt64: String?]? {
        guard let diagnosis else { return nil }
        let ports = Set(listeners.compactMap(\.port))
        do throws(SystemCallError) {
            let known = try ConnectionCookies.open(
                among: cookies, ports: ports, includesUnix: listeners.contains { $0.isUnix },
                diagnosis)
            guard known.isEmpty, !ports.isEmpty else { return known }
            // A listener that was passed in may belong to another network namespace.
            let inodes = try PortConnections(ports: ports, diagnosis).listeners
            return Set(listeners.map(\.identity.inode)).isDisjoint(with: inodes) ? nil : known
        } catch {
            return nil
        }
    }
}

private func == (some: [ListenSocket], others: [ListenSocket]) -> Bool {
    some.elementsEqual(others) { $0 === $1 }
}

extension RunningWorker {
    /// Returns the requests without a response since this time; nil if there are none.
    fileprivate func waitingRequests(at now: Instant, for span: TimeSpan) -> WaitingRequests? {
        guard blueprint.ledger != .none, let found = page?.ledger.inFlight() else { return nil }
        let slow = found.exchanges.compactMap { exchange -> StuckRequest? in
            guard exchange.responded == nil, let received = exchange.received,
                let time = Int64(exactly: received)
            else { return nil }
            let since = Instant(nanoseconds: time)
            guard since <= now, now - since >= span, exchange.isHeld else { return nil }
            return StuckRequest(
                connection: exchange.connection, since: since, route: exchange.route)
        }
        guard !slow.isEmpty else { return nil }
        return WaitingRequests(
            id, inFlight: found.exchanges.count + found.changing + Int(clamping: found.unlisted),
            slow: slow.sorted { $0.since < $1.since }, respondedAt: lastSlowResponse(at: now))
    }

    private func lastSlowResponse(at now: Instant) -> Instant? {
        guard let response = page?.ledger.lastSlowResponse(), let time = Int64(exactly: response)
        else { return nil }
        let respondedAt = Instant(nanoseconds: time)
        return respondedAt <= now ? respondedAt : nil
    }

    /// Makes the library record responses that are slow by this time.
    fileprivate func setSlowTime(_ time: TimeSpan) {
        guard blueprint.ledger != .none, slowTime != time, let page else { return }
        do throws(SystemCallError) {
            try page.ledger.setSlowTime(UInt64(clamping: time.nanoseconds))
            slowTime = time
        } catch {
            // Without memory for the page. It is tried again for the next sample.
        }
    }
}
