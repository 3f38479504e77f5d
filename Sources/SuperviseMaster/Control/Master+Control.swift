import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// Control requests: monitoring and control of the master.
extension Master {
    /// Serves a ready socket of the control server.
    func serveControl(serial: UInt64) {
        control.serve(serial: serial, at: now, answer)
    }

    /// Publishes new events and runs their commands, before the loop waits.
    func settleControl() {
        recordFigures()
        hooks.startWaiting(at: now) { [log] command, error in
            log.write(
                LogLine(.warning, "hook-failed").with("command", command).with("error", error))
        }
        let skipped = hooks.takeSkipped()
        if skipped > 0 { log.write(LogLine(.warning, "hooks-skipped").with("events", skipped)) }
        control.settle(at: now, answer)
    }

    /// Sends events to their followers and to the commands of `on-event`.
    func listenToEvents() {
        applyHooks(generations[service.generation]?.master)
        // The log outlives the master: the cleanup at the exit can fail.
        log.feed.listener = { [weak self] event in
            guard let self else { return }
            hooks.take(event)
            if control.hasFollowers(.events) {
                control.publish(.events, event.json, last: false, at: now)
            }
            if control.hasFollowers(.publicEvents) {
                control.publish(.publicEvents, event.withoutRoutes.json, last: false, at: now)
            }
        }
    }

    /// Applies the commands of `on-event` in a configuration. If there is not enough memory for
    /// them, the previous ones stay.
    func applyHooks(_ settings: MasterSettings?) {
        do throws(SystemCallError) {
            try hooks.apply(settings?.hooks ?? [])
        } catch {
            log.write(
                LogLine(.error, "hook-failed").with("key", "on-event")
                    .with("error", error.description))
        }
    }

    /// Reports the end to the clients that wait for it.
    func reportExit(_ exitCode: Int32) {
        log.write(LogLine(.info, "master-stopped").with("exit_code", exitCode))
        let line = "{\"stage\":\"stopped\",\"exit_code\":\(exitCode)}\n"
        control.publish(.stop, Array(line.utf8), last: true, at: now)
        control.beginTurn()
        settleControl()
    }

    private func answer(_ http: HTTPRequest, _ connection: ControlConnection) {
        guard connection.endpoint.admits(host: http.host) else {
            return refuse(.misdirected, connection)
        }
        switch ControlRoute.request(for: http, access: connection.endpoint.access) {
        case .failure(let refusal): refuse(refusal, connection)
        case .success(let request):
            do throws(ControlRefusal) {
                try answer(request, connection)
            } catch {
                refuse(error, connection)
            }
        }
    }

    private func refuse(_ refusal: ControlRefusal, _ connection: ControlConnection) {
        connection.conversation.answer(refusal.response, at: now)
    }

    private func answer(
        _ request: ControlRequest, _ connection: ControlConnection
    ) throws(ControlRefusal) {
        let response: HTTPResponse
        switch request {
        case .page(let asHTML): response = asHTML ? StatusReport.page : StatusReport.index
        case .status:
            refreshFigures(for: connection.endpoint.access)
            response =
                showsRoutes(on: connection)
                ? .ok(.json, rendered(\.status) { $0.json })
                : .ok(.json, rendered(\.publicStatus) { $0.withoutRoutes.json })
        case .metrics:
            refreshFigures(for: connection.endpoint.access)
            response = .ok(.metrics, rendered(\.metrics) { $0.metrics })
        case .leaks(let name):
            guard showsRoutes(on: connection) else { throw .routesHidden }
            response = .ok(.json, try leaksReport(ofPool: name).json)
        case .history(let since):
            response = .ok(.json, history(since: since, for: connection.endpoint.access))
        case .health: response = StatusReport.health
        case .readiness: response = StatusReport.readiness(service.snapshot(at: now))
        case .events(follow: false): response = .ok(.lines, recentEvents(for: connection))
        case .events(follow: true): return try followEvents(connection)
        case .reload(let wait):
            try mustNotStop()
            logCommand("reload", connection)
            if wait { try begin(.reload(reloader.upcoming), connection) }
            reload()
            if wait { return }
            response = .accepted
        case .recycle(let pool, let slot):
            response = try recycle(pool, slot, connection)
        case .scale(let pool, let scale):
            response = try resize(pool, scale, connection)
        case .runNow(let name): response = try runNow(name, connection)
        case .hunt(let name, let order): return try hunt(name, order, connection)
        case .stop(let haste, let wait):
            logCommand("stop", connection, haste.name)
            if wait { try begin(.stop, connection) }
            stop(.stop(haste))
            performPending()
            if wait { return }
            response = .accepted
        case .reopen:
            response = reopen(connection)
        case .upgrade(let wait):
            try mustNotStop()
            logCommand("upgrade", connection)
            if wait { try begin(.upgrade, connection) }
            upgrader.begin()
            if wait { return }
            response = .accepted
        }
        connection.conversation.answer(response, at: now)
    }

    private func recentEvents(for connection: ControlConnection) -> [UInt8] {
        let isPublic = !showsRoutes(on: connection)
        return log.feed.events.flatMap { (isPublic ? $0.withoutRoutes : $0).json }
    }

    private func followEvents(_ connection: ControlConnection) throws(ControlRefusal) {
        try begin(showsRoutes(on: connection) ? .events : .publicEvents, connection)
        connection.conversation.stream(recentEvents(for: connection), at: now)
    }

