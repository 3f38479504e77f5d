/// The evidence about which routes of a pool retain memory, from the samples of its workers.
///
/// The memory of a worker before and after a single request says nothing: free memory inside the
/// process hides a leak, and whichever request needs most memory temporarily grows the process. So
/// the unit is the *floor* of a worker's resident memory, the lowest of a few samples, with the
/// requests of each route that the worker had served by then. The growth between two floors and the
/// requests between them are one observation. `LeakRegression` estimates from all of them what each
/// route retains.
///
/// Everything is bounded: the routes, the workers that are followed at a time, and the
/// observations. If there are too many, neighbours of the worker with most of them are merged,
/// which loses little, because the sums of their growth and of their requests stay.
public struct LeakSuspects: Equatable, Sendable, Codable {
    /// The number of samples per floor.
    static let samplesPerFloor: UInt32 = 4
    /// The number of first floors of a worker that are not used: caches, late imports.
    static let warmUpFloors = 3
    /// The maximum number of workers that are followed at a time.
    static let mostLives = 256
    /// The maximum number of observations.
    static let mostRows = 1024
    /// The maximum number of routes with a name, as in a ledger.
    static let mostRoutes = 128
    /// A series of fewer observations is not merged while there is one with more.
    private static let leastMerged = 8

    struct Floor: Equatable, Sendable {
        var bytes: UInt64
        /// The number of the sample.
        var at: UInt32
        /// By route.
        var requests: [UInt64]
    }

    /// One worker.
    struct Life: Equatable, Sendable {
        let id: WorkerID
        var samples: UInt32 = 0
        var floors = 0
        /// The lowest of these samples.
        var low: Floor?
        /// The last floor after the warm-up.
        var last: Floor?
        var rows: [Row] = []
        /// Whether it counts in `livesWithRows`.
        var hasRows = false
    }

    /// The names of the routes; the first is for all others, and an empty one is free.
    private(set) var names: [String] = [""]
    private var indices: [String: Int] = [:]
    /// In ascending order of slot and incarnation.
    private(set) var lives: [Life] = []
    /// The observations of workers that have ended, the oldest first.
    private(set) var ended: [[Row]] = []
    private var rowCount = 0
    /// The number of workers that have ended, and of those without an observation.
    var endedLives = 0
    var endedWithoutRows = 0
    /// The number of workers with at least one observation, also of those that were dropped since.
    var livesWithRows = 0
    /// The number of observations so far.
    private(set) var serial: UInt64 = 0
    /// The number of observations at which unused names were last released.
    private var releasedAt: UInt64?

    /// Starts without evidence.
    public init() {}

    /// Adds a sample of a worker's resident memory in bytes. `counts` reads the requests of its
    /// routes; nil if that fails. It is called only if the sample is the lowest one so far.
    public mutating func sample(
        _ id: WorkerID, bytes: UInt64, counts: () -> [RouteCount]?
    ) {
        let place = place(of: id)
        if place == lives.count || lives[place].id != id {
            guard lives.count < LeakSuspects.mostLives else { return }
            lives.insert(Life(id: id), at: place)
        }
        if lives[place].low.map({ bytes < $0.bytes }) ?? true {
            guard let counts = counts() else { return }
            let floor = Floor(
                bytes: bytes, at: lives[place].samples, requests: indexed(counts))
            // Before its first request, a worker has not warmed up at all.
            guard lives[place].floors > 0 || floor.requests.contains(where: { $0 > 0 }) else {
                return
            }
            lives[place].low = floor
        }
        lives[place].samples &+= 1
        guard lives[place].samples % LeakSuspects.samplesPerFloor == 0 else { return }
        endFloor(at: place)
    }

    /// Handles the end of a worker. Its observations stay.
    public mutating func end(_ id: WorkerID) {
        let place = place(of: id)
        guard place < lives.count, lives[place].id == id else { return }
        let life = lives.remove(at: place)
        endedLives += 1
        if !life.hasRows { endedWithoutRows += 1 }
        if !life.rows.isEmpty { ended.append(life.rows) }
    }

    /// Continues with a series of observations.
    mutating func resume(_ rows: [Row]) {
        guard !rows.isEmpty else { return }
        ended.append(rows)
        rowCount += rows.count
        while rowCount > LeakSuspects.mostRows { shrink() }
    }

    /// Continues with a worker.
    mutating func resume(_ id: WorkerID, floors: Int, hasRows: Bool) {
        let place = place(of: id)
        lives.insert(Life(id: id), at: place)
        lives[place].floors = floors
        lives[place].hasRows = hasRows
    }

    /// Adds a name that is in use; an empty one stays free.
    mutating func add(_ name: String) {
        names.append(name)
        if !name.isEmpty { indices[name] = names.count - 1 }
    }

    /// All observations, by worker.
    var series: [[Row]] { ended + lives.map(\.rows).filter { !$0.isEmpty } }

