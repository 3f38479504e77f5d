import SuperviseCore

/// Every sequence of stimuli for a small pool, up to a length, depth first over copies of the
/// machine, the world and the ledger. If two sequences lead to walks that are equal in all of
/// these, the sequences after them are explored once.
package struct Exhaustive<M: Machine & Equatable> {
    package struct Findings: Sendable {
        /// The number of sequences that have the full length or end with the exit.
        package var sequences = 0
        /// The number of steps for them.
        package var steps = 0
        /// The number of recoveries: the pool returns to full strength, stops and exits.
        package var recoveries = 0
        package var failure: Failure?
    }

    /// A sequence that breaks an invariant, or after which the pool does not recover.
    package struct Failure: Sendable, CustomStringConvertible {
        package var scene: Scene
        package var sequence: [Stimulus]
        package var violation: Violation

        /// Swift source for a pinned regression.
        package var description: String {
            let list = sequence.map { ".\($0)" }.joined(separator: ", ")
            return "\(violation)\nexpectGood(\n    \(scene),\n    [\(list)])"
        }
    }

    /// Walks are remembered if at least this many stimuli follow.
    private static var leastLeftOfKept: Int { 1 }
    /// Recovery is checked if at least this many stimuli follow, and otherwise only for a fraction.
    private static var leastLeftOfAllRecoveries: Int { 2 }

    private let scene: Scene
    private let recoveryEvery: Int
    private let remembers: Bool
    private var path: [Stimulus] = []
    private var known: [[Walk<M>: Int]]
    private var findings = Findings()

    /// Explores all sequences up to this length. Finds a shortest sequence that breaks an
    /// invariant, if there is one. Without remembering, every sequence is executed step by step,
    /// even if it leads to a known state.
    package static func explore(
        _ scene: Scene, length: Int, recoveryEvery: Int = 64, remembering: Bool = true,
        of machine: () -> M
    ) -> Findings {
        func explore(_ length: Int) -> Findings {
            var exploration = Exhaustive(scene, length, recoveryEvery, remembering)
            let walk = Walk(scene, of: machine())
            if let violation = walk.violation { exploration.fail(violation) }
            exploration.findings.sequences = exploration.follow(walk, left: length)
            return exploration.findings
        }
        var findings = explore(length)
        while let failure = findings.failure, !failure.sequence.isEmpty {
            let shorter = explore(failure.sequence.count - 1)
            guard shorter.failure != nil else { break }
            findings.failure = shorter.failure
        }
        return findings
    }

    private init(_ scene: Scene, _ length: Int, _ recoveryEvery: Int, _ remembers: Bool) {
        self.scene = scene
        self.recoveryEvery = recoveryEvery
        self.remembers = remembers
        known = Array(repeating: [:], count: length + 1)
    }

    /// Returns the number of sequences that follow.
    private mutating func follow(_ walk: Walk<M>, left: Int) -> Int {
        guard findings.failure == nil else { return 0 }
        let isKept = remembers && left >= Self.leastLeftOfKept
        if isKept, let sequences = known[left][walk] { return sequences }
        recover(walk, left: left)
        guard left > 0, !walk.isOver else { return 1 }
        var sequences = 0
        for stimulus in walk.stimuli where findings.failure == nil {
            var next = walk
            next.take(stimulus)
            findings.steps += 1
            path.append(stimulus)
            if let violation = next.violation { fail(violation) }
            sequences += follow(next, left: left - 1)
            path.removeLast()
        }
        if isKept { known[left][walk] = sequences }
        return sequences
    }

    private mutating func recover(_ walk: Walk<M>, left: Int) {
        guard !walk.isOver,
            left >= Self.leastLeftOfAllRecoveries || findings.steps % recoveryEvery == 0
        else { return }
        findings.recoveries += 1
        var healed = walk
        healed.recover()
        if let violation = healed.violation { fail(violation) }
    }

    private mutating func fail(_ violation: Violation) {
        guard findings.failure == nil else { return }
        findings.failure = Failure(scene: scene, sequence: path, violation: violation)
    }
}
