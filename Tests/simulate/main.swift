// Runs the simulator for longer than a test may:
//
//     swift run -c release simulate --seeds 1000000 [--from 0]
//     swift run -c release simulate --seed 123 [--trace]
//     swift run -c release simulate --scale
//     swift run -c release simulate --exhaustive [--length 4] [--workers 1]
//     swift run simulate --planted
//     swift run simulate --elastic [--seeds 1000] [--from 0]
//     swift run simulate --elastic --seed 123
//
// A seed that breaks an invariant is shrunk and printed as a schedule to be pinned. `--scale`
// prints the cost of an event in pools of several sizes, and the duration of 30 days of 10,000
// slots. `--exhaustive` checks every sequence of that length in pools of one and two workers.
// `--planted` prints the first seed by which each planted bug is caught, where that is a late one.
// `--elastic` simulates elastic pools; with a seed, it prints what the machine does.

import Glibc
import Simulator
import SuperviseCore

private func number(after option: String) -> UInt64? {
    let arguments = CommandLine.arguments
    guard let index = arguments.firstIndex(of: option), index + 1 < arguments.count else {
        return nil
    }
    return UInt64(arguments[index + 1])
}

private func report(_ seed: UInt64, _ violation: Violation) {
    let small = Shrinker<Service>.shrink(
        Swarm.schedule(seed: seed), breaking: violation.invariant, of: \.service)
    print("seed \(seed) breaks: \(violation)\nshrunk to:\n\(small)")
}

private func replay(_ seed: UInt64) {
    let outcome = Swarm.schedule(seed: seed).run(
        isTracing: CommandLine.arguments.contains("--trace"))
    for line in outcome.trace { print(line) }
    print(Swarm.schedule(seed: seed))
    print("\(outcome.steps) steps, exit code \(outcome.exitCode.map(String.init) ?? "none")")
    if let violation = outcome.violation { report(seed, violation) }
}

private func run(_ seeds: Range<UInt64>) {
    let watch = ContinuousClock()
    let start = watch.now
    var broken: [String: [UInt64]] = [:]
    var steps = 0
    for seed in seeds {
        let outcome = Swarm.schedule(seed: seed).run()
        steps += outcome.steps
        guard let violation = outcome.violation else { continue }
        if broken[violation.invariant] == nil { report(seed, violation) }
        broken[violation.invariant, default: []].append(seed)
    }
    let seconds = Double((watch.now - start) / .milliseconds(1)) / 1000
    for (invariant, seeds) in broken.sorted(by: { $0.key < $1.key }) {
        print("\(invariant): \(seeds.count) seeds, such as \(seeds.prefix(5))")
    }
    print(
        "\(seeds.count) seeds, \(steps) steps, \(broken.values.joined().count) broken, "
            + "\(seconds) s, \(Int(Double(seeds.count) / max(seconds, 0.001))) seeds a second")
}

private func measure(slots: Int, days: Int, reporting: Int) {
    var crowd = Crowd(slots: slots, reporting: reporting, crashing: 100)
    let start = clock()
    crowd.live(days: days)
    // CPU time, so that a busy machine has no influence.
    let nanoseconds = (clock() - start) * 1_000_000_000 / Int(CLOCKS_PER_SEC)
    print(
        "\(slots) slots, \(days) days: \(crowd.events) events, \(crowd.starts) starts, "
            + "\(crowd.reloads) reloads, \(crowd.servingCount) serve, \(nanoseconds / 1_000_000) ms, "
            + "\(nanoseconds / max(1, crowd.events)) ns per event")
}

if CommandLine.arguments.contains("--elastic") {
    if let seed = number(after: "--seed") {
        replayElastic(seed)
    } else {
        let from = number(after: "--from") ?? 0
        runElastic(from..<from + (number(after: "--seeds") ?? 1_000))
    }
} else if CommandLine.arguments.contains("--scale") {
    // About the same number of events each.
    measure(slots: 10, days: 300, reporting: 300_000)
    measure(slots: 1_000, days: 10, reporting: 1_000_000)
    measure(slots: 10_000, days: 4, reporting: 3_600_000)
    measure(slots: 10_000, days: 30, reporting: 3_600_000)
} else if CommandLine.arguments.contains("--exhaustive") {
    let only = number(after: "--workers").map { Int($0) }
    exploreSmallPools(
        workers: (only ?? 1)...(only ?? 2), length: Int(number(after: "--length") ?? 4))
} else if CommandLine.arguments.contains("--planted") {
    findPlantedBugs()
} else if let seed = number(after: "--seed") {
    replay(seed)
} else {
    let from = number(after: "--from") ?? 0
    run(from..<from + (number(after: "--seeds") ?? 10_000))
}
