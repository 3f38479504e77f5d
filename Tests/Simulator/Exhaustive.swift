import SuperviseCore

/// Every sequence of things that may happen to a small pool, up to a length, depth first over copies
/// of the machine, the world and the ledger. Where two sequences lead to walks that are equal in all
/// of that, what follows is looked at once.
package struct Exhaustive<M: Machine & Equatable> {
    package struct Findings: Sendable {
        /// The sequences of full length, or that end with the exit.
        package var sequences = 0
        /// The steps that were made for them.
        package var steps = 0
        /// How often it was looked at whether the pool comes back to full strength, stops and exits.
        package var recoveries = 0
        package var failure: Failure?
    }

    /// A sequence that breaks an invariant, or after which the pool does not recover.
    package struct Failure: Sendable, CustomStringConvertible {
        package var scene: Scene
        package var sequence: [Stimulus]
        package var violation: Violation

        /// To be pasted as a pinned regression.
        package var description: String {
            let list = sequence.map { ".\($0)" }.joined(separator: ", ")
            return "\(violation)\nexpectGood(\n    \(scene),\n    [\(list)])"
        }
    }

    /// Walks are kept to be known again where at least so many things are to follow.
    private static var leastLeftOfKept: Int { 1 }
    /// Recovery is looked at where at least so many things are to follow, and else once in so often.
    private static var leastLeftOfAllRecoveries: Int { 2 }

    private let scene: Scene
    private let recoveryEvery: Int
    private let remembers: Bool
    private var path: [Stimulus] = []
    private var known: [[Walk<M>: Int]]
    private var findings = Findings()

    /// Looks at all sequences up to this length. Where one breaks an invariant, a shortest such one is
    /// found. Without remembering, every sequence is made step by step, also where it leads nowhere
    /// new.
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

    /// Returns how many sequences follow.
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
