import SuperviseCore

/// Simulates an elastic pool under load and checks the invariants of its size at every step.
package struct ElasticSimulation<M: Machine> {
    let schedule: ElasticSchedule
    var world: World
    package private(set) var machine: M
    var ledger: ElasticLedger
    var clients: ElasticClients
    private(set) var now = Instant(nanoseconds: 0)
    private(set) var violation: Violation?
    private(set) var exitCode: Int32?
    private var orders: ArraySlice<(at: Int, order: ElasticSchedule.Order)>
    /// Samples that were requested in this turn.
    private var samples: [(pool: Int, SampleContents)] = []
    private var steps = 0
    /// Whether events are recorded, and their records.
    package var isTracing = false
    package private(set) var trace: [String] = []
    /// The numbers of notices.
    package private(set) var ups = 0
    package private(set) var downs = 0
    package private(set) var blocks = 0
    package private(set) var wakes = 0

    package init(_ schedule: ElasticSchedule, of machine: M) {
        self.schedule = schedule
        self.machine = machine
        world = World(schedule.base)
        ledger = ElasticLedger(schedule.base.pools[0].policy)
        clients = ElasticClients(schedule)
        orders = schedule.orders[...]
    }

    var pool: Pool? { machine.service.members.first?.pool }

    package mutating func run() -> Violation? {
        send(.start)
        let stopAt = Instant(milliseconds: schedule.stopAt)
        let limit = stopAt + .seconds(60)
        while violation == nil, exitCode == nil {
            var next = [world.nextAt, machine.nextDeadline, clients.nextAt(after: now), limit]
                .compactMap { $0 }
            if !ledger.isStopping { next.append(stopAt) }
            next += orders.prefix(1).map { Instant(milliseconds: $0.at) }
            let rested = now
            now = max(now, next.min() ?? limit, world.stalledUntil)
            if now >= limit || steps > 400_000 { violate(.terminates, "it does not end") }
            turn(since: rested)
            if violation == nil, now >= stopAt, !ledger.isStopping, exitCode == nil {
                checkRest()
                send(.stop(.graceful))
            }
        }
        return violation
    }

    /// Runs one turn of the master's loop: all pending events, then the deadlines.
    private mutating func turn(since rested: Instant) {
        if let deadline = machine.nextDeadline, now - deadline > .milliseconds(500) {
            ledger.calmSince = now
            send(.late(by: now - rested))
        }
        clients.advance(to: now, serving: acceptors)
        // The registration is level-triggered: a connection that waits is announced, too.
        if !clients.queue.isEmpty, ledger.isArmed {
            ledger.isArmed = false
            wakes += 1
            send(.connectionAnnounced(pool: 0))
        }
        while exitCode == nil, violation == nil, let events = world.advance(to: now) {
            for event in events where exitCode == nil { send(event) }
        }
        clients.advance(to: now, serving: acceptors)
        while let next = orders.first, Instant(milliseconds: next.at) <= now {
            orders.removeFirst()
            guard exitCode == nil else { continue }
            switch next.order {
            case .resize(let change): send(.resize(pool: 0, by: change))
            case .setBounds(let bounds): send(.setBounds(pool: 0, bounds))
            }
        }
        answerSamples()
        for _ in 0..<4 {
            guard exitCode == nil, violation == nil, let deadline = machine.nextDeadline,
                deadline <= now
            else { break }
            send(.deadline)
            answerSamples()
        }
        if violation == nil, exitCode == nil { checkTurn() }
    }

    /// The workers that wait for connections.
    private var acceptors: [WorkerID] {
        world.present.filter { id in
            guard let process = world.processes[id] else { return false }
            return process.isAlive && process.isWaiting && !process.isStopping
                && !ledger.drained.contains(id)
        }
    }

    private mutating func answerSamples() {
        while !samples.isEmpty, exitCode == nil, violation == nil {
            let (number, contents) = samples.removeFirst()
            var sample = PoolSample()
            let running = world.present.filter { world.processes[$0]?.hasExecuted == true }
            if contents.contains(.memory) {
                sample.memory = running.map { PoolSample.Figure($0, bytes: memory(of: $0)) }
                for id in running { ledger.memory[id] = memory(of: id) }
            }
            if contents.contains(.load) {
                sample.load = PoolSample.Load(
                    waiting: clients.queue.count,
                    workers: running.map {
                        PoolSample.Load.Figure(
                            $0, accepted: clients.accepted[$0],
                            isBusy: clients.busyUntil[$0].map { $0 > now } ?? false)
                    })
            }
            send(.sampled(pool: number, sample))
        }
    }

    func memory(of id: WorkerID) -> UInt64 {
        UInt64(schedule.memory[id.slot % schedule.memory.count]) << 20
    }

    /// Passes an event to the machine, performs its actions and checks them.
    mutating func send(_ event: Service.Event) {
        guard violation == nil else { return }
        steps += 1
        prepare(for: event)
        let actions = machine.handle(event, at: now)
        if isTracing {
            trace.append(
                "\((now - Instant(nanoseconds: 0)).seconds) queue \(clients.queue.count) "
                    + "size \(pool?.size ?? -1) \(event) -> \(actions)")
        }
        for action in actions where violation == nil {
            observe(action)
            if case .perform(.sample(let pool, let contents)) = action {
                samples.append((pool, contents))
            } else {
                world.perform(action, at: now)
            }
        }
        if violation == nil { checkStep() }
    }

    mutating func violate(_ invariant: ElasticInvariant, _ detail: String) {
        guard violation == nil else { return }
        violation = Violation(invariant: invariant.rawValue, detail: detail, at: now)
    }

    mutating func count(_ notice: ScaleNotice) {
        switch notice {
        case .up: ups += 1
        case .down: downs += 1
        case .blocked: blocks += 1
        case .bounds: break
        }
    }

    mutating func ended(_ code: Int32) { exitCode = code }
}
