import Background
import Simulator
import Testing

/// A limited number of seeds catches every planted bug.
@Suite(.inBackground) struct PlantedBugTests {
    static let mostSeeds: UInt64 = 4_000

    /// Seeds that caught a bug which few seeds catch, as `swift run simulate --planted` prints
    /// them. They are tried first. If such a seed no longer catches its bug, all seeds are tried.
    static let knownSeeds: [PlantedBug: UInt64] = [
        .countNoSecondSignal: 638, .giveUpOnAMissingSample: 2_238, .letMemoryWait: 563,
        .spareWhoServes: 1_397, .killWhoIsSpared: 829, .stayAlarmed: 252,
        .killByASmallerShare: 1_116, .goBeforeTheCap: 255, .waitForEverForACap: 956,
        .believeGrowthForEver: 956, .holdOldWorkersToANewTimeout: 548, .ignoreExtensions: 202,
        .blameWhoDoesNotListen: 514, .forgetThatTheQueueWasEmpty: 763,
    ]

    @Test(arguments: PlantedBug.allCases)
    func isCaught(bug: PlantedBug) throws {
        let known = Self.knownSeeds[bug].map { [$0] } ?? []
        let caught = (known + Array(0..<Self.mostSeeds)).first { seed in
            bug.violation(in: Swarm.schedule(seed: seed)) != nil
        }
        let seed = try #require(caught, "\(bug) survived \(Self.mostSeeds) seeds")
        // The planted bug causes the violation, not the machine itself.
        #expect(Swarm.schedule(seed: seed).run().violation == nil)
    }
}
