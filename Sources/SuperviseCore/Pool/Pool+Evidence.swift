/// Gathers evidence before a worker that is recycled for its memory or a stuck request stops: a
/// command may inspect it, and a signal may make it report its memory use. Its replacement boots
/// meanwhile. Only the stop-signal waits, for a limited time.

enum EvidenceTimes {
    /// The time limit of `before-recycle`.
    static let command = TimeSpan.seconds(30)
    /// The minimum time between `evidence-signal` and the stop-signal.
    static let signal = TimeSpan.seconds(2)
}

extension Pool {
    /// Requests the evidence of a worker that has become due, once.
    mutating func gatherEvidence(of id: WorkerID, because cause: RecycleCause, at now: Instant) {
        let policy = policy
        guard cause.rank > 0, policy.gathersEvidence, let worker = self[id] else { return }
        let longest = policy.runsBeforeRecycle ? EvidenceTimes.command : EvidenceTimes.signal
        slots[id.slot].due?.evidenceUntil = now + longest
        slots[id.slot].due?.evidenceLeast =
            policy.sendsEvidenceSignal ? now + EvidenceTimes.signal : now
        outbox.append(.gatherEvidence(id, cause, worker.facts(at: now)))
    }

    /// Handles the end of the command, or its failure to start.
    mutating func evidenceGathered(of id: WorkerID, at now: Instant) {
        guard slots[id.slot].incumbent?.id == id, let due = slots[id.slot].due,
            due.evidenceUntil != nil
        else { return }
        slots[id.slot].due?.evidenceUntil = due.evidenceLeast.flatMap { $0 > now ? $0 : nil }
        takeOverUnlessOnTrial(id.slot, at: now)
    }
}

extension Slot.Due {
    /// Returns whether the worker must not be stopped yet because its evidence is being gathered.
    func isGathering(at now: Instant) -> Bool { evidenceUntil.map { now < $0 } ?? false }
}

extension PoolPolicy {
    fileprivate var gathersEvidence: Bool { runsBeforeRecycle || sendsEvidenceSignal }
}
