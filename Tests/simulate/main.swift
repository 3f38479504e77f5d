// Runs the simulator for longer than a test may:
//
//     swift run -c release simulate --seeds 1000000 [--from 0]
//     swift run -c release simulate --seed 123 [--trace]
//
// A seed that breaks an invariant is shrunk and printed as a schedule to be pinned.

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
    let clock = ContinuousClock()
    let start = clock.now
    var broken: [String: [UInt64]] = [:]
    var steps = 0
    for seed in seeds {
        let outcome = Swarm.schedule(seed: seed).run()
        steps += outcome.steps
        guard let violation = outcome.violation else { continue }
        if broken[violation.invariant] == nil { report(seed, violation) }
        broken[violation.invariant, default: []].append(seed)
    }
    let seconds = Double((clock.now - start) / .milliseconds(1)) / 1000
    for (invariant, seeds) in broken.sorted(by: { $0.key < $1.key }) {
        print("\(invariant): \(seeds.count) seeds, such as \(seeds.prefix(5))")
    }
    print(
        "\(seeds.count) seeds, \(steps) steps, \(broken.values.joined().count) broken, "
            + "\(seconds) s, \(Int(Double(seeds.count) / max(seconds, 0.001))) seeds a second")
}

if let seed = number(after: "--seed") {
    replay(seed)
} else {
    let from = number(after: "--from") ?? 0
    run(from..<from + (number(after: "--seeds") ?? 10_000))
}
