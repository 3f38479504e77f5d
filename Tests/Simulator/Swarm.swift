import SuperviseCore

/// Draws a schedule from a seed. Each seed first draws which faults and settings it favours and how
/// much, so that runs differ more than if each had a little of everything.
package struct Swarm {
    var draws: Draws
    /// Separate draws, so that these leave all other draws of a seed unchanged.
    private var others: Draws
    /// Separate draws for percentages of memory, for the same reason.
    private var shares: Draws
    /// Separate draws for samples of connections, for the same reason.
    private var samples: Draws
    /// Separate draws for boots in turns, for the same reason.
    private var boots: Draws
    /// Of molds, for the same reason.
    private var molds: Draws
    /// Separate draws for requests, for the same reason.
    var requests: Draws

    /// The schedule of a seed.
    package static func schedule(seed: UInt64) -> Schedule {
        var swarm = Swarm(
            draws: Draws(seed: seed, 3), others: Draws(seed: seed, 5),
            shares: Draws(seed: seed, 7), samples: Draws(seed: seed, 9),
            boots: Draws(seed: seed, 11), molds: Draws(seed: seed, 13),
            requests: Draws(seed: seed, 17))
        return swarm.schedule(seed: seed)
    }

    private mutating func schedule(seed: UInt64) -> Schedule {
        let pools = (0..<draws.pick([1, 1, 1, 2, 2, 3])).map { plan(["web", "jobs", "mail"][$0]) }
        let healAt = draws.between(2_000, 40_000)
        let program = program(isTroubled: draws.chance(600))
        return Schedule(
            seed: seed, pools: pools, program: program,
            faults: faults(until: healAt, pools: pools, program: program), healAt: healAt,
            haste: draws.pick([.graceful, .graceful, .quick, .immediate]))
    }

    private mutating func plan(_ name: String) -> Service.Plan {
        Service.Plan(name: name, policy: policy())
    }

    private mutating func policy() -> PoolPolicy {
        var policy = PoolPolicy()
        policy.workers = draws.pick([1, 1, 2, 2, 3, 4, 6])
        policy.hasListeners = draws.chance(700)
        policy.readiness = draws.pick([.auto, .notify, .notify, .exec, .after(.milliseconds(300))])
        policy.readyTimeout = span(500, 8_000)
        policy.bootParallel = boots.pick([.max, .max, 1, 2, 3])
        policy.gracefulTimeout = span(100, 5_000)
        if draws.chance(150) { policy.drainDelay = span(100, 4_000) }
        policy.drain = others.pick([.auto, .auto, .signal, .observe])
        policy.backoff = span(0, 400)
        policy.backoffMax = span(400, 5_000)
        policy.stableAfter = span(200, 5_000)
        policy.bootAttempts = draws.between(2, 6)
        policy.maxHold = span(500, 8_000)
        policy.minLifetime = span(0, 3_000)
        if draws.chance(400) {
            policy.maxSurge = draws.pick([.count(0), .count(1), .count(2), .percent(50)])
            policy.maxUnavailable = draws.pick([.count(0), .count(1), .count(2), .percent(50)])
        }
        if draws.chance(400) {
            policy.maxRequests = UInt64(draws.between(5, 60))
            policy.maxRequestsJitter = UInt64(draws.pick([0, 10]))
        }
        if draws.chance(250) {
            policy.maxLifetime = span(4_000, 20_000)
            policy.maxLifetimeJitter = span(0, 3_000)
        }
        if draws.chance(300) {
            policy.maxRSSBytes = UInt64(draws.between(100, 300)) << 20
            policy.memoryInterval = span(200, 4_000)
            policy.memorySamples = draws.pick([1, 1, 3])
        }
        if draws.chance(200) {
            policy.killRSSBytes = UInt64(draws.between(200, 500)) << 20
            policy.memoryInterval = span(1_000, 4_000)
        }
        if draws.chance(150) {
            policy.warnRSSBytes = UInt64(draws.between(50, 300)) << 20
            policy.memoryInterval = span(1_000, 4_000)
        }
        if draws.chance(150) {
            policy.maxPoolRSSBytes = UInt64(draws.between(200, 900)) << 20
            policy.memoryInterval = span(1_000, 4_000)
        }
        // No service recovers with a share below the size of a healed program.
        if shares.chance(200), policy.hasListeners {
            policy.killRSS = .percent(shares.pick([50, 80, 100]))
            policy.memoryLimitBytes = UInt64(shares.between(2_000, 9_000)) << 20
        }
        policy.runsBeforeRecycle = draws.chance(100)
        policy.sendsEvidenceSignal = draws.chance(100)
        if draws.chance(60) { policy.memoryPressure = .auto }
        if draws.chance(120) { policy.restart = draws.pick([.onFailure, .never]) }
        if draws.chance(400) { policy.watchdogTimeout = span(1_500, 6_000) }
        policy.usesMold = molds.chance(250)
        if policy.hasListeners, requests.chance(500) {
            policy.requestTimeout = .milliseconds(Int64(requests.between(500, 6_000)))
        }
        policy.checksCanary = policy.hasListeners && requests.chance(400)
        if draws.chance(350) { policy.stallTimeout = span(1_000, 8_000) }
        return policy
    }

    private mutating func span(_ lower: Int, _ upper: Int) -> TimeSpan {
        .milliseconds(Int64(draws.between(lower, upper)))
    }

    private mutating func program(isTroubled: Bool) -> Program {
        var program = Program()
        program.exec = draws.pick([0, 5, 40])
        program.boot = draws.between(10, 1_500)
        program.drain = draws.between(0, 2_000)
        program.accepting = samples.pick([0, 0, 1, 3])
        program.sampling = samples.pick([0, 0, 3, 40])
        program.pausing = samples.pick([0, 300])
        program.reusing = samples.pick([0, 0, 300, 800])
        program.busy = others.pick([0, 20, others.between(20, 6_000)])
        program.memory = draws.between(20, 90)
        program.answering = requests.pick([0, 3, 20, 200])
        program.erring = requests.pick([0, 0, 20, 80, 150, 600, 1_000])
        if draws.chance(400) {
            program.reporting = draws.between(300, 2_000)
            program.requests = draws.between(1, 10)
            program.paging = draws.pick([0, 0, 1_000, 500])
        }
        if draws.chance(300) { program.beating = draws.between(200, 1_200) }
        if others.chance(200) {
            program.growth = others.between(5, 60)
            program.filling = others.pick([0, others.between(50, 250)])
        }
        if shares.chance(250) {
            program.growth = max(program.growth, shares.between(20, 80))
            program.collecting = shares.between(2, 6)
        }
        program.moldBoot = molds.between(20, 2_000)
        guard isTroubled else { return program }
        func few(_ most: Int) -> Int { molds.chance(300) ? molds.between(0, most) : 0 }
        program.moldFailing = few(700)
        program.moldHanging = few(400)
        program.moldRefused = few(300)
        program.moldCrashing = few(8_000)
        program.moldDeaf = few(700)
        func some(_ most: Int) -> Int { draws.chance(300) ? draws.between(0, most) : 0 }
        program.late = some(200)
        program.linger = draws.pick([0, 5, 5, 1_500])
        program.failing = draws.chance(60) ? 1_000 : some(500)
        program.hanging = draws.chance(40) ? 1_000 : some(400)
        program.deaf = some(600)
        program.endless = others.chance(300) ? others.between(0, 600) : 0
        program.sampling = samples.chance(300) ? samples.between(0, 2_000) : program.sampling
        program.lost = samples.chance(300) ? samples.between(0, 500) : 0
        program.unwatchable = others.chance(300) ? others.between(0, 600) : 0
        program.evidence = draws.pick([0, 500, 4_000])
        program.trees = some(600)
        program.deafTrees = some(600)
        program.silent = some(1_000)
        program.hidden = some(1_000)
        program.growth = max(program.growth, some(60))
        if draws.chance(200) { program.limit = draws.between(200, 1_500) }
        if draws.chance(250) { program.crashing = draws.between(200, 12_000) }
        if draws.chance(150) { program.muting = draws.between(500, 20_000) }
        if draws.chance(150) { program.finishing = draws.between(200, 12_000) }
        return program
    }

    private mutating func faults(
        until end: Int, pools: [Service.Plan], program: Program
    ) -> [TimedFault] {
        // The kinds that may be drawn in this run, and how often.
        let kinds = FaultKind.all.map { draws.chance(450) ? $0 : nil }
        let count = draws.pick([0, 2, 4, 8, 14, 24])
        var faults: [TimedFault] = []
        if draws.chance(20) { faults.append(TimedFault(0, .breakExec(draws.between(1, 500)))) }
        for _ in 0..<count {
            guard let kind = draws.pick(kinds) else { continue }
            let scene = FaultKind.Scene(
                pools: pools, program: program, pool: draws.between(0, pools.count - 1),
                worker: draws.between(0, 5))
            let fault = kind.draw(&self, scene)
            // Simultaneous faults find more violations than separate ones.
            let at = draws.chance(300) ? faults.last?.at ?? 0 : draws.between(0, end - 1)
            faults.append(TimedFault(at, fault))
            if case .stop = fault, draws.chance(600) {
                let again = Fault.stop(draws.pick([.graceful, .graceful, .quick, .immediate]))
                faults.append(TimedFault(at + draws.between(1, 3_000), again))
            }
            if case .signal(let signal) = fault {
                for _ in 0..<draws.between(0, 3) {
                    let gap = draws.pick([0, 1, 400, 999, 1_000, 1_500])
                    faults.append(TimedFault(at + gap, .signal(signal)))
                }
            }
        }
        if draws.chance(250) { faults += rush(at: draws.between(0, end - 1), pools) }
        for (pool, plan) in pools.enumerated() where plan.policy.stallTimeout != nil {
            if draws.chance(300) { faults += queues(of: pool, until: end) }
        }
        for (pool, plan) in pools.enumerated() where plan.policy.requestTimeout != nil {
            for _ in 0..<requests.pick([0, 1, 3]) {
                let scene = FaultKind.Scene(
                    pools: pools, program: program, pool: pool, worker: requests.between(0, 5))
                let fault = requests.pick(FaultKind.ofRequests).draw(&self, scene)
                faults.append(TimedFault(requests.between(0, end - 1), fault))
            }
        }
        return faults.enumerated().sorted {
            ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
        }
        .map(\.element)
    }

    /// Draws many simultaneous causes for all workers of a pool.
    private mutating func rush(at time: Int, _ pools: [Service.Plan]) -> [TimedFault] {
        let pool = draws.between(0, pools.count - 1)
        let kinds = [draws.between(0, 4), draws.between(0, 4)]
        return (0..<pools[pool].policy.workers + 1).map { worker in
            let fault: Fault =
                switch draws.pick(kinds) {
                case 0: .ask(pool: pool, worker: worker)
                case 1: .burst(pool: pool, worker: worker, 80)
                case 2: .hold(pool: pool, worker: worker, draws.pick([500, 5_000]))
                case 3: .extend(pool: pool, worker: worker, draws.pick([500, 5_000]))
                default: .grow(pool: pool, worker: worker, 300)
                }
            return TimedFault(time + draws.pick([0, 0, 200, 2_500]), fault)
        }
    }

    /// Draws queues of connections, repeated with pauses or permanent, and then a time during which
    /// nothing runs.
    private mutating func queues(of pool: Int, until end: Int) -> [TimedFault] {
        var time = draws.between(0, end / 2)
        if draws.chance(300) {
            return [
                TimedFault(time, .queue(pool: pool, 20_000)),
                TimedFault(time + draws.between(500, 5_000), .suspend(draws.between(500, 9_000))),
            ]
        }
        var faults: [TimedFault] = []
        while time < end, faults.count < 8 {
            let wait = draws.between(500, 6_000)
            faults.append(TimedFault(time, .queue(pool: pool, wait)))
            time += wait + draws.between(0, 2_000)
        }
        return faults
    }

    mutating func reload(_ pools: [Service.Plan], _ program: Program) -> Fault {
        var plans: [Service.Plan] = []
        for plan in pools {
            if draws.chance(100) { continue }
            var next = plan
            if draws.chance(250) { next.policy = policy() }
            if draws.chance(250) { next.policy.workers = draws.between(1, 5) }
            if plan.policy.restart == .always { next.policy.restart = .always }
            next.dropsListeners = plan.policy.hasListeners && draws.chance(200)
            plans.append(next)
        }
        if plans.isEmpty || draws.chance(100) { plans.append(plan("new")) }
        return .reload(plans, draws.chance(500) ? program : self.program(isTroubled: true))
    }
}
