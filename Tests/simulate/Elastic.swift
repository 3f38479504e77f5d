import Simulator
import SuperviseCore

/// Runs the simulation of elastic pools, and prints the seeds that break an invariant.
func runElastic(_ seeds: Range<UInt64>) {
    var broken: [String: [UInt64]] = [:]
    for seed in seeds {
        let schedule = ElasticSchedule(seed: seed)
        var simulation = ElasticSimulation(schedule, of: schedule.service)
        guard let violation = simulation.run() else { continue }
        if broken[violation.invariant] == nil { print("seed \(seed) breaks: \(violation)") }
        broken[violation.invariant, default: []].append(seed)
    }
    for (invariant, seeds) in broken.sorted(by: { $0.key < $1.key }) {
        print("\(invariant): \(seeds.count) seeds, such as \(seeds.prefix(5))")
    }
    print("\(seeds.count) seeds, \(broken.values.joined().count) broken")
}

/// Prints the notices of one run.
func replayElastic(_ seed: UInt64) {
    let schedule = ElasticSchedule(seed: seed)
    var simulation = ElasticSimulation(schedule, of: schedule.service)
    simulation.isTracing = true
    let violation = simulation.run()
    for line in simulation.trace { print(line) }
    print(schedule)
    print(violation.map(String.init(describing:)) ?? "no violation")
}
