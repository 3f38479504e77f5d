import SuperviseCore

/// The clients of an elastic pool: connections arrive at the queue, and each worker serves one at a
/// time.
struct ElasticClients {
    private let loads: [ElasticSchedule.Load]
    private let quietAt: Instant
    private var nextArrival: Instant?
    /// The times at which the waiting connections arrived.
    private(set) var queue: [Instant] = []
    private(set) var busyUntil: [WorkerID: Instant] = [:]
    private(set) var accepted: [WorkerID: UInt64] = [:]
    /// The time since which no connection waits.
    private(set) var emptySince: Instant?
    /// The times for which workers were busy.
    private(set) var services: [(id: WorkerID, from: Instant, to: Instant)] = []
    private static let longestQueue = 500

    init(_ schedule: ElasticSchedule) {
        loads = schedule.loads
        quietAt = Instant(milliseconds: schedule.quietAt)
        nextArrival = arrival(after: Instant(milliseconds: -1))
    }

    private func load(at now: Instant) -> ElasticSchedule.Load? {
        loads.last { Instant(milliseconds: $0.at) <= now }
    }

    private func arrival(after now: Instant) -> Instant? {
        if let load = load(at: now), load.rate > 0 {
            let next = now + TimeSpan(nanoseconds: 1_000_000_000 / Int64(load.rate))
            // A change of the load in between matters only for slow ones.
            if next < quietAt { return next }
        }
        let later = loads.first { Instant(milliseconds: $0.at) > now && $0.rate > 0 }
        return later.map { Instant(milliseconds: $0.at) }.flatMap { $0 < quietAt ? $0 : nil }
    }

    /// The time of the next change.
    func nextAt(after now: Instant) -> Instant? {
        let free = queue.isEmpty ? nil : busyUntil.values.filter { $0 > now }.min()
        return [nextArrival, free].compactMap { $0 }.min()
    }

    /// Lets connections arrive, and the free ones of these workers accept them.
    mutating func advance(to now: Instant, serving: [WorkerID]) {
        while let at = nextArrival, at <= now {
            nextArrival = arrival(after: at)
            if queue.count < Self.longestQueue { queue.append(at) }
            serve(serving, at: at)
        }
        serve(serving, at: now)
        emptySince = queue.isEmpty ? emptySince ?? now : nil
        services.removeAll { now - $0.to > .seconds(30) }
    }

    private mutating func serve(_ workers: [WorkerID], at now: Instant) {
        // The connections that are left then are short.
        guard let service = now >= quietAt ? 5 : load(at: now)?.service else { return }
        for id in workers where !queue.isEmpty {
            var free = max(busyUntil[id] ?? now, now)
            while !queue.isEmpty, free <= now {
                queue.removeFirst()
                free = now + .milliseconds(Int64(service))
                services.append((id, now, free))
                busyUntil[id] = free
                accepted[id, default: 0] += 1
            }
        }
    }

    /// Forgets a worker that is gone, with the rest of what it served.
    mutating func forget(_ id: WorkerID, at now: Instant) {
        for index in services.indices where services[index].id == id {
            services[index].to = min(services[index].to, now)
        }
        busyUntil[id] = nil
        accepted[id] = nil
    }

    /// The mean number of busy workers in this time.
    func meanBusy(over span: TimeSpan, until now: Instant) -> Double {
        let begin = Instant(nanoseconds: now.nanoseconds - span.nanoseconds)
        let busy = services.reduce(0.0) { sum, service in
            let from = max(service.from, begin)
            let to = min(service.to, now)
            return to > from ? sum + (to - from).seconds : sum
        }
        return busy / max(span.seconds, 1e-9)
    }
}
