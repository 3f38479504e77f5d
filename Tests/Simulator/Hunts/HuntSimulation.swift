import SuperviseCore

/// An invariant of hunts.
package enum HuntInvariant: String, CaseIterable, Sendable {
    case oneAtATime = "a pool has one hunt at a time"
    case endsOnce = "a hunt that begins ends once"
    case neverCounts = "a hunted worker does not count"
    case leavesRoom = "a hunted worker takes no room from the others"
    case noneAtABadTime = "no hunt begins while its pool is parked, stops or reloads"
    case endsWithAStop = "a stop, a park or a reload ends the hunt at once"
    case endsInTime = "a hunt ends in time"
    case goesFirst = "a hunted worker goes first when memory is short"
    case timerIsArmed = "a timer is armed for what comes"
    case terminates = "the stop ends with no process left"
}

/// Simulates a pool with hunts, determined by a seed: workers that boot, crash and stop late, requests
/// that come or not, reloads, parks and a shortage of memory. Checks the invariants at every step.
package struct HuntSimulation<M: Machine> {
    private struct Process {
        let id: WorkerID
        let isHunted: Bool
        var isReady = false
        var isRetired = false
        var exitAt: Int?
    }

    package private(set) var machine: M
    private var draws: Draws
    private var now = 0
    private var processes: [Process] = []
    private var pending: [(at: Int, event: Service.Event)] = []
    private var hunted: WorkerID?
    private var huntReadyAt: Int?
    private var order = HuntOrder()
    private var requests = 0
    private var isStopping = false
    private var isParked = false
    private var isOnTrial = false
    private var exitCode: Int32?
    private var violation: Violation?
    /// The numbers of hunts that began, and that ended for each reason.
    package private(set) var begun = 0
    package private(set) var ends: [String: Int] = [:]

    private static var workers: Int { 2 }
    private static var stopAt: Int { 120_000 }

    package init(seed: UInt64, of machine: M) {
        self.machine = machine
        draws = Draws(seed: seed, 31)
    }

    /// The pools of a seed.
    package static func service(seed: UInt64) -> Service {
        Service([plan()], seed: seed)
    }

    private static func plan() -> Service.Plan {
        Service.Plan("web") {
            $0.workers = workers
            $0.hasListeners = true
            $0.readiness = .notify
            $0.drain = .signal
            $0.gracefulTimeout = .seconds(3)
            $0.maxPoolRSSBytes = 1 << 30
        }
    }

    private var instant: Instant { Instant(milliseconds: now) }

    package mutating func run() -> Violation? {
        send(.start)
        while violation == nil, exitCode == nil {
            let deadline = machine.nextDeadline.map { Int(($0.nanoseconds + 999_999) / 1_000_000) }
            let exit = processes.compactMap(\.exitAt).min()
            let next = [pending.map(\.at).min(), deadline, exit].compactMap { $0 }.min()
            let stimulus = isStopping ? nil : now + draws.between(50, 4_000)
            now = max(now, min(next ?? .max, stimulus ?? .max, isStopping ? .max : Self.stopAt))
            if now > Self.stopAt + 60_000 { violate(.terminates, "it does not end") }
            turn(isQuiet: next == now)
        }
        if violation == nil, let left = processes.first {
            violate(.terminates, "\(left.id) is left")
        }
        return violation
    }

    private mutating func turn(isQuiet: Bool) {
        if now >= Self.stopAt, !isStopping { return stop() }
        for process in processes where process.exitAt.map({ $0 <= now }) ?? false {
            end(process.id)
        }
        while let index = pending.firstIndex(where: { $0.at <= now }) {
            let event = pending.remove(at: index).event
            if case .worker(let id, .ready) = event { becomeReady(id) }
            send(event)
        }
        if let deadline = machine.nextDeadline, deadline <= instant { send(.deadline) }
        if !isQuiet { befall() }
        check()
    }

    private mutating func becomeReady(_ id: WorkerID) {
        guard let index = processes.firstIndex(where: { $0.id == id && !$0.isRetired }) else {
            return
        }
        processes[index].isReady = true
        if id == hunted { huntReadyAt = now }
    }

    private mutating func end(_ id: WorkerID) {
        processes.removeAll { $0.id == id }
        pending.removeAll { if case .worker(id, _) = $0.event { true } else { false } }
        send(.worker(id, .exited(.code(1), leavesTree: false)))
    }

    private mutating func stop() {
        isStopping = true
        send(.stop(draws.pick([.graceful, .quick, .immediate])))
        if hunted != nil { violate(.endsWithAStop, "the service stops") }
    }

    private mutating func befall() {
        switch draws.between(0, 9) {
        case 0...3: begin()
        case 4:
            if let id = processes.randomElement(&draws)?.id { end(id) }
        case 5:
            isParked = true
            send(.park)
            if hunted != nil { violate(.endsWithAStop, "the pool is parked") }
        case 6 where isParked:
            isParked = false
            send(.resize(pool: 0, by: 1))
            send(.resize(pool: 0, by: -1))
        case 6, 7:
            isOnTrial = true
            send(.reload([Self.plan()]))
            if hunted != nil { violate(.endsWithAStop, "a reload begins") }
        case 8:
            let figures = processes.filter { !$0.isRetired }.map {
                PoolSample.Figure($0.id, bytes: 800 << 20)
            }
            send(.sampled(pool: 0, PoolSample(memory: figures, moldBytes: 0)))
            if hunted != nil, figures.count > 1, !isStopping, !isParked {
                violate(.goesFirst, "memory is short")
            }
        default: requests += draws.between(0, 40)
        }
    }

    private mutating func begin() {
        let order = HuntOrder(
            requests: draws.pick([10, 100]), time: .seconds(draws.pick([5, 60])))
        send(.hunt(pool: 0, .begin(order)))
    }

    private mutating func send(_ event: Service.Event) {
        if case .reload = event { isParked = false }
        for action in machine.handle(event, at: instant) { perform(action) }
    }

    private mutating func perform(_ action: Service.Action) {
        switch action {
        case .perform(.start(let id, let order)): start(id, order)
        case .perform(.signal(let id, _)): leave(id, within: draws.pick([0, 500, 9_000]))
        case .perform(.kill(let id)): leave(id, within: 0)
        case .perform(.sampleHunt(let id)):
            requests += draws.pick([0, 0, 3, 20])
            let progress = HuntProgress(requests: requests, measured: max(0, requests - 1))
            pending.append((now, .hunt(pool: 0, .sampled(id, progress))))
        case .perform(.note(.hunt(let notice))): observe(notice)
        case .perform(.note(.retiring(let id, _, _))):
            if let index = processes.firstIndex(where: { $0.id == id }) {
                processes[index].isRetired = true
            }
        case .closeListeners(let pool):
            pending.append((now + 1, .listeners(pool: pool, .empty)))
        case .sampleListeners(let pool):
            pending.append((now + 1, .listeners(pool: pool, .empty)))
        case .activate, .discard: isOnTrial = false
        case .exit(let code): exitCode = code
        case .perform, .releaseListeners: break
        }
    }

    private mutating func start(_ id: WorkerID, _ order: StartOrder) {
        processes.append(Process(id: id, isHunted: order.hunt != nil))
        if order.hunt != nil, isParked || isStopping || isOnTrial {
            violate(.noneAtABadTime, "\(id)")
        }
        pending.append((now, .worker(id, .running)))
        if draws.chance(900) { pending.append((now + draws.between(1, 900), .worker(id, .ready))) }
    }

    private mutating func leave(_ id: WorkerID, within span: Int) {
        guard let index = processes.firstIndex(where: { $0.id == id }) else { return }
        processes[index].exitAt = min(processes[index].exitAt ?? .max, now + span)
    }

    private mutating func observe(_ notice: HuntNotice) {
        switch notice {
        case .begun(let id, let order):
            if let hunted { violate(.oneAtATime, "\(id) beside \(hunted)") }
            hunted = id
            huntReadyAt = nil
            self.order = order
            requests = 0
            begun += 1
        case .ended(let id, let reason, _):
            if hunted != id { violate(.endsOnce, "\(id)") }
            hunted = nil
            ends[reason.name, default: 0] += 1
        }
    }

    private mutating func check() {
        guard exitCode == nil, let pool = machine.service.members.first?.pool else { return }
        let ordinary = processes.filter { !$0.isHunted }
        let serving = ordinary.count { $0.isReady && !$0.isRetired }
        if pool.servingCount != serving {
            violate(.neverCounts, "\(pool.servingCount) workers serve, not \(serving)")
        }
        let live = processes.contains { $0.id == hunted }
        if hunted != nil, !live { violate(.endsOnce, "the hunted worker is gone") }
        // One more than the pool has may run beside the hunted one: the surge.
        if !isStopping, !isParked, ordinary.isEmpty, machine.nextDeadline == nil, pending.isEmpty {
            violate(.leavesRoom, "no worker starts")
        }
        if let huntReadyAt, hunted != nil, !isStopping {
            let limit = Int(order.time.nanoseconds / 1_000_000)
            if now >= huntReadyAt + limit { violate(.endsInTime, "it lasts for \(limit) ms") }
        }
        if let deadline = machine.nextDeadline, deadline <= instant {
            violate(.timerIsArmed, "a deadline has passed")
        }
        if hunted != nil, huntReadyAt != nil, machine.nextDeadline == nil {
            violate(.timerIsArmed, "none for the hunt")
        }
    }

    private mutating func violate(_ invariant: HuntInvariant, _ detail: String) {
        guard violation == nil else { return }
        violation = Violation(invariant: invariant.rawValue, detail: detail, at: instant)
    }
}

extension Array {
    fileprivate func randomElement(_ draws: inout Draws) -> Element? {
        isEmpty ? nil : self[draws.between(0, count - 1)]
    }
}
