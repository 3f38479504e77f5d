import SuperviseCore
import SuperviseLinux

/// The evidence about routes that retain memory, by pool: from each regular sample of a worker's
/// memory, and from the routes in its ledger.
///
/// A reload starts new evidence, because it may have fixed the program.
final class LeakWatch {
    /// The evidence of one pool.
    struct Evidence: Codable {
        var generation: Int
        var beganAt: Instant
        var suspects = LeakSuspects()
    }

    /// All evidence, for another program of this process.
    struct State: Codable {
        var evidence: [Int: Evidence]
    }

    /// The minimum age of a report that is replaced, because a client may ask all the time.
    private static let freshness = TimeSpan.seconds(2)

    private let core: Core
    private var evidence: [Int: Evidence] = [:]
    private var reports: [Int: (at: Instant, report: LeakReport)] = [:]
    /// The pools with a worker whose memory could not be read in the last sample.
    private var unreadable: Set<Int> = []

    init(_ core: Core) {
        self.core = core
    }

    /// Records a regular sample of a worker's memory.
    func take(_ worker: RunningWorker, isReadable: Bool) {
        let number = worker.id.pool
        guard let bytes = worker.memory?.lastResidentBytes, isReadable else {
            if worker.livingPID != nil { unreadable.insert(number) }
            return
        }
        unreadable.remove(number)
        guard worker.blueprint.ledger != .none, let page = worker.page,
            let pool = core.service.member(number)?.pool,
            let known = pool.worker(worker.id), known.isReady, known.generation == pool.generation
        else { return }
        if evidence[number]?.generation != pool.generation {
            evidence[number] = Evidence(generation: pool.generation, beganAt: .now)
            reports[number] = nil
        }
        evidence[number]?.suspects.sample(worker.id, bytes: bytes) {
            page.ledger.routes()?.map { RouteCount($0.name, $0.requests) }
        }
    }

    /// Handles the end of a worker.
    func end(_ worker: RunningWorker) { evidence[worker.id.pool]?.suspects.end(worker.id) }

    /// Forgets a pool that has ended.
    func forget(pool: Int) {
        evidence[pool] = nil
        reports[pool] = nil
        unreadable.remove(pool)
    }

    /// Returns what the evidence about a pool shows, and since when there is any; nil if there is
    /// none.
    func report(ofPool number: Int, at now: Instant) -> (LeakReport, since: Instant)? {
        guard let evidence = evidence[number] else { return nil }
        if let known = reports[number], now - known.at < LeakWatch.freshness {
            return (known.report, evidence.beganAt)
        }
        let report = evidence.suspects.report()
        reports[number] = (now, report)
        return (report, evidence.beganAt)
    }

    /// Whether the memory of a worker of the pool could not be read.
    func isUnreadable(pool: Int) -> Bool { unreadable.contains(pool) }

    var state: State { State(evidence: evidence) }

    /// Continues with the evidence of another program of this process.
    func resume(_ state: State) { evidence = state.evidence }
}
