import SuperviseCore

/// A run of the simulation of an elastic pool, determined by a seed: its settings, the load, the
/// program, faults, and operator actions.
package struct ElasticSchedule: Sendable {
    /// The load from a time on, until the next one.
    struct Load: Sendable {
        /// Milliseconds.
        let at: Int
        /// Connections per second.
        let rate: Int
        /// The time that a worker needs for one, in milliseconds.
        let service: Int
    }

    enum Order: Sendable {
        case resize(Int)
        case setBounds(WorkerBounds)
    }

    package let seed: UInt64
    let base: Schedule
    let loads: [Load]
    let orders: [(at: Int, order: Order)]
    /// The memory of each slot's worker in MiB.
    let memory: [Int]
    /// The time without load, and that of the stop.
    let quietAt: Int
    let stopAt: Int

    package static let poolName = "web"

    package init(seed: UInt64) {
        var draws = Draws(seed: seed, 31)
        self.seed = seed
        quietAt = draws.between(5_000, 25_000)
        stopAt = quietAt + 90_000
        let plan = ElasticSchedule.plan(&draws)
        loads = ElasticSchedule.loads(&draws, until: quietAt)
        let same = draws.between(20, 60)
        let differ = draws.chance(300)
        memory = (0..<16).map { _ in differ ? draws.between(20, 60) : same }
        let program = ElasticSchedule.program(&draws)
        var faults: [TimedFault] = []
        for _ in 0..<draws.pick([0, 0, 1, 3, 6]) {
            let at = draws.between(0, quietAt - 1)
            faults.append(TimedFault(at, ElasticSchedule.fault(&draws, plan)))
            if case .park = faults[faults.count - 1].fault {
                faults.append(TimedFault(at + draws.between(1, 4_000), .resize(pool: 0, by: 1)))
            }
        }
        base = Schedule(
            seed: seed, pools: [plan], program: program,
            faults: faults.sorted { $0.at < $1.at }, healAt: quietAt)
        let end = quietAt
        orders = (0..<draws.pick([0, 0, 0, 1, 4])).map { _ in
            let at = draws.between(0, end)
            guard draws.chance(500) else { return (at, .resize(draws.pick([1, -1, 1, -1, 3]))) }
            let least = draws.between(0, 3)
            return (
                at, .setBounds(WorkerBounds(minimum: least, maximum: least + draws.between(0, 5)))
            )
        }.sorted { $0.0 < $1.0 }
    }

    private static func plan(_ draws: inout Draws) -> Service.Plan {
        Service.Plan(poolName) {
            $0.hasListeners = true
            $0.minimumWorkers = draws.pick([0, 0, 1, 2, 3])
            $0.workers = max(1, ($0.minimumWorkers ?? 0) + draws.between(1, 6))
            $0.scaleUpAfter = draws.pick([.milliseconds(50), .milliseconds(100), .seconds(1)])
            $0.scaleDownAfter = draws.pick([.milliseconds(800), .seconds(3), .seconds(10)])
            $0.readyTimeout = .milliseconds(9_000)
            $0.readiness = .notify
            $0.gracefulTimeout = .milliseconds(1_500)
            $0.backoffMax = .milliseconds(2_000)
            $0.stableAfter = .milliseconds(1_000)
            $0.bootAttempts = 1_000
            $0.bootParallel = draws.pick([2, 8])
            if draws.chance(300) { $0.maxPoolRSSBytes = UInt64(draws.between(60, 400)) << 20 }
        }
    }

    private static func loads(_ draws: inout Draws, until end: Int) -> [Load] {
        var loads: [Load] = []
        var at = draws.pick([0, 0, 3_000])
        while at < end {
            loads.append(
                Load(
                    at: at, rate: draws.pick([0, 0, 1, 10, 40, 100, 300]),
                    service: draws.pick([5, 20, 50, 200, 2_000])))
            at += draws.pick([200, 1_500, 6_000])
        }
        return loads
    }

    private static func program(_ draws: inout Draws) -> Program {
        Program {
            $0.exec = draws.pick([0, 20])
            $0.boot = draws.pick([10, 300, 5_000])
            $0.drain = draws.between(0, 400)
            $0.busy = draws.pick([0, 100, 1_000])
            $0.failing = draws.pick([0, 0, 0, 400, 1_000])
            $0.crashing = draws.pick([0, 0, 0, 4_000])
            $0.deaf = draws.pick([0, 0, 300])
            $0.late = draws.pick([0, 50])
        }
    }

    private static func fault(_ draws: inout Draws, _ plan: Service.Plan) -> Fault {
        switch draws.between(0, 6) {
        case 0: return .stall(draws.between(100, 2_000))
        case 1: return .suspend(draws.between(600, 4_000))
        case 2: return .refuseForks(draws.between(100, 2_000))
        case 3: return .park
        case 4: return .end(pool: 0, worker: draws.between(0, 3), signal: 9)
        default:
            let next = draws.chance(500) ? plan : ElasticSchedule.plan(&draws)
            return .reload([next], ElasticSchedule.program(&draws))
        }
    }
}

extension ElasticSchedule {
    /// The production service.
    package var service: Service { base.service }
}
