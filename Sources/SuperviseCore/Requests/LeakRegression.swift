/// Estimates what each route retains, from the growth of the workers between floors.
///
/// The growth of an observation is the sum of what its requests retain, and noise: garbage that is
/// not collected yet, fragments, temporary memory that stays. Leaks are few, so routes are added to
/// the model one by one, each time the one that explains most of the rest, as long as that is more
/// than chance explains. A route is named only if no other one explains the growth as well. The
/// weight of observations that do not fit is reduced (Huber, 1964). A high floor makes the growth
/// before it too large and the growth behind it too small, so neighbours are not independent; they
/// are decorrelated first (a moving average of order 1).
struct LeakRegression {
    /// The standard errors above zero, and above any other explanation, of a route that is named.
    static let sure = 5.5
    /// The standard errors of a route that joins the model.
    private static let noticeable = 3.5
    /// The largest number of explanations.
    private static let mostTerms = 8
    /// The number of observations from which on neighbours are merged. A request that temporarily
    /// needs much memory leaves free memory behind, which hides a leak until the next such request.
    /// Over a longer time, only the requests that leak explain the growth.
    private static let usefulRows = 160
    /// The number of merged observations of a worker from which on the first is not used, because
    /// a cache that fills then would hide what the others show.
    private static let longSeries = 5
    /// The minimum number of observations.
    static let fewestRows = 24
    /// The minimum number of observations in which a named route occurs and memory grows.
    static let leastSupport = 5
    /// The standard deviation of a floor is never less than this, in bytes.
    private static let leastDeviation = 16_384.0
    /// The standard deviations from which on an observation has less weight.
    private static let outlier = 4.0
    /// The possible coefficients of the correlation between neighbours.
    private static let thetas = [0, -0.3, -0.6, -0.8, -0.9, -0.95, -0.98]
    /// Growth without requests must explain this much more than a route does.
    private static let handicap = 3.0

    /// An explanation: a route, or time.
    struct Term {
        /// The index of the route; nil is time.
        var route: Int?
        /// One column, or, if the route retains less later, one for its first requests and one for
        /// the rest.
        var columns: [[Double]]
        var coefficients: [Double] = []
        var standing = Standing.unsure
        /// The standard error of the coefficient.
        var error = 0.0
        /// By how many standard errors it is a better explanation than any other.
        var confidence = 0.0
        /// Another route that explains the growth as well.
        var rival: Int?

        fileprivate var isNegative: Bool { columns.count == 1 && coefficients[0] < 0 }
    }

    /// Whether what a route retains is a leak.
    enum Standing: Equatable {
        case steady
        /// Later requests retain less: a cache that fills.
        case falling
        case unsure
    }

    let series: [[LeakSuspects.Row]]
    let routeCount: Int
    let count: Int
    /// The correlation between neighbours is that of a moving average with this coefficient.
    var theta = 0.0
    var growth: [Double] = []
    /// By route, then time.
    var columns: [[Double]] = []
    var weights: [Double]
    var terms: [Term] = []
    var rest: [Double] = []
    var deviation = 0.0

    init(_ series: [[LeakSuspects.Row]], routeCount: Int) {
        let total = series.reduce(0) { $0 + $1.count }
        let size = max(1, total / LeakRegression.usefulRows)
        let series = series.map { rows in
            let merged = LeakRegression.merging(rows, by: size)
            let isLong = merged.count >= LeakRegression.longSeries
            return isLong ? Array(merged.dropFirst()) : merged
        }
        self.series = series
        self.routeCount = routeCount
        count = series.reduce(0) { $0 + $1.count }
        weights = [Double](repeating: 1, count: count)
    }

    /// Merges this many neighbours each, except that a series keeps at least one observation.
    private static func merging(_ rows: [LeakSuspects.Row], by size: Int) -> [LeakSuspects.Row] {
        var merged: [LeakSuspects.Row] = []
        for (index, row) in rows.enumerated() {
            let isNew = index % size == 0 && (merged.isEmpty || rows.count - index >= size)
            if isNew {
                merged.append(row)
            } else {
                merged[merged.count - 1] = merged[merged.count - 1].merged(with: row)
            }
        }
        return merged
    }

