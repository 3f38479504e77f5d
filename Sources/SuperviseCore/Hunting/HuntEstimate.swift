/// What the requests of a hunted worker retain.
///
/// If the runtime measures live objects, a request is charged with the difference between its head
/// and the next head in the same process: at the end of its response it still owns its objects. The
/// first requests of each route are excluded, because they import modules and fill pools.
///
/// A route leaks if its mean exceeds three standard errors, and if the last half of its requests
/// retains as much as the first. A cache that fills retains less and less.
public struct HuntEstimate: Equatable, Sendable {
    /// A request of the hunted worker.
    public struct Request: Equatable, Sendable {
        /// The route; nil for requests without one.
        public var route: String?
        /// The process that received it.
        public var process: Int32
        /// The bytes of live objects at its head; nil if they were not measured.
        public var bytes: UInt64?
        /// The anonymous resident memory at its head, in bytes.
        public var residentBytes: UInt64
        /// Whether another request of the process was in flight.
        public var overlaps: Bool
        /// Whether its response has ended.
        public var hasEnded: Bool

        /// Creates a description of a request.
        public init(
            route: String?, process: Int32, bytes: UInt64?, residentBytes: UInt64 = 0,
            overlaps: Bool = false, hasEnded: Bool = true
        ) {
            self.route = route
            self.process = process
            self.bytes = bytes
            self.residentBytes = residentBytes
            self.overlaps = overlaps
            self.hasEnded = hasEnded
        }
    }

    /// How the memory was measured.
    public enum Method: String, Sendable {
        /// Live objects after a collection, at each head.
        case exact
        /// The floor of the resident memory, by regression.
        case regression
    }

    /// Whether a route retains as much at the end as at the beginning.
    public enum Course: String, Sendable {
        /// It does.
        case steady
        /// It retains less and less, or has stopped.
        case falling
        /// It retains nothing, or too little to decide.
        case none
    }

    /// One route.
    public struct Route: Equatable, Sendable {
        /// The method and the path; nil for all others together.
        public var name: String?
        /// The requests that were measured.
        public var requests: Int
        /// The bytes that a request retains.
        public var retained: Double
        /// The standard error of that.
        public var error: Double
        /// The course.
        public var course: Course
        /// The part of the worker's growth, from 0 to 1; nil if it retains nothing.
        public var share: Double?

        /// Whether it leaks.
        public var leaks: Bool { course == .steady }
    }

    /// How the memory was measured.
    public var method: Method
    /// The routes; those that retain most come first.
    public var routes: [Route]
    /// The requests that were measured.
    public var measured: Int
    /// The requests that were not, because another one was in flight.
    public var overlapping: Int

    /// A mean below this many bytes is not a leak: the caches of a runtime grow by as much for some
    /// thousand requests.
    static let leastBytes = 256.0
    /// A route with less than this part of the growth is not a leak.
    static let leastShare = 0.02
    /// The number of standard errors that a leak exceeds.
    static let certainty = 3.0
    /// The first requests of a route that are excluded.
    static let warmUp = 3
    /// The number of requests that are needed to compare the first half with the last.
    static let leastForCourse = 6

    /// Estimates what these requests retain, in the order of their heads.
    public init(_ requests: [Request]) {
        let pairs = HuntEstimate.pairs(requests)
        overlapping = requests.count { $0.overlaps }
        guard pairs.contains(where: { $0.first.bytes != nil && $0.next.bytes != nil }) else {
            let floor = HuntRegression(pairs.map(\.first))
            method = .regression
            routes = floor.routes
            measured = pairs.count
            return
        }
        method = .exact
        let charges = HuntEstimate.charges(pairs)
        measured = charges.reduce(0) { $0 + $1.bytes.count }
        routes = HuntEstimate.routes(charges)
    }

    private struct Charges {
        var name: String?
        var bytes: [Double] = []
        /// What the next request of any route seems to release, or retain, of each.
        var left: [Double] = []
    }

    /// The requests with the next one of their processes, without those that overlap.
    private static func pairs(_ requests: [Request]) -> [(first: Request, next: Request)] {
        var waiting: [Request] = []
        var found: [(first: Request, next: Request)] = []
        for request in requests {
            if let index = waiting.firstIndex(where: { $0.process == request.process }) {
                let first = waiting[index]
                waiting[index] = request
                if first.hasEnded, !first.overlaps, !request.overlaps {
                    found.append((first, request))
                }
            } else {
                waiting.append(request)
            }
        }
        return found
    }

