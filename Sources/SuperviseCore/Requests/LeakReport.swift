/// What the evidence about a pool's routes shows.
public struct LeakReport: Equatable, Sendable {
    /// A route and the memory that it seems to retain.
    public struct Route: Equatable, Sendable {
        /// The conclusion about a route.
        public enum Standing: String, Sendable {
            /// Every request retains memory: a leak.
            case suspect
            /// It explains some of the growth, but there is not enough evidence.
            case unsure
            /// Only its first requests in a worker retain memory: a cache that fills, or code that
            /// is loaded late.
            case falling
            /// It explains no growth.
            case clear
        }

        /// The method and the path; nil for all routes without a row of their own.
        public var name: String?
        /// Its requests in the evidence.
        public var requests: UInt64
        /// The bytes that a request retains.
        public var bytesPerRequest: Double
        /// The standard error of that.
        public var error: Double
        /// The number of standard errors by which it explains the growth better than any other
        /// route, or than chance.
        public var confidence: Double
        /// The part of the growth that it explains, from 0 to 1.
        public var share: Double
        /// The conclusion.
        public var standing: Standing
        /// Another route that explains the growth almost as well.
        public var rival: String?

        /// Creates an estimate.
        public init(
            name: String?, requests: UInt64, bytesPerRequest: Double, error: Double,
            confidence: Double, share: Double, standing: Standing, rival: String? = nil
        ) {
            self.name = name
            self.requests = requests
            self.bytesPerRequest = bytesPerRequest
            self.error = error
            self.confidence = confidence
            self.share = share
            self.standing = standing
            self.rival = rival
        }
    }

    /// The result.
    public enum Verdict: String, Sendable {
        /// There are too few observations.
        case gathering
        /// Workers end before there is any.
        case shortLives = "short-lives"
        /// The memory of the workers does not grow by more than it varies.
        case noGrowth = "no-growth"
        /// It grows without requests.
        case withoutRequests = "without-requests"
        /// It grows, and it is not sure why.
        case unclear
        /// Routes are named.
        case suspects
    }

    /// The result.
    public var verdict = Verdict.gathering
    /// The routes that explain growth, those that retain most in total first, and then some of
    /// the most requested others.
    public var routes: [Route] = []
    /// The number of observations.
    public var observations = 0
    /// The number of workers with observations.
    public var workers = 0
    /// The requests in the observations.
    public var requests: UInt64 = 0
    /// The growth of the workers in the observations, in bytes.
    public var growthBytes: Int64 = 0

    /// Creates a report of no evidence.
    public init() {}

    /// The number of observations that are needed, approximately.
    public static let neededObservations = 30
    /// The number of samples per observation.
    public static let samplesPerObservation = Int(LeakSuspects.samplesPerFloor)
    /// The number of samples of a worker that are not used.
    public static let warmUpSamples =
        Int(LeakSuspects.samplesPerFloor) * LeakSuspects.warmUpFloors
}

extension LeakSuspects {
    /// The number of routes in a report that explain no growth.
    private static let mostOthers = 10

    /// Returns what the evidence shows.
    public func report() -> LeakReport {
        let series = series
        var regression = LeakRegression(series, routeCount: names.count)
        regression.run()
        var totals = [UInt64](repeating: 0, count: names.count)
        var growth = 0.0
        for row in series.joined() {
            growth += Double(row.bytes)
            for count in row.counts { totals[Int(count.route)] += UInt64(count.requests) }
        }
        var report = LeakReport()
        report.observations = series.reduce(0) { $0 + $1.count }
        report.workers = livesWithRows
        report.requests = totals.reduce(0, &+)
        report.growthBytes = Int64(exactly: growth.rounded()) ?? .max
        for term in regression.terms {
            guard let route = term.route else { continue }
            report.routes.append(self.route(route, term, totals[route], growth, regression))
        }
        report.routes.sort { ($0.rank, $1.total) < ($1.rank, $0.total) }
        report.routes += others(regression, totals)
        report.verdict = verdict(report, regression)
        return report
    }

    private func route(
        _ route: Int, _ term: LeakRegression.Term, _ requests: UInt64, _ growth: Double,
        _ regression: LeakRegression
    ) -> LeakReport.Route {
        let value = term.coefficients[0]
        // What is released later is not retained, however steadily it grows meanwhile.
        let isKept = growth >= regression.predicted / 2
        let isSure = term.confidence >= LeakRegression.sure && value > 0 && isKept
        let standing: LeakReport.Route.Standing =
            switch term.standing {
            case .steady: isSure ? .suspect : .unsure
            case .falling: .falling
            case .unsure: .unsure
            }
        let share = growth > 0 ? value * Double(requests) / growth : 0
        return LeakReport.Route(
            name: name(route), requests: requests, bytesPerRequest: max(0, value),
            error: term.error,
            confidence: term.confidence, share: max(0, min(1, share)), standing: standing,
            rival: term.rival.flatMap { $0 < names.count ? name($0) : nil })
    }

    /// Returns the most requested routes that explain no growth.
    private func others(_ regression: LeakRegression, _ totals: [UInt64]) -> [LeakReport.Route] {
        let explaining = regression.terms.compactMap(\.route)
        let others = totals.indices.filter { totals[$0] > 0 && !explaining.contains($0) }
            .sorted { (totals[$1], $0) < (totals[$0], $1) }
        return others.prefix(LeakSuspects.mostOthers).compactMap { route in
            guard let estimate = regression.estimate(of: route) else { return nil }
            return LeakReport.Route(
                name: name(route), requests: totals[route], bytesPerRequest: estimate.value,
                error: estimate.error, confidence: 0, share: 0, standing: .clear)
        }
    }

    private func name(_ route: Int) -> String? { names[route].isEmpty ? nil : names[route] }

    private func verdict(
        _ report: LeakReport, _ regression: LeakRegression
    ) -> LeakReport.Verdict {
        if report.routes.contains(where: { $0.standing == .suspect }) { return .suspects }
        guard regression.count >= LeakRegression.fewestRows else {
            let isShort = endedLives >= 3 && endedWithoutRows * 2 > endedLives
            return isShort ? .shortLives : .gathering
        }
        guard regression.grows else { return .noGrowth }
        let isMostlyIdle = regression.predictedWithoutRequests * 2 >= Double(report.growthBytes)
        return isMostlyIdle ? .withoutRequests : .unclear
    }
}

extension LeakReport.Route {
    fileprivate var rank: Int {
        switch standing {
        case .suspect: 0
        case .unsure: 1
        case .falling: 2
        case .clear: 3
        }
    }

    fileprivate var total: Double { bytesPerRequest * Double(requests) }
}
