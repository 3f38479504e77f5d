import SuperviseCore

/// Follows a reload through the notices, for those who wait for its verdict. It lasts from the word
/// to reload until every worker is of the new generation or it is clear that this will not be soon.
/// A reload that overtakes another one takes over those who wait for that.
public struct ReloadFollower: Codable {
    /// A line for those who wait.
    public struct Step: Equatable, Sendable {
        /// One JSON object, ending with a line break.
        public let line: [UInt8]
        /// Whether it is the verdict, after which nothing comes.
        public let isVerdict: Bool
        /// Whether it tells that every worker is of the new generation.
        public let isComplete: Bool
    }

    /// What became of a reload.
    enum Result: String {
        /// Every worker is of the new generation.
        case complete
        /// New code failed on trial; nothing was replaced.
        case aborted
        /// New workers keep failing half-way; those of the old generation that are left serve on.
        case stalled
        /// The configuration has errors; nothing was tried.
        case failed
        /// The service was stopped meanwhile.
        case stopped
    }

    private enum Stage: Equatable, Codable {
        case none
        case reading
        case trial(Int)
        case rolling(Int)
    }

    private var stage = Stage.none
    private var reasons: [String] = []
    /// The last failure of each pool, by number.
    private var lastFailures: [Int: String] = [:]
    private var replaced = -1

    /// A follower of no reload.
    public init() {}

    /// The configuration is read.
    public mutating func beginReading() -> Step {
        stage = .reading
        return step("reading")
    }

    /// The configuration cannot be put to work.
    public mutating func fail(_ problems: [String]) -> Step {
        verdict(.failed, problems)
    }

    /// What a notice means for the reload. `poolName` names a pool by its number, `progress` tells how
    /// many slots have a worker of the new generation, and of how many.
    public mutating func follow(
        _ notice: Notice, poolName: (Int) -> String, progress: () -> (replaced: Int, of: Int)
    ) -> Step? {
        guard stage != .none else { return nil }
        remember(notice)
        switch notice {
        case .reloadBegun(let generation):
            stage = .trial(generation)
            reasons = []
            lastFailures = [:]
            replaced = -1
            return step("trial", generation)
        case .canaryFailed(let pool, _, let reason):
            reasons.append("pool \(poolName(pool)): the first new worker \(reason.text)")
        case .reloadAborted:
            // Without a canary that failed, a newer reload or a stop took over, and tells for itself.
            return reasons.isEmpty ? nil : verdict(.aborted, reasons)
        case .reloadCommitted(let generation):
            stage = .rolling(generation)
            return rolling(progress)
        case .ready, .exited: return rolling(progress)
        case .backoff(let pool, let slot, let failures, _):
            guard case .rolling = stage else { return nil }
            let last = lastFailures[pool].map { ", the last \($0)" } ?? ""
            return verdict(
                .stalled,
                [
                    "pool \(poolName(pool)): \(failures) new workers of slot \(slot) in a row failed\(last)"
                ])
        case .reloadComplete: return verdict(.complete, [])
        case .started, .startFailed, .bootTimedOut, .due, .retiring, .drained, .killed,
            .leftProcesses,
            .killedTree, .slotDone, .memoryAlarm, .memoryWarning, .leakAlarm, .memoryShared,
            .memoryIsTight, .shortage, .resized, .parked, .unparked, .canaryStarted,
            .canaryPassed, .rolledOut, .stopping, .drainDelay, .closed, .ended, .givingUp:
            break
        }
        return nil
    }

    /// The master stops.
    public mutating func stop() -> Step? {
        stage == .none ? nil : verdict(.stopped, [])
    }

    /// What a pool's last failure was, to say why a rollout stalls.
    private mutating func remember(_ notice: Notice) {
        if case .exited(let id, let status, let ending, _) = notice {
            if ending == .crashed { lastFailures[id.pool] = status.text }
            if ending == .bootFailed {
                lastFailures[id.pool] = status.text + " before it was ready"
            }
        } else if case .startFailed(let id, let failure) = notice {
            lastFailures[id.pool] = CanaryFailure.notStarted(failure).text
        } else if case .bootTimedOut(let id, _) = notice {
            lastFailures[id.pool] = CanaryFailure.bootTimeout.text
        } else if case .retiring(let id, .killMemory, _) = notice {
            lastFailures[id.pool] = CanaryFailure.left(.killMemory).text
        }
    }

    private mutating func rolling(_ progress: () -> (replaced: Int, of: Int)) -> Step? {
        guard case .rolling(let generation) = stage else { return nil }
        let (replaced, of) = progress()
        guard replaced != self.replaced else { return nil }
        self.replaced = replaced
        return step("rolling", generation) {
            $0.field("replaced", replaced)
            $0.field("of", of)
        }
    }

    private mutating func verdict(_ result: Result, _ reasons: [String]) -> Step {
        let generation: Int? =
            switch stage {
            case .trial(let generation), .rolling(let generation): generation
            case .none, .reading: nil
            }
        stage = .none
        return step(
            "verdict", generation, isVerdict: true, isComplete: result == .complete
        ) { json in
            json.field("result", result.rawValue)
            json.array("reasons") { json in for reason in reasons { json.element(reason) } }
        }
    }

    private func step(
        _ stage: String, _ generation: Int? = nil, isVerdict: Bool = false,
        isComplete: Bool = false, _ fill: (inout JSONWriter) -> Void = { _ in }
    ) -> Step {
        var json = JSONWriter()
        json.object { json in
            json.field("stage", stage)
            json.field("generation", generation)
            fill(&json)
        }
        return Step(line: json.bytes + [0x0A], isVerdict: isVerdict, isComplete: isComplete)
    }
}
