import SuperviseCore

/// Reduces a failing schedule: fewer faults, fewer pools, default settings, smaller numbers. It
/// keeps each change after which the same invariant is still broken.
package struct Shrinker<M: Machine> {
    private let machine: (Schedule) -> M
    private let invariant: String
    private var best: Schedule
    private var runsLeft: Int

    package static func shrink(
        _ schedule: Schedule, breaking invariant: String, runs: Int = 3_000,
        of machine: @escaping (Schedule) -> M
    ) -> Schedule {
        var shrinker = Shrinker(
            machine: machine, invariant: invariant, best: schedule, runsLeft: runs)
        var before: Schedule
        repeat {
            before = shrinker.best
            shrinker.round()
        } while shrinker.best != before && shrinker.runsLeft > 0
        return shrinker.best
    }

    private mutating func attempt(_ change: (inout Schedule) -> Void) {
        var candidate = best
        change(&candidate)
        guard candidate != best, runsLeft > 0 else { return }
        runsLeft -= 1
        var simulation = Simulation(candidate, of: machine(candidate))
        if simulation.run().violation?.invariant == invariant { best = candidate }
    }

    private mutating func round() {
        var length = max(1, best.faults.count / 2)
        while length > 0 {
            for start in stride(from: best.faults.count - length, through: 0, by: -1)
            where start + length <= best.faults.count {
                attempt { $0.faults.removeSubrange(start..<start + length) }
            }
            length /= 2
        }
        for index in best.pools.indices.reversed() where best.pools.count > 1 {
            attempt { $0.pools.remove(at: index) }
        }
        for index in best.pools.indices {
            attempt { $0.pools[index].policy.workers = 1 }
            attempt { $0.pools[index].policy.workers = max(1, $0.pools[index].policy.workers - 1) }
            for field in PolicyField.all where !["workers"].contains(field.name) {
                attempt { field.reset(&$0.pools[index].policy) }
            }
        }
        for (_, path) in Program.fields {
            attempt { $0.program[keyPath: path] = Program()[keyPath: path] }
            attempt { $0.program[keyPath: path] /= 2 }
        }
        shrinkFaults()
        attempt { $0.healAt /= 2 }
        attempt { $0.healAt = ($0.faults.last?.at ?? 0) + 1 }
        attempt { $0.haste = .graceful }
        attempt { $0.seed = 1 }
    }

    private mutating func shrinkFaults() {
        for index in best.faults.indices {
            for rounding in [10_000, 1_000, 100] {
                attempt { $0.faults[index].at = $0.faults[index].at / rounding * rounding }
            }
            attempt { $0.faults[index].fault = $0.faults[index].fault.halved }
            guard case .reload(let plans, _) = best.faults[index].fault else { continue }
            attempt { $0.faults[index].fault = .reload(plans, Program()) }
            attempt { $0.faults[index].fault = .reload($0.pools, $0.program) }
            shrinkPlans(ofFault: index)
        }
        attempt { $0.faults.sort { $0.at < $1.at } }
    }

    private mutating func shrinkPlans(ofFault index: Int) {
        guard case .reload(let all, let program) = best.faults[index].fault else { return }
        var plans = all
        func attempting(_ changed: [Service.Plan], in shrinker: inout Shrinker) {
            shrinker.attempt { $0.faults[index].fault = .reload(changed, program) }
            if case .reload(let kept, _) = shrinker.best.faults[index].fault { plans = kept }
        }
        for place in plans.indices.reversed() where plans.count > 1 {
            var fewer = plans
            fewer.remove(at: place)
            attempting(fewer, in: &self)
        }
        for place in plans.indices {
            for field in PolicyField.all {
                var simpler = plans
                field.reset(&simpler[place].policy)
                attempting(simpler, in: &self)
            }
        }
    }
}
