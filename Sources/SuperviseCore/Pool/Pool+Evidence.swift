/// Gathers evidence before a worker that is recycled for its memory or a stuck request stops: a
/// command may inspect it, and a signal may make it report its memory use. Its replacement boots
/// meanwhile. Only the stop-signal waits, for a limited time.

enum EvidenceTimes {
    /// The time limit of `before-recycle`.
    static let command = TimeSpan.seconds(30)
    /// The minimum time between `evidence-signal` and the stop-signal.
    static let signal = TimeSpan.seconds(2)
}

/// The evidence of one worker. It belongs to the worker and not to the cause: a request that was
/// stuck may end, and the worker may be recycled for another cause, while the command inspects it.
struct Evidence: Equatable, Sendable, Codable {
    /// The time until which the worker is not stopped.
    var until: Instant
    /// The minimum of that time, for `evidence-signal`.
    var least: Instant
}

extension Pool {
    /// Requests the evidence of a worker that has become due, unless it is being gathered.
    mutating func gatherEvidence(of id: WorkerID, because cause: RecycleCause, at now: Instant) {
        let policy = policy
        guard cause.rank > 0, policy.gathersEvidence, let worker = self[id],
            !worker.isGathering(at: now)
        else { return }
        let longest = policy.runsBeforeRecycle ? EvidenceTimes.command : EvidenceTimes.signal
        self[id]?.evidence = Evidence(
            until: now + longest,
            least: policy.sendsEvidenceSignal ? now + EvidenceTimes.signal : now)
        outbox.append(.gatherEvidence(id, cause, worker.facts(at: now)))
    }

    /// Handles the end of the command, or its failure to start.
    mutating func evidenceGathered(of id: WorkerID, at now: Instant) {
        guard let evidence = self[id]?.evidence else { return }
        self[id]?.evidence =
            evidence.least > now ? Evidence(until: evidence.least, least: evidence.least) : nil
        takeOverUnlessOnTrial(id.slot, at: now)
    }
}

extension Worker {
    /// Returns whether the worker must not be recycled yet because its evidence is being gathered.
    func isGathering(at now: Instant) -> Bool { evidence.map { now < $0.until } ?? false }
}

extension PoolPolicy {
    fileprivate var gathersEvidence: Bool { runsBeforeRecycle || sendsEvidenceSignal }
}
