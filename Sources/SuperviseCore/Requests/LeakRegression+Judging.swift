/// Conclusions from the terms of the model.
extension LeakRegression {
    /// The growth that the model predicts for all observations, in bytes.
    var predicted: Double {
        let kept = terms.filter { $0.route != nil && $0.standing != .falling }
        var sum = predictedWithoutRequests
        for row in series.joined() {
            for term in kept { sum += term.coefficients[0] * Double(row.requests(of: term.route)) }
        }
        return sum
    }

    /// The part of it that does not depend on requests.
    var predictedWithoutRequests: Double {
        guard let term = terms.first(where: { $0.route == nil }) else { return 0 }
        return term.coefficients[0] * series.joined().reduce(0) { $0 + Double($1.samples) }
    }

    /// Whether memory grows, apart from caches that fill.
    var grows: Bool {
        guard count >= LeakRegression.fewestRows else { return false }
        var left = growth
        for term in terms where term.standing == .falling {
            for (column, coefficient) in zip(term.columns, term.coefficients) {
                for index in left.indices { left[index] -= coefficient * column[index] }
            }
        }
        return Basis([], weights).gain(of: columns[routeCount], left) > 4 * deviation
    }

    /// Returns what a request of a route that is no term may retain at most as the model is; nil if
    /// nothing is known about it.
    func estimate(of route: Int) -> LeastSquares.Estimate? {
        guard count >= LeakRegression.fewestRows else { return nil }
        let basis = Basis(terms.flatMap(\.columns), weights)
        let own = basis.residual(of: columns[route])
        let size = LeastSquares.product(own, own, weights).squareRoot()
        guard size > 1e-3 else { return nil }
        return LeastSquares.Estimate(
            value: LeastSquares.product(own, rest, weights) / (size * size),
            error: deviation / size)
    }

    /// Determines the error of a term, and how much better it is than any other explanation.
    mutating func judge(_ place: Int) {
        let term = terms[place]
        let others = terms.indices.filter { $0 != place }.flatMap { terms[$0].columns }
        let own = LeastSquares.estimate(term.columns + others, growth, weights, deviation)[0]
        terms[place].error = own.error
        guard let route = term.route else {
            terms[place].confidence = own.value / own.error
            return
        }
        let basis = Basis(others + term.columns.dropFirst(), weights)
        let without = basis.residual(of: growth)
        let gain = basis.gain(of: term.columns[0], without) / deviation
        let scores = scores(basis, without)
        var (best, rival) = (0.0, -1)
        for index in scores.indices where index != route && scores[index] > best {
            let isKnown = terms.contains { $0.route == (index == routeCount ? nil : index) }
            if !isKnown { (best, rival) = (scores[index], index) }
        }
        for other in 0..<routeCount where other != route {
            let score = basis.gain(of: deferred(other, until: route), without) / deviation
            if score > best { (best, rival) = (score, other) }
        }
        let margin = gain * gain - best * best
        terms[place].confidence = gain > 0 && margin > 0 ? margin.squareRoot() : 0
        if terms[place].confidence < LeakRegression.sure, rival >= 0, best > gain / 2 {
            terms[place].rival = rival
        }
        if support(of: term, own.value) < LeakRegression.leastSupport {
            terms[place].standing = .unsure
        }
    }

    /// Returns what the requests of a route would explain if the memory that they retain is seen
    /// only at the next request of another route.
    private func deferred(_ route: Int, until other: Int) -> [Double] {
        var result: [Double] = []
        result.reserveCapacity(count)
        var filter = Decorrelation(theta)
        for rows in series {
            filter.restart()
            var sum = 0.0
            for row in rows {
                sum += Double(row.requests(of: route))
                let isSeen = row.requests(of: other) > 0
                result.append(filter.next(isSeen ? sum : 0))
                if isSeen { sum = 0 }
            }
        }
        return result
    }

    /// Returns the number of observations with the route in which memory grew accordingly.
    private func support(of term: Term, _ value: Double) -> Int {
        var support = 0
        for index in rest.indices where term.columns[0][index] > 0 {
            let expected = value * term.columns[0][index]
            if rest[index] + expected > expected / 4 { support += 1 }
        }
        return support
    }

    /// Determines whether later requests retain as much as the first ones, by halves of the
    /// requests, and then by halves of the later half: the first request of a worker may load much.
    mutating func stand(_ place: Int) {
        guard let route = terms[place].route else { return }
        let limits = quarters(of: route)
        guard limits.half > 0 else { return }
        func column(_ range: Range<UInt32>) -> [Double] {
            filtered { row in
                row.counts.first { $0.route == route && range.contains($0.before) }
                    .map { Double($0.requests) } ?? 0
            }
        }
        let (early, late) = (column(0..<limits.half), column(limits.half..<UInt32.max))
        let others = terms.indices.filter { $0 != place }.flatMap { terms[$0].columns }
        let halves = LeastSquares.estimate([early, late] + others, growth, weights, deviation)
        let (first, second) = (halves[0], halves[1])
        if second.value >= 3 * second.error, second.value * 2 >= first.value {
            terms[place].standing = .steady
            return
        }
        let third = column(limits.half..<limits.third)
        let fourth = column(limits.third..<UInt32.max)
        let parts = LeastSquares.estimate(
            [early, third, fourth] + others, growth, weights, deviation)
        let error =
            (first.error * first.error + second.error * second.error).squareRoot()
        let isSteadyLater =
            parts[2].value >= 3 * parts[2].error && parts[2].value * 2 >= parts[1].value
        guard isSteadyLater || first.value - second.value > 2 * error else { return }
        terms[place].standing = isSteadyLater ? .steady : .falling
        terms[place].columns = [late, early]
        fit()
    }

    /// The numbers of earlier requests below which half, and three quarters, of the requests are.
    private func quarters(of route: Int) -> (half: UInt32, third: UInt32) {
        let counts = series.joined().compactMap { row in
            row.counts.first { $0.route == route }
        }.sorted { $0.before < $1.before }
        let total = counts.reduce(0) { $0 + Double($1.requests) }
        var (sum, half) = (0.0, UInt32.max)
        for count in counts {
            sum += Double(count.requests)
            if sum > total / 2, half == .max { half = max(1, count.before) }
            if sum > total * 3 / 4 { return (half, max(half, count.before)) }
        }
        return (half, half)
    }
}