    private func begin(
        _ stream: ControlConnection.Stream, _ connection: ControlConnection
    ) throws(ControlRefusal) {
        guard control.hasRoomForFollower(connection) else {
            throw .conflict(
                "the limit of \(ControlServer.mostFollowers) following clients is reached")
        }
        connection.stream = stream
        connection.conversation.beginStream(.lines, at: now)
    }

    private func hunt(
        _ name: String?, _ order: HuntOrder, _ connection: ControlConnection
    ) throws(ControlRefusal) {
        try mustNotStop()
        let member = try pool(name)
        try mustBeHuntable(member)
        try begin(.hunt(member.pool.number), connection)
        logCommand("hunt", connection, member.name)
        enqueue(.hunt(pool: member.pool.number, .begin(order)))
        performPending()
    }

    /// Whether a client may know the routes of requests.
    private func showsRoutes(on connection: ControlConnection) -> Bool {
        connection.endpoint.access == .full
            || generations[service.generation]?.master?.statusRoutes == true
    }

    private func runNow(
        _ name: String?, _ connection: ControlConnection
    ) throws(ControlRefusal) -> HTTPResponse {
        try mustNotStop()
        let member = try pool(name)
        logCommand("run-now", connection, member.name)
        return try runNow(member)
    }

    private func reopen(_ connection: ControlConnection) -> HTTPResponse {
        logCommand("reopen", connection)
        reopen()
        return .accepted
    }

    private func mustNotStop() throws(ControlRefusal) {
        guard service.haste == nil else { throw .conflict("the master is stopping") }
    }

    private func logCommand(
        _ verb: String, _ connection: ControlConnection, _ detail: String? = nil
    ) {
        log.write(
            LogLine(.info, "control").with("verb", verb).with("detail", detail)
                .with("sender", connection.peer?.pid).with("uid", connection.peer?.uid))
    }

    private func recycle(
        _ name: String?, _ slot: Int?, _ connection: ControlConnection
    ) throws(ControlRefusal) -> HTTPResponse {
        try mustNotStop()
        let member = try pool(name)
        let snapshot = service.snapshot(at: now).pools.first { $0.number == member.pool.number }
        let serving = Set((snapshot?.workers ?? []).filter(\.isServing).map(\.id.slot))
        if let slot, !serving.contains(slot) {
            guard slot < member.pool.size else {
                throw .notFound("pool \(member.name) has no slot \(slot)")
            }
            throw .conflict("slot \(slot) of pool \(member.name) has no ready worker")
        }
        guard !serving.isEmpty else { throw .conflict("pool \(member.name) has no ready worker") }
        logCommand(
            "recycle", connection, "\(member.name) \(slot.map { "\($0)" } ?? "all")")
        enqueue(.recycle(pool: member.pool.number, slot: slot))
        performPending()
        return .recycling(pool: member.name, slots: slot.map { [$0] } ?? serving.sorted())
    }

    private func resize(
        _ name: String?, _ scale: ControlRequest.Scale, _ connection: ControlConnection
    ) throws(ControlRefusal) -> HTTPResponse {
        try mustNotStop()
        let member = try pool(name)
        guard !member.pool.isScheduled else {
            throw .conflict(
                "pool \(member.name) has a schedule, so it has one run at a time")
        }
        let before = member.pool.size
        let event: Service.Event
        switch (scale, member.pool.bounds) {
        case (.to(let size), nil): event = .resize(pool: member.pool.number, by: size - before)
        case (.to(let size), _?):
            event = .setBounds(
                pool: member.pool.number, WorkerBounds(minimum: size, maximum: size))
        case (.by(let change), _): event = .resize(pool: member.pool.number, by: change)
        case (.within(let bounds), _?):
            event = .setBounds(pool: member.pool.number, bounds)
        case (.within(let bounds), nil):
            throw .conflict(
                "pool \(member.name) has a fixed number of workers; to let it follow the load, set "
                    + "workers = \(bounds.text) in the configuration and reload")
        }
        logCommand("scale", connection, "\(member.name) \(scale.text)")
        enqueue(event)
        performPending()
        let pool = service.member(member.pool.number)?.pool
        return .scaled(
            pool: member.name, from: before, to: pool?.size ?? before, bounds: pool?.bounds,
            caps: pool.flatMap { $0.policy.hasMemoryPercentages ? $0.memoryCaps : nil })
    }

    /// Returns the pool of this name, or the only pool.
    func pool(_ name: String?) throws(ControlRefusal) -> Service.Member {
        let kept = service.members.filter { !$0.isRemoved }
        let names = kept.map(\.name).joined(separator: ", ")
        if let name {
            guard let member = kept.first(where: { $0.name == name }) else {
                throw .notFound("unknown pool \(name); the pools are \(names)")
            }
            return member
        }
        guard let only = kept.first, kept.count == 1 else {
            throw .ambiguous(
                "missing parameter: pass pool=NAME (--pool NAME); the pools are \(names)")
        }
        return only
    }
}

extension ControlRequest.Scale {
    fileprivate var text: String {
        switch self {
        case .to(let size): "\(size)"
        case .by(let change): change > 0 ? "+\(change)" : "\(change)"
        case .within(let bounds): bounds.text
        }
    }
}

extension WorkerSnapshot {
    /// Whether it can be asked to be recycled.
    fileprivate var isServing: Bool { state == .ready && !isReplacement && !isHunted }
}
