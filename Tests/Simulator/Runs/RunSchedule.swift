import SuperviseCore

/// A run of the simulation of schedules, determined by a seed: pools, programs that finish, hang,
/// ignore signals or leave processes behind, and faults. The first pool has a schedule.
package struct RunSchedule: Sendable {
    package let seed: UInt64
    /// The pools, the program, and the faults that the simulated kernel performs.
    package let base: Schedule
    /// The times in milliseconds at which an operator requests a run.
    package let requests: [Int]
    /// The times in milliseconds at which the clock is set, and the times of the next runs with it.
    package let clockChanges: [(at: Int, nextIn: Int)]
    /// The interval of the schedule in milliseconds.
    package let interval: Int
    /// The time in milliseconds of the stop.
    package let stopAt: Int

    package static let poolName = "jobs"

    package init(seed: UInt64) {
        var draws = Draws(seed: seed, 21)
        self.seed = seed
        stopAt = draws.between(5_000, 40_000)
        interval = draws.pick([200, 1_000, 3_000])
        let plan = RunSchedule.plan(&draws)
        let web = Service.Plan("web") {
            $0.workers = 2
            $0.hasListeners = true
        }
        let pools = draws.chance(300) ? [plan, web] : [plan]
        let program = RunSchedule.program(&draws)
        var faults: [TimedFault] = []
        for _ in 0..<draws.pick([0, 2, 6, 14]) {
            let at = draws.between(0, stopAt - 1)
            faults.append(TimedFault(at, RunSchedule.fault(&draws, pools, plan)))
            if case .park = faults[faults.count - 1].fault {
                faults.append(TimedFault(at + draws.between(1, 6_000), .resize(pool: 0, by: 1)))
            }
        }
        base = Schedule(
            seed: seed, pools: pools, program: program,
            faults: faults.sorted { $0.at < $1.at }, healAt: stopAt,
            haste: draws.pick([.graceful, .quick, .immediate]))
        requests = (0..<draws.pick([0, 0, 1, 5])).map { _ in draws.between(0, 40_000) }.sorted()
        clockChanges = (0..<draws.pick([0, 0, 1, 4]))
            .map { _ in (draws.between(0, 40_000), draws.between(0, 5_000)) }
            .sorted { $0.0 < $1.0 }
    }

    private static func plan(_ draws: inout Draws) -> Service.Plan {
        Service.Plan(poolName) {
            $0.runs = RunRule(
                schedule: draws.pick(["a", "b"]), overlap: draws.pick([.skip, .queue]))
            $0.maxLifetime = draws.pick([.milliseconds(400), .milliseconds(2_500)])
            $0.gracefulTimeout = draws.pick([.milliseconds(300), .milliseconds(2_000), .zero])
            $0.readyTimeout = .milliseconds(3_000)
            if draws.chance(200) { $0.killRSSBytes = 60 << 20 }
            if draws.chance(200) { $0.maxRSSBytes = 55 << 20 }
            if draws.chance(200) { $0.watchdogTimeout = .milliseconds(700) }
            $0.minLifetime = .zero
        }
    }

    private static func program(_ draws: inout Draws) -> Program {
        Program {
            $0.exec = draws.pick([0, 40])
            $0.boot = 10
            $0.drain = draws.between(0, 800)
            $0.finishing = draws.pick([0, 300, 2_000, 6_000])
            $0.crashing = draws.pick([0, 0, 3_000])
            $0.failing = draws.pick([0, 0, 300])
            $0.deaf = draws.pick([0, 500, 1_000])
            $0.trees = draws.pick([0, 500])
            $0.deafTrees = draws.pick([0, 500])
            $0.late = draws.pick([0, 100])
            $0.linger = draws.pick([5, 900])
            $0.growth = draws.pick([0, 0, 20])
            $0.beating = draws.pick([0, 0, 300])
        }
    }

    private static func fault(
        _ draws: inout Draws, _ pools: [Service.Plan], _ plan: Service.Plan
    ) -> Fault {
        switch draws.between(0, 11) {
        case 0: return .stall(draws.between(100, 4_000))
        case 1: return .suspend(draws.between(100, 4_000))
        case 2: return .refuseForks(draws.between(100, 3_000))
        case 3: return .breakExec(draws.between(100, 3_000))
        case 4: return .park
        case 5: return .hold(pool: 0, worker: 0, 20_000)
        case 6: return .recycle(pool: 0, slot: -1)
        case 7: return .announce(pool: 0, worker: 0, status: draws.pick([0, 1]))
        case 8: return .repeatExits
        case 9: return .end(pool: 0, worker: 0, signal: draws.pick([0, 9]), status: 1)
        default:
            var next = draws.chance(700) ? [RunSchedule.plan(&draws)] : []
            if draws.chance(150) { next = [plan] }
            if draws.chance(100) { next = [Service.Plan(poolName) { $0.restart = .always }] }
            return .reload(
                next + [Service.Plan("web") { $0.hasListeners = true }],
                RunSchedule.program(&draws))
        }
    }
}
