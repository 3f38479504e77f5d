import SuperviseCore

/// Derives the progress of reloads from notices, for clients that wait for a verdict. A reload lasts from
/// its request until every worker belongs to the new generation or until this cannot happen soon. Each
/// reload has its own verdict: a newer one may fail while an older one rolls out.
public struct ReloadFollower: Codable {
    /// A line for the waiting clients.
    public struct Step: Equatable, Sendable {
        /// The number of the reload.
        public let reload: Int
        /// One JSON object with a trailing line break.
        public let line: [UInt8]
        /// Whether it is the verdict, which ends the stream.
        public let isVerdict: Bool
        /// Whether every worker belongs to the new generation.
        public let isComplete: Bool
    }

    /// The result of a reload.
    enum Result: String {
        /// Every worker belongs to the new generation.
        case complete
        /// A canary failed; nothing was replaced.
        case aborted
        /// A newer reload replaced it.
        case superseded
        /// New workers fail repeatedly during the rollout; the remaining old workers keep serving.
        case stalled
        /// The configuration has errors; no worker was started.
        case failed
        /// The service was stopped during the reload.
        case stopped
    }

    /// A reload between reading the configuration and its verdict.
    private struct Attempt: Codable {
        /// The reload.
        let number: Int
        let generation: Int
        /// Whether it was committed.
        var isRolling = false
        var reasons: [String] = []
        /// The last failure of each pool, by number.
        var lastFailures: [Int: String] = [:]
        var replaced = -1
    }

    /// The reload whose configuration is being read.
    private var reading: Int?
    /// The reloads without a verdict: one that rolls out, and a newer one with canaries.
    private var attempts: [Attempt] = []
    private var newest = 0

    /// Creates a follower without reloads.
    public init() {}

    /// The number of the reload that `beginReading` begins. While a configuration is being read, a
    /// further request joins that reload, which reads the newest configuration.
    public var upcoming: Int { reading ?? newest + 1 }

    /// Whether every reload has a verdict.
    public var isIdle: Bool { reading == nil && attempts.isEmpty }

    /// Handles that the configuration is being read.
    public mutating func beginReading() -> Step {
        newest = upcoming
        reading = newest
        return step("reading", of: newest)
    }

    /// Handles errors in the configuration.
    public mutating func fail(_ problems: [String]) -> Step? {
        guard let number = reading else { return nil }
        reading = nil
        return verdict(.failed, of: number, nil, problems)
    }

    /// Returns the steps that follow from a notice. `poolName` returns the name of a pool by its number;
    /// `progress` returns the number of slots with a worker of the current generation, and of all slots;
    /// `lastLine` returns the last line of output of the worker that the notice is about.
    public mutating func follow(
        _ notice: Notice, poolName: (Int) -> String, progress: () -> (replaced: Int, of: Int),
        lastLine: () -> String? = { nil }
    ) -> [Step] {
        guard !isIdle else { return [] }
        remember(notice, lastLine)
        switch notice {
        case .reloadBegun(let generation):
            guard let number = reading else { return [] }
            reading = nil
            attempts.append(Attempt(number: number, generation: generation))
            return [step("canary", of: number, generation)]
        case .canaryFailed(let pool, let generation, let reason):
            change(generation) {
                $0.reasons.append(
                    "pool \(poolName(pool)): the first new worker \(reason.text)".with(lastLine()))
            }
            return []
        case .reloadAborted(let generation, _):
            return end(.superseded, where: { $0.generation == generation && $0.reasons.isEmpty })
                + end(.aborted, where: { $0.generation == generation })
        case .reloadCommitted(let generation):
            let older = end(.superseded, where: { $0.generation < generation })
            change(generation) { $0.isRolling = true }
            return older + rolling(progress)
        case .ready, .exited: return rolling(progress)
        case .backoff(let pool, let slot, let failures, _):
            return stalled(poolName(pool), pool, slot, failures)
        case .reloadComplete(let generation):
            return end(.complete, where: { $0.generation == generation })
        case .started, .startFailed, .bootTimedOut, .due, .retiring, .drained, .stopHabit, .killed,
            .leftProcesses,
            .killedTree, .slotDone, .requestStuck, .requestsHang, .memoryAlarm, .memoryWarning,
            .leakAlarm, .memoryShared,
            .memoryIsTight, .shortage, .resized, .parked, .unparked, .canaryStarted,
            .canaryPassed, .rolledOut, .stopping, .drainDelay, .closed, .ended, .givingUp,
            .mold, .run, .scale, .hunt:
            return []
        }
    }

