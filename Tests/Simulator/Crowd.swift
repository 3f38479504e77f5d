import SuperviseCore

/// A large pool of workers that behave as expected: they boot, report requests, reach their
/// lifetime, sometimes crash. It drives the service without the invariants, to measure the
/// machine's own time.
package struct Crowd {
    private enum Occurrence {
        case news(WorkerID, WorkerEvent)
        case reload
    }

    private var service: Service
    private let plan: Service.Plan
    private var agenda = Agenda<Occurrence>()
    private var draws = Draws(seed: 1, 4)
    private var now = Instant(nanoseconds: 0)
    /// The interval between reports of a worker, in milliseconds.
    private let reporting: Int
    /// The number of workers in a thousand that crash before they reach their lifetime.
    private let crashing: Int
    package private(set) var events = 0
    package private(set) var starts = 0
    package private(set) var reloads = 0

    package var servingCount: Int { service.members[0].pool.servingCount }

    /// Creates this many slots. Each worker is recycled after a day, one in a hundred slots at a
    /// time.
    package init(slots: Int, reporting: Int, crashing: Int) {
        plan = Service.Plan("crowd") {
            $0.workers = slots
            $0.hasListeners = true
            $0.readiness = .notify
            $0.maxLifetime = .seconds(86_400)
            $0.maxLifetimeJitter = .seconds(3_600)
            $0.maxSurge = .percent(1)
        }
        self.reporting = reporting
        self.crashing = crashing
        service = Service([plan], seed: 1)
    }

    /// Runs for this many days, with a reload every three days.
    package mutating func live(days: Int) {
        let end = Instant(nanoseconds: 0) + .seconds(Int64(days) * 86_400)
        for day in stride(from: 3, to: days, by: 3) {
            agenda.enter(.reload, at: Instant(nanoseconds: 0) + .seconds(Int64(day) * 86_400))
        }
        send(.start)
        while let next = [agenda.nextAt, service.nextDeadline].compactMap({ $0 }).min(), next < end
        {
            now = max(now, next)
            while let occurrence = agenda.next(through: now) {
                switch occurrence {
                case .news(let id, let news): arrive(id, news)
                case .reload:
                    reloads += 1
                    send(.reload([plan]))
                }
            }
            if let deadline = service.nextDeadline, deadline <= now { send(.deadline) }
        }
    }

    private mutating func arrive(_ id: WorkerID, _ news: WorkerEvent) {
        guard let worker = service.member(id.pool)?.pool.worker(id) else { return }
        if case .moreRequests = news {
            guard worker.isReady else { return }
            agenda.enter(.news(id, news), at: now + .milliseconds(Int64(reporting)))
        }
        send(.worker(id, news))
    }

    private mutating func send(_ event: Service.Event) {
        events += 1
        for action in service.handle(event, at: now) {
            guard case .perform(let action) = action else { continue }
            switch action {
            case .start(let id, _): begin(id)
            case .signal(let id, _):
                agenda.enter(
                    .news(id, .exited(.code(0), leavesTree: false)), at: now + .seconds(1))
            case .sampleConnections(let id, _):
                agenda.enter(
                    .news(id, .connectionSample(ConnectionSample())), at: now + .seconds(1))
            case .sampleHunt, .startMold, .endMold, .killMold, .signalTree, .drain,
                .interruptAcceptors, .kill,
                .observe, .measure, .sample,
                .gatherEvidence, .setNotifyThreshold, .planRun, .awaitConnection, .note:
                break
            }
        }
    }

    private mutating func begin(_ id: WorkerID) {
        starts += 1
        agenda.enter(.news(id, .running), at: now + .milliseconds(1))
        agenda.enter(.news(id, .ready), at: now + .seconds(2))
        let first = now + .seconds(2) + .milliseconds(Int64(draws.between(1, reporting)))
        agenda.enter(.news(id, .moreRequests(10)), at: first)
        guard draws.chance(crashing) else { return }
        let crash = now + .seconds(Int64(draws.between(10, 86_400)))
        agenda.enter(.news(id, .exited(.signal(.abort), leavesTree: false)), at: crash)
    }
}
