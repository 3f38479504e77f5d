import SuperviseControl
import SuperviseCore
import SuperviseLinux

/// The pools whose figures were read since the last point of their series.
struct FreshFigures {
    /// Those whose counts were read.
    var counts: Set<Int> = []
    /// Those whose memory was read.
    var memory: Set<Int> = []

    var isEmpty: Bool { counts.isEmpty && memory.isEmpty }
}

/// The figures of the pools over the last hour. It has no deadline: a point is recorded in a turn
/// that the master needs for something else, so an idle master does not wake for it.
final class Recorder {
    /// By the number of the pool.
    private(set) var series: [Int: PoolSeries] = [:]
    /// The time at which a new interval was last noticed.
    private var checkedAt: Instant?

    /// Continues with the series of another program of this process.
    func resume(_ series: [Int: PoolSeries]) { self.series = series }

    /// Records a point of each pool that needs one. `waiting` reads the number of connections that
    /// wait at a pool. It is called only if the other figures of the pool are fresh.
    func record(
        _ members: [Service.Member], _ fresh: FreshFigures, at now: Instant,
        waiting: (Int) -> UInt64?
    ) {
        let isNewInterval = checkedAt.map { !PoolSeries.isSameInterval($0, now) } ?? true
        guard isNewInterval || !fresh.isEmpty else { return }
        checkedAt = now
        if series.count > members.count { forgetPools(except: members) }
        for member in members {
            let number = member.pool.number
            let isSampled = fresh.counts.contains(number)
            let known = series[number] ?? PoolSeries()
            guard known.needsPoint(at: now, isSampled: isSampled) else { continue }
            var point = PoolSeries.Point(
                at: now, ready: member.pool.servingCount, workers: member.pool.size,
                exits: member.pool.history.exitCount)
            if isSampled {
                point.requests = member.pool.history.requests
                point.waiting = waiting(number)
            }
            if fresh.memory.contains(number), member.pool.memoryBytes > 0 {
                point.memoryBytes = member.pool.memoryBytes
                point.largestBytes = member.pool.largestMemoryBytes
            }
            series[number, default: PoolSeries()].add(point)
        }
    }

    private func forgetPools(except members: [Service.Member]) {
        let kept = Set(members.map(\.pool.number))
        series = series.filter { kept.contains($0.key) }
    }
}

extension Master {
    /// Records the figures that are known now, before the loop waits.
    func recordFigures() {
        recorder.record(service.members, sampler.takeFresh(), at: now) { pool in
            let queues = listenerReports(ofPool: pool).compactMap(\.waiting)
            return queues.isEmpty ? nil : UInt64(clamping: queues.reduce(0, +))
        }
    }

    /// Returns `/history`, rendered once per turn for clients that have none of it.
    func history(since: Int, for access: ControlAccess) -> [UInt8] {
        let isPublic = access == .readOnly
        let kind: WritableKeyPath<Renderings, [UInt8]?> =
            isPublic ? \.publicHistory : \.history
        if since == 0, let known = renderings[keyPath: kind] { return known }
        let pools = service.members.map { member in
            HistoryReport.Pool(
                name: member.name, isRemoved: member.isRemoved,
                series: recorder.series[member.pool.number] ?? PoolSeries())
        }
        let changes = log.feed.changes.map { (isPublic ? $0.withoutRoutes : $0).json.dropLast() }
        let new = HistoryReport(
            startedAt: start.at, at: now, pools: pools, changes: changes.map(Array.init)
        ).json(since: since)
        if since == 0 { renderings[keyPath: kind] = new }
        return new
    }
}