    /// Returns the first place that is not before the worker.
    private func place(of id: WorkerID) -> Int {
        var (low, high) = (0, lives.count)
        while low < high {
            let middle = (low + high) / 2
            let other = lives[middle].id
            if (other.slot, other.incarnation) < (id.slot, id.incarnation) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    private mutating func endFloor(at place: Int) {
        guard let low = lives[place].low else { return }
        lives[place].low = nil
        lives[place].floors += 1
        guard lives[place].floors >= LeakSuspects.warmUpFloors else { return }
        let last = lives[place].last
        lives[place].last = low
        guard let last else { return }
        guard let counts = LeakSuspects.counts(from: last, to: low) else {
            // The ledger has merged routes, or contains nonsense: no observation across it.
            if !lives[place].rows.isEmpty { ended.append(lives[place].rows) }
            lives[place].rows = []
            return
        }
        if !lives[place].hasRows { livesWithRows += 1 }
        lives[place].hasRows = true
        lives[place].rows.append(
            Row(
                bytes: Int64(clamping: low.bytes) - Int64(clamping: last.bytes),
                samples: low.at &- last.at, counts: counts))
        rowCount += 1
        serial += 1
        while rowCount > LeakSuspects.mostRows { shrink() }
    }

    /// Returns the requests between two floors; nil if a count has decreased.
    private static func counts(from last: Floor, to low: Floor) -> [Count]? {
        var counts: [Count] = []
        for index in 0..<max(last.requests.count, low.requests.count) {
            let before = index < last.requests.count ? last.requests[index] : 0
            let after = index < low.requests.count ? low.requests[index] : 0
            guard after >= before else { return nil }
            guard after > before else { continue }
            counts.append(
                Count(
                    route: UInt8(index), before: UInt32(clamping: before),
                    requests: UInt32(clamping: after - before)))
        }
        return counts
    }
}

/// The number of requests of a route that a worker has served.
public struct RouteCount: Equatable, Sendable {
    /// The method and the path; nil for all other routes together.
    public var name: String?
    /// The number of requests.
    public var requests: UInt64

    /// Creates a count.
    public init(_ name: String?, _ requests: UInt64) {
        self.name = name
        self.requests = requests
    }
}

/// Bounds.
extension LeakSuspects {
    /// Makes room for an observation.
    private mutating func shrink() {
        var longest: (isEnded: Bool, index: Int, count: Int) = (true, 0, 0)
        for (index, rows) in ended.enumerated() where rows.count > longest.count {
            longest = (true, index, rows.count)
        }
        for (index, life) in lives.enumerated() where life.rows.count > longest.count {
            longest = (false, index, life.rows.count)
        }
        if longest.count < LeakSuspects.leastMerged, !ended.isEmpty {
            rowCount -= ended.removeFirst().count
            return
        }
        let rows = longest.isEnded ? ended[longest.index] : lives[longest.index].rows
        let merged = LeakSuspects.mergingPairs(rows)
        rowCount -= rows.count - merged.count
        if longest.isEnded {
            ended[longest.index] = merged
        } else {
            lives[longest.index].rows = merged
        }
    }

    private static func mergingPairs(_ rows: [Row]) -> [Row] {
        stride(from: 0, to: rows.count, by: 2).map { index in
            index + 1 < rows.count ? rows[index].merged(with: rows[index + 1]) : rows[index]
        }
    }

    /// Returns the requests by index of the route.
    private mutating func indexed(_ counts: [RouteCount]) -> [UInt64] {
        var requests = [UInt64](repeating: 0, count: names.count)
        for count in counts.prefix(LeakSuspects.mostRoutes + 1) where count.requests > 0 {
            let index = count.name.map { self.index(of: $0) } ?? 0
            while requests.count <= index { requests.append(0) }
            let sum = requests[index].addingReportingOverflow(count.requests)
            requests[index] = sum.overflow ? .max : sum.partialValue
        }
        return requests
    }

    private mutating func index(of name: String) -> Int {
        guard !name.isEmpty else { return 0 }
        if let known = indices[name] { return known }
        if names.count <= LeakSuspects.mostRoutes {
            names.append(name)
            indices[name] = names.count - 1
            return names.count - 1
        }
        if !names.dropFirst().contains("") { releaseNames() }
        guard let free = names.dropFirst().firstIndex(of: "") else { return 0 }
        names[free] = name
        indices[name] = free
        return free
    }

    /// Releases the names that nothing refers to, at most once per observation.
    private mutating func releaseNames() {
        guard releasedAt != serial else { return }
        releasedAt = serial
        var isUsed = [Bool](repeating: false, count: names.count)
        for count in series.joined().map(\.counts).joined() { isUsed[Int(count.route)] = true }
        for floor in lives.flatMap({ [$0.low, $0.last] }).compactMap({ $0 }) {
            for (index, requests) in floor.requests.enumerated() where requests > 0 {
                isUsed[index] = true
            }
        }
        for index in names.indices.dropFirst() where !isUsed[index] {
            indices[names[index]] = nil
            names[index] = ""
        }
    }
}
