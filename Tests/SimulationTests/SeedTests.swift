import Background
import Foundation
import Simulator
import SuperviseCore
import Testing

/// Runs drawn from seeds. `SUPERVISE_SEEDS=1000000` runs this many, `SUPERVISE_SEED=123` replays
/// one. `swift run -c release simulate` does both faster and prints the seeds per second.
@Suite(.inBackground) struct SeedTests {
    private static let parts = 16

    private static func variable(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    @Test(arguments: 0..<UInt64(parts))
    func everyInvariantHolds(part: UInt64) {
        let count = Self.variable("SUPERVISE_SEEDS") ?? 500
        let seeds =
            Self.variable("SUPERVISE_SEED").map { part == 0 ? [$0] : [] }
            ?? Array(stride(from: part, to: count, by: Self.parts))
        for seed in seeds {
            let schedule = Swarm.schedule(seed: seed)
            guard let violation = schedule.run().violation else { continue }
            let small = Shrinker.shrink(
                schedule, breaking: violation.invariant, of: \.service)
            Issue.record("seed \(seed) breaks: \(violation)\nshrunk to:\n\(small)")
            return
        }
    }

    @Test(arguments: 0..<UInt64(20))
    func theSameScheduleGivesTheSameTrace(seed: UInt64) {
        let schedule = Swarm.schedule(seed: seed)
        let outcome = schedule.run(isTracing: true)
        #expect(outcome == schedule.run(isTracing: true))
        #expect(!outcome.trace.isEmpty)
    }

    @Test func seedsDiffer() {
        let schedules = (0..<50).map { Swarm.schedule(seed: UInt64($0)) }
        #expect(Set(schedules.map(\.description)).count == 50)
    }

    /// The seeds draw every kind of fault, and runs end in every possible way.
    @Test func theSwarmReachesEverything() {
        var exits: Set<Int32> = []
        var seen = ""
        for seed in 0..<UInt64(600) {
            let schedule = Swarm.schedule(seed: seed)
            exits.formUnion([schedule.run().exitCode].compactMap { $0 })
            seen += schedule.description
        }
        #expect(exits == [0, 13, 14, 15])
        for kind in FaultKind.all + FaultKind.ofRequests {
            #expect(seen.contains(".\(kind.name)"), "no schedule has .\(kind.name)")
        }
    }
}