    private static func charges(_ pairs: [(first: Request, next: Request)]) -> [Charges] {
        var found: [Charges] = []
        var indices: [String: Int] = [:]
        var order: [Int] = []
        for (first, next) in pairs {
            guard let before = first.bytes, let after = next.bytes else { continue }
            let index = indices[first.route ?? ""] ?? found.count
            if index == found.count {
                indices[first.route ?? ""] = index
                found.append(Charges(name: first.route))
            }
            found[index].bytes.append(Double(after) - Double(before))
            order.append(index)
        }
        addLeft(to: &found, order)
        for index in found.indices {
            let excluded = min(warmUp, found[index].bytes.count / 3)
            found[index].bytes.removeFirst(excluded)
            found[index].left.removeFirst(excluded)
        }
        // A runtime may release the objects of a request only during the next one. What it retains
        // is then the sum of both. The sum has a larger error, so it is used only if needed.
        let isLate = found.contains { charges in
            let mean = Mean(charges.left[...])
            return abs(mean.value) >= leastBytes && abs(mean.value) > certainty * mean.error
        }
        guard isLate else { return found }
        for index in found.indices {
            found[index].bytes = zip(found[index].bytes, found[index].left).map { $0 + $1 }
        }
        return found
    }

    /// Adds the difference of each next charge from the mean of its own route. `order` contains
    /// the routes of the charges.
    private static func addLeft(to found: inout [Charges], _ order: [Int]) {
        let means = found.map { Mean($0.bytes[min(warmUp, $0.bytes.count / 3)...]).value }
        var next = [Int](repeating: 0, count: found.count)
        for (position, index) in order.enumerated() {
            next[index] += 1
            guard position + 1 < order.count else {
                found[index].left.append(0)
                break
            }
            let follower = order[position + 1]
            found[index].left.append(found[follower].bytes[next[follower]] - means[follower])
        }
    }

    private static func routes(_ charges: [Charges]) -> [Route] {
        let estimates = charges.map { charge in
            let mean = Mean(charge.bytes[...])
            return Route(
                name: charge.name, requests: charge.bytes.count, retained: mean.value,
                error: mean.error, course: course(charge.bytes, mean))
        }
        return sharingGrowth(estimates)
    }

    /// Adds the shares of the growth, and sorts.
    static func sharingGrowth(_ routes: [Route]) -> [Route] {
        func total(_ route: Route) -> Double { route.retained * Double(route.requests) }
        let growth = routes.reduce(0) { $0 + ($1.course == .none ? 0 : max(0, total($1))) }
        var routes = routes
        for index in routes.indices where routes[index].course != .none && growth > 0 {
            let share = max(0, total(routes[index])) / growth
            routes[index].share = share
            // What other requests leave behind is released by the next ones of any route.
            if share < leastShare { routes[index].course = .none }
        }
        func rank(_ route: Route) -> Int {
            switch route.course {
            case .steady: 0
            case .falling: 1
            case .none: 2
            }
        }
        return routes.sorted {
            if rank($0) != rank($1) { return rank($0) < rank($1) }
            if $0.course != .none, total($0) != total($1) { return total($0) > total($1) }
            if $0.requests != $1.requests { return $0.requests > $1.requests }
            return ($0.name ?? "") < ($1.name ?? "")
        }
    }

    private static func course(_ bytes: [Double], _ whole: Mean) -> Course {
        guard bytes.count >= leastForCourse else { return .none }
        let middle = bytes.count / 2
        return course(
            whole: whole, first: Mean(bytes[..<middle]), last: Mean(bytes[middle...]))
    }

    static func course(whole: Mean, first: Mean, last: Mean) -> Course {
        if last.isCertain, whole.isCertain, last.value >= first.value / 2 { return .steady }
        return first.isCertain && last.value < first.value / 2 ? .falling : .none
    }
}

/// A mean with its standard error.
struct Mean: Equatable {
    var value: Double
    var error: Double

    init(value: Double, error: Double) {
        self.value = value
        self.error = error
    }

    init(_ values: ArraySlice<Double>) {
        let count = Double(max(1, values.count))
        let mean = values.reduce(0, +) / count
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        value = mean
        error = values.count < 2 ? .infinity : (squares / (count - 1) / count).squareRoot()
    }

    /// Whether it is more than noise.
    var isCertain: Bool {
        value >= HuntEstimate.leastBytes && value > HuntEstimate.certainty * error
    }
}
