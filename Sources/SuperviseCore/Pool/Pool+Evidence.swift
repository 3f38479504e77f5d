/// Evidence before it is gone: while a worker that is recycled for its memory still lives, a command
/// may look at it, and a signal may make it tell by itself what it holds. Its replacement boots
/// meanwhile; only the stop-signal waits, and never for long.

enum EvidenceTimes {
    /// The longest time that `before-recycle` may take.
    static let command = TimeSpan.seconds(30)
    /// What a worker has after `evidence-signal`.
    static let signal = TimeSpan.seconds(2)
}

extension Pool {
    /// Orders the evidence of a worker that has become due, once.
    mutating func gatherEvidence(of id: WorkerID, because cause: RecycleCause, at now: Instant) {
        let policy = policy
        guard cause.isUrgent, policy.gathersEvidence, let worker = self[id] else { return }
        let longest = policy.runsBeforeRecycle ? EvidenceTimes.command : EvidenceTimes.signal
        slots[id.slot].due?.evidenceUntil = now + longest
        slots[id.slot].due?.evidenceLeast =
            policy.sendsEvidenceSignal ? now + EvidenceTimes.signal : now
        outbox.append(.gatherEvidence(id, cause, worker.facts(at: now)))
    }

    /// The command has ended, or could not be run.
    mutating func evidenceGathered(of id: WorkerID, at now: Instant) {
        guard slots[id.slot].incumbent?.id == id, let due = slots[id.slot].due,
            due.evidenceUntil != nil
        else { return }
        slots[id.slot].due?.evidenceUntil = due.evidenceLeast.flatMap { $0 > now ? $0 : nil }
        takeOverUnlessOnTrial(id.slot, at: now)
    }
}

extension Slot.Due {
    /// Whether the worker must not be told to go yet, for the sake of its evidence.
    func isGathering(at now: Instant) -> Bool { evidenceUntil.map { now < $0 } ?? false }
}

extension PoolPolicy {
    fileprivate var gathersEvidence: Bool { runsBeforeRecycle || sendsEvidenceSignal }
}
