import SuperviseCore

/// The kernel and the programs, as far as the machine can observe them: processes that boot, die,
/// ignore signals, leave others behind; starts that are refused; reports that are late or arrive
/// together.
package struct World {
    /// A future occurrence.
    enum Occurrence {
        case executed(WorkerID)
        case notStarted(WorkerID, StartFailure)
        case booted(WorkerID)
        case died(WorkerID, ExitStatus, byItself: Bool)
        case reaped(WorkerID)
        case treeDied(WorkerID)
        case served(WorkerID)
        case beats(WorkerID)
        case falls(silent: WorkerID)
        case answered(WorkerID, WorkerEvent)
        case listened(pool: Int)
        case sampledConnections(WorkerID, ConnectionSample?, InFlight)
        case undrainable(WorkerID)
        case sampled(pool: Int, SampleContents)
        case moldNews(MoldID, MoldEvent)
        case moldDied(MoldID, ExitStatus)
        case befalls(Fault)
        case heals

        /// Whether processes cause it, which may be prevented from running.
        var isOfProcesses: Bool {
            switch self {
            case .moldNews, .moldDied, .executed, .notStarted, .booted, .died, .reaped, .treeDied,
                .served, .beats,
                .falls:
                true
            case .answered, .listened, .sampledConnections, .undrainable, .sampled, .befalls,
                .heals:
                false
            }
        }
    }

    /// A process and its descendants.
    struct Process {
        let id: WorkerID
        let program: Program
        let startedAt: Instant
        var draws: Draws
        var hasExecuted = false
        var isWaiting = false
        /// The time since which it waits for connections.
        var waitsSince: Instant?
        var isAlive = true
        var isDeaf: Bool
        var status: ExitStatus?
        var isReaped = false
        var hasTree: Bool
        var isTreeDeaf: Bool
        let isHidden: Bool
        var isStopping = false
        /// Whether it no longer sends `WATCHDOG=1`, or hangs.
        var isMute = false
        var isHung = false
        var requests = 0
        /// Whether it counts on its page, where it reads the notification threshold.
        let isPaged: Bool
        var notifyThreshold: UInt64?
        var hasNotified = false
        var extraMemory = 0
        /// Whether it has no process before its program runs, so that a signal cancels its start.
        let startsLater: Bool
        /// The number of its threads that wait to accept a connection while it drains.
        var acceptors = 0
        /// Its requests that get no response for some time.
        var stuck: [Stuck] = []

        /// Whether any process of it is left.
        var isPresent: Bool { !isReaped || hasTree }
    }

    let seed: UInt64
    var agenda = Agenda<Occurrence>()
    var processes: [WorkerID: Process] = [:]
    /// Workers with a remaining process, by age.
    var present: [WorkerID] = []
    var reapedIDs: [WorkerID] = []
    /// The molds that live, and whether they answer orders.
    var molds: [MoldID: Mold] = [:]
    /// The programs of the generations, from 1.
    var programs: [Program]
    var forksRefusedUntil = Instant(nanoseconds: 0)
    var execBrokenUntil = Instant(nanoseconds: 0)
    /// The connections of draining workers, and the requests in flight there when a received sample
    /// was taken.
    var clients: [WorkerID: [Client]] = [:]
    var truths: [WorkerID: InFlight] = [:]
    /// The connections at closed listeners, by pool.
    var queues: [Int: ClosedQueue] = [:]
    /// The time until which connections wait, by pool.
    var queuesUntil: [Int: Instant] = [:]
    /// The time until which the master does not run.
    package var stalledUntil = Instant(nanoseconds: 0)
    /// The time until which nothing runs.
    var frozenUntil = Instant(nanoseconds: 0)
    package private(set) var isHealed = false
    var draws: Draws

    package init(_ schedule: Schedule) {
        seed = schedule.seed
        programs = [schedule.program]
        draws = Draws(seed: seed, 1)
        for timed in schedule.faults where timed.at < schedule.healAt {
            agenda.enter(.befalls(timed.fault), at: Instant(milliseconds: timed.at))
        }
        agenda.enter(.heals, at: Instant(milliseconds: schedule.healAt))
    }

    /// The time of the next occurrence.
    package var nextAt: Instant? { agenda.nextAt }

    /// Lets the next occurrence happen if its time has come. Returns the events for the master.
    package mutating func advance(to now: Instant) -> [Service.Event]? {
        guard let occurrence = agenda.next(through: now) else { return nil }
        switch occurrence {
        case .executed(let id): return executed(id, at: now)
        case .notStarted(let id, let failure):
            guard processes[id] != nil else { return [] }
            forget(id)
            return [.worker(id, .startFailed(failure))]
        case .booted(let id): return booted(id, at: now)
        case .died(let id, let status, let byItself):
            if !byItself || !isHealed { die(id, status, at: now) }
            return []
        case .reaped(let id): return reaped(id)
        case .treeDied(let id): return treeDied(id)
        case .served(let id): return served(id, at: now)
        case .beats(let id): return beats(id, at: now)
        case .falls(let id):
            if !isHealed { processes[id]?.isMute = true }
            return []
        case .answered(let id, let news):
            return processes[id]?.isAlive == true ? [.worker(id, news)] : []
        case .listened(let pool):
            return [.listeners(pool: pool, sampleListeners(of: pool, at: now))]
        case .sampledConnections(let id, let sample, let truth):
            truths[id] = truth
            return [.worker(id, .connectionSample(sample))]
        case .undrainable(let id): return [.worker(id, .undrainable)]
        case .sampled(let pool, let contents):
            return [.sampled(pool: pool, sample(contents, of: pool, at: now))]
        case .moldNews(let id, let news): return moldNews(id, news)
        case .moldDied(let id, let status):
            return molds.removeValue(forKey: id) == nil ? [] : [.mold(id, .exited(status))]
        case .befalls(let fault): return apply(fault, at: now)
        case .heals:
            isHealed = true
            forksRefusedUntil = now
            execBrokenUntil = now
            queuesUntil = [:]
            for id in present {
                processes[id]?.extraMemory = 0
                processes[id]?.stuck = []
            }
            for pool in queues.keys { queues[pool]?.heal(at: now) }
            return []
        }
    }

    private mutating func executed(_ id: WorkerID, at now: Instant) -> [Service.Event] {
        guard var process = processes[id], process.isAlive else { return [] }
        if now < execBrokenUntil {
            forget(id)
            let failure = StartFailure(step: "exec", message: "ENOENT", isTransient: false)
            return [.worker(id, .startFailed(failure))]
        }
        process.hasExecuted = true
        let program = process.program
        let boot = Int64(process.draws.between(program.boot / 4, program.boot))
        if process.isStopping, !process.isDeaf {
            agenda.enter(.died(id, .signal(.terminate), byItself: false), at: now)
        } else if process.draws.chance(program.failing) {
            let status = ExitStatus.code(Int32(process.draws.between(0, 3) == 0 ? 0 : 1))
            agenda.enter(.died(id, status, byItself: true), at: now + .milliseconds(boot))
        } else if !process.draws.chance(program.hanging) {
            agenda.enter(.booted(id), at: now + .milliseconds(boot))
        }
        processes[id] = process
        return [.worker(id, .running)]
    }

    private mutating func booted(_ id: WorkerID, at now: Instant) -> [Service.Event] {
        guard var process = processes[id], process.isAlive else { return [] }
        process.isWaiting = true
        process.waitsSince = now
        let program = process.program
        func soon(_ longest: Int) -> Instant {
            now + .milliseconds(Int64(process.draws.between(longest / 8, longest)))
        }
        if program.crashing > 0 {
            agenda.enter(.died(id, .signal(.abort), byItself: true), at: soon(program.crashing))
        }
        if program.finishing > 0 {
            agenda.enter(.died(id, .code(0), byItself: true), at: soon(program.finishing))
        }
        if program.reporting > 0 { agenda.enter(.served(id), at: soon(program.reporting)) }
        if program.beating > 0 {
            agenda.enter(.beats(id), at: now)
            if program.muting > 0 { agenda.enter(.falls(silent: id), at: soon(program.muting)) }
        }
        let isSilent = process.draws.chance(program.silent)
        processes[id] = process
        return isSilent ? [] : [.worker(id, .ready)]
    }
}

