import Background
import Foundation
import Simulator
import SuperviseCore
import Testing

/// Every sequence of stimuli for pools of one and two workers, up to a length. `SUPERVISE_LENGTH=4`
/// explores longer ones. `swift run -c release simulate --exhaustive` does so faster and prints
/// their number.
@Suite(.inBackground) struct ExhaustiveTests {
    /// The number of stimuli after the opening. Sequences of this length catch the planted bugs.
    private static let length = 3

    private static var asked: Int? {
        ProcessInfo.processInfo.environment["SUPERVISE_LENGTH"].flatMap { Int($0) }
    }

    @Test(arguments: Scene.all(workers: 1...2))
    func everyInvariantHolds(scene: Scene) {
        let length = Self.asked ?? Self.length
        let found = scene.explore(length: length)
        if let failure = found.failure { Issue.record("breaks \(failure)") }
        // The walks reached enough states.
        #expect(found.sequences >= 10 * length * length && found.recoveries > length)
    }

    /// If two sequences lead to the same state, the sequences after it are explored once and
    /// counted twice.
    @Test(arguments: [Scene.Kind.surge, .stopFirst]) func nothingIsLeftOut(kind: Scene.Kind) {
        let scene = Scene(kind, workers: 2, from: .trial)
        let quick = scene.explore(length: 3)
        let plain = scene.explore(length: 3, remembering: false)
        #expect(quick.sequences == plain.sequences)
        #expect(quick.steps < plain.steps)
    }

    /// Planted bugs that no sequence of this length triggers. Most need a worker that was counted,
    /// and a queue that was polled twice while it, or the worker, changed. Others need memory that
    /// no scene has: counted workers that grow, memory that shrinks, and shares of the limit. The
    /// rest need samples of connections, of listeners and of responses, of which a scene has few, or
    /// molds, of which it has none.
    private static let outOfReach: Set<PlantedBug> = [
        .loseTheThreshold, .blameWhoDoesNotListen, .holdOldWorkersToANewTimeout, .blameNobody,
        .blameWhoWorks, .stopAtOnceOnASecondInterrupt, .forgetThatTheQueueWasEmpty,
        .countLostTimeAsStandstill, .believeGrowthForEver,
        .spareWhoServes, .stayAlarmed, .killByASmallerShare,
        .forgetHowItEnds, .forgetThatItDrops, .emptyWhoUsesTheContract, .trustWhoSaysReady,
        .takeSilenceForIdle, .takeAnswersForIdle, .cutOffWhenRelaxed, .giveUpOnAMissingSample,
        .interruptNobody, .interruptForEver, .believeAnOldSample, .stopAtTheFirstEmptySample,
        .trustWhatIsUnseen, .forgetThatSomebodyWaits, .bootAllAtOnce,
        .forkFromAnotherMold, .execWithoutNeed, .startTheMoldTwice, .leaveMoldsAlone,
        .killMoldsAtOnce,
        .ignoreErrors, .ignoreOldErrors, .judgeByFewResponses, .neverCompareTheCanary,
        .doubtForEver, .actOnAnOutage, .ignoreStuckRequests, .waitForStuckRequests,
        .abortBesideOthers, .countLostTimeAsWaiting, .ignoreSlowResponses,
        .trustEverySlowResponse, .keepTheMoldOfAPoolThatIsDone,
    ]

    @Test func sixtyOnePlantedBugsAreWithinReach() {
        #expect(PlantedBug.allCases.count - Self.outOfReach.count >= 61)
    }

    @Test(arguments: PlantedBug.allCases.filter { !outOfReach.contains($0) })
    func aPlantedBugIsCaught(bug: PlantedBug) {
        // Most are triggered soon if every worker is ready.
        let all = Scene.all(workers: 1...2)
        let scenes = all.filter { $0.opening == .whole } + all.filter { $0.opening != .whole }
        for length in 0...Self.length {
            for scene in scenes {
                guard let failure = bug.explore(scene, length: length).failure else { continue }
                // The planted bug causes the failure, also if only the sequence is replayed.
                #expect(failure.sequence.count <= length)
                #expect(bug.violation(after: failure.sequence, in: scene) != nil)
                #expect(scene.violation(after: failure.sequence) == nil)
                return
            }
        }
        Issue.record("\(bug) survived all sequences of \(Self.length)")
    }

    // Sequences that broke an invariant in the past, as they were printed.

    @Test func aBootThatMemoryEndedCounts() {
        expectGood(
            Scene(.stopFirst, workers: 1, from: .cold),
            [.runs(0), .finishes(0), .runs(0), .bursts(0)])
    }

    private func expectGood(
        _ scene: Scene, _ sequence: [Stimulus], _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(scene.violation(after: sequence) == nil, sourceLocation: location)
    }
}