    /// Handles the stop of the master.
    public mutating func stop() -> [Step] {
        let read = reading.map { [verdict(.stopped, of: $0, nil, [])] } ?? []
        reading = nil
        return end(.stopped, where: { _ in true }) + read
    }

    private mutating func change(_ generation: Int, _ adjust: (inout Attempt) -> Void) {
        guard let index = attempts.firstIndex(where: { $0.generation == generation }) else {
            return
        }
        adjust(&attempts[index])
    }

    private mutating func end(_ result: Result, where isMeant: (Attempt) -> Bool) -> [Step] {
        let ended = attempts.filter(isMeant)
        attempts.removeAll(where: isMeant)
        return ended.map { verdict(result, of: $0.number, $0.generation, $0.reasons) }
    }

    private mutating func stalled(
        _ name: String, _ pool: Int, _ slot: Int, _ failures: Int
    ) -> [Step] {
        for index in attempts.indices where attempts[index].isRolling {
            let last = attempts[index].lastFailures[pool].map { ", the last \($0)" } ?? ""
            attempts[index].reasons = [
                "pool \(name): \(failures) new workers of slot \(slot) in a row failed\(last)"
            ]
        }
        return end(.stalled, where: \.isRolling)
    }

    /// Records the last failure of a pool, as the reason of a stalled rollout.
    private mutating func remember(_ notice: Notice, _ lastLine: () -> String?) {
        var failure: (pool: Int, text: String)?
        if case .exited(let id, let status, let ending, _) = notice {
            if ending == .crashed { failure = (id.pool, status.text) }
            if ending == .bootFailed { failure = (id.pool, status.text + " before it was ready") }
        } else if case .startFailed(let id, let reason) = notice {
            failure = (id.pool, CanaryFailure.notStarted(reason).text)
        } else if case .bootTimedOut(let id, _) = notice {
            failure = (id.pool, CanaryFailure.bootTimeout.text)
        } else if case .retiring(let id, .killMemory, _) = notice {
            failure = (id.pool, CanaryFailure.left(.killMemory).text)
        }
        guard let failure else { return }
        for index in attempts.indices {
            attempts[index].lastFailures[failure.pool] = failure.text.with(lastLine())
        }
    }

    private mutating func rolling(_ progress: () -> (replaced: Int, of: Int)) -> [Step] {
        guard let index = attempts.firstIndex(where: \.isRolling) else { return [] }
        let (replaced, of) = progress()
        guard replaced != attempts[index].replaced else { return [] }
        attempts[index].replaced = replaced
        return [
            step("rolling", of: attempts[index].number, attempts[index].generation) {
                $0.field("replaced", replaced)
                $0.field("of", of)
            }
        ]
    }

    private func verdict(
        _ result: Result, of number: Int, _ generation: Int?, _ reasons: [String]
    ) -> Step {
        step(
            "verdict", of: number, generation, isVerdict: true, isComplete: result == .complete
        ) { json in
            json.field("result", result.rawValue)
            json.array("reasons") { json in for reason in reasons { json.element(reason) } }
        }
    }

    private func step(
        _ stage: String, of number: Int, _ generation: Int? = nil, isVerdict: Bool = false,
        isComplete: Bool = false, _ fill: (inout JSONWriter) -> Void = { _ in }
    ) -> Step {
        var json = JSONWriter()
        json.object { json in
            json.field("stage", stage)
            json.field("generation", generation)
            fill(&json)
        }
        return Step(
            reload: number, line: json.bytes + [0x0A], isVerdict: isVerdict,
            isComplete: isComplete)
    }
}

extension String {
    /// A reason, followed by the last line of the output that explains it.
    func with(_ lastLine: String?) -> String { lastLine.map { "\(self): \($0)" } ?? self }
}