/// Behaviour of a program while it serves.
extension World {
    private mutating func beats(_ id: WorkerID, at now: Instant) -> [Service.Event] {
        guard let process = processes[id], process.isAlive, !process.isMute, !process.isHung else {
            return []
        }
        let gap = TimeSpan.milliseconds(Int64(max(1, process.program.beating)))
        agenda.enter(.beats(id), at: now + gap)
        return [.worker(id, .watchdog)]
    }

    private mutating func served(_ id: WorkerID, at now: Instant) -> [Service.Event] {
        guard var process = processes[id], process.isAlive, !process.isHung, !isHealed else {
            return []
        }
        let count = process.draws.between(1, max(1, process.program.requests))
        processes[id] = process
        let gap = TimeSpan.milliseconds(Int64(max(1, process.program.reporting)))
        agenda.enter(.served(id), at: now + gap)
        return serve(count, by: id)
    }

    /// Counts requests, and reports them as the program does.
    mutating func serve(_ count: Int, by id: WorkerID) -> [Service.Event] {
        guard var process = processes[id] else { return [] }
        defer { processes[id] = process }
        process.requests += count
        let total = UInt64(process.requests)
        if process.isPaged {
            guard let notifyThreshold = process.notifyThreshold, total >= notifyThreshold,
                !process.hasNotified
            else {
                return []
            }
            process.hasNotified = true
            return [.worker(id, .requests(total))]
        }
        guard process.draws.chance(500) else {
            return [.worker(id, .moreRequests(UInt64(count)))]
        }
        // Some are counted externally as well as by themselves.
        guard id.slot % 3 == 2 else { return [.worker(id, .requests(total))] }
        let isObserved = id.incarnation % 2 == 1
        return [.worker(id, isObserved ? .responses(total) : .connections(total))]
    }
}