    /// Estimates. The terms are in the order of what they explain.
    mutating func run() {
        guard count >= LeakRegression.fewestRows else { return }
        for round in 0..<2 {
            growth = filtered { Double($0.bytes) }
            columns = (0..<routeCount).map { route in
                filtered { Double($0.requests(of: route)) }
            }
            columns.append(filtered { Double($0.samples) })
            terms = []
            weights = [Double](repeating: 1, count: count)
            fit()
            select()
            if round == 0 { theta = likeliestTheta() }
        }
        for index in terms.indices { judge(index) }
    }

    /// Returns a quantity of each observation, decorrelated.
    func filtered(_ value: (LeakSuspects.Row) -> Double) -> [Double] {
        var result: [Double] = []
        result.reserveCapacity(count)
        var filter = Decorrelation(theta)
        for rows in series {
            filter.restart()
            for row in rows { result.append(filter.next(value(row))) }
        }
        return result
    }

    /// Returns the coefficient that makes the rest of the growth most likely. `rest` is not
    /// decorrelated yet.
    private func likeliestTheta() -> Double {
        let most = LeakRegression.outlier * deviation
        let clipped = rest.map { max(-most, min(most, $0)) }
        var best = (theta: 0.0, size: Double.infinity)
        for theta in LeakRegression.thetas {
            var filter = Decorrelation(theta)
            var (square, scales, index) = (0.0, Product(), 0)
            for rows in series {
                filter.restart()
                for _ in rows {
                    scales.multiply(by: filter.scale)
                    let value = filter.next(clipped[index])
                    square += value * value
                    index += 1
                }
            }
            let size = square * scales.root(count)
            if size < best.size { best = (theta, size) }
        }
        return best.theta
    }

    /// Adds terms as long as they explain more than chance does.
    private mutating func select() {
        var refused: Set<Int> = []
        while terms.count < LeakRegression.mostTerms {
            let basis = Basis(terms.flatMap(\.columns), weights)
            let scores = scores(basis, rest)
            let best = scores.indices.filter { !refused.contains($0) }
                .max { scores[$0] < scores[$1] }
            guard let best, scores[best] > LeakRegression.noticeable else { return }
            refused.insert(best)
            let kept = terms
            terms.append(
                Term(route: best == routeCount ? nil : best, columns: [columns[best]]))
            fit()
            // Nothing releases memory steadily.
            if terms[terms.count - 1].coefficients[0] < 0 {
                terms = kept
                fit()
                continue
            }
            if terms.contains(where: \.isNegative) {
                terms.removeAll(where: \.isNegative)
                fit()
            }
            stand(terms.count - 1)
        }
    }

    /// Returns the standard errors by which each column explains more than the basis does.
    func scores(_ basis: Basis, _ rest: [Double]) -> [Double] {
        columns.indices.map { index in
            let score = basis.gain(of: columns[index], rest) / max(deviation, 1e-9)
            return index == routeCount ? score - LeakRegression.handicap : score
        }
    }

    /// Estimates the coefficients of all terms together, and the weights.
    mutating func fit() {
        let all = terms.flatMap(\.columns)
        var solution: [Double] = []
        for _ in 0..<6 {
            solution = LeastSquares.solve(all, growth, weights)
            rest = growth
            for (column, coefficient) in zip(all, solution) where coefficient != 0 {
                for index in rest.indices { rest[index] -= coefficient * column[index] }
            }
            var square = 0.0
            for index in rest.indices { square += weights[index] * rest[index] * rest[index] }
            deviation = max(
                LeakRegression.leastDeviation,
                (square / Double(max(1, count - all.count))).squareRoot())
            let most = LeakRegression.outlier * deviation
            for index in rest.indices {
                weights[index] = abs(rest[index]) > most ? most / abs(rest[index]) : 1
            }
        }
        var next = 0
        for index in terms.indices {
            terms[index].coefficients = Array(solution[next..<next + terms[index].columns.count])
            next += terms[index].columns.count
        }
    }

}
