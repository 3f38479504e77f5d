/// The floor of a hunted worker's resident memory, explained by the routes that it served.
///
/// A request that allocates temporarily raises the memory and lowers it again, so only the floor
/// counts: the least memory from a request to the end. Its growth over blocks of requests is
/// explained by the numbers of requests per route in each block, by least squares. Routes that
/// always occur together cannot be told apart and get large errors.
struct HuntRegression {
    /// The routes, as for an exact estimate.
    let routes: [HuntEstimate.Route]

    private static let mostBlocks = 60
    private static let requestsPerBlock = 5
    /// The first requests are excluded, because a program grows before it has served for a while,
    /// and so are the last, whose floor nothing later lowers.
    private static let warmUpShare = 10
    private static let tailShare = 20
    /// A smaller growth is that of pages and arenas.
    private static let leastBytes = 1024.0

    private struct Fit {
        var means: [Mean]
    }

    init(_ requests: [HuntEstimate.Request]) {
        let floors = HuntRegression.floors(requests)
        let start = requests.count / HuntRegression.warmUpShare
        let end = requests.count - requests.count / HuntRegression.tailShare
        let range = start..<max(start, end)
        var names: [String?] = []
        var counts: [Int] = []
        var indices: [String: Int] = [:]
        var routeOf: [Int] = []
        for request in requests {
            let index = indices[request.route ?? ""] ?? names.count
            if index == names.count {
                indices[request.route ?? ""] = index
                names.append(request.route)
                counts.append(0)
            }
            counts[index] += 1
            routeOf.append(index)
        }
        func fit(_ range: Range<Int>) -> Fit? {
            HuntRegression.fit(range, floors, routeOf, routes: names.count)
        }
        let middle = range.lowerBound + range.count / 2
        let whole = fit(range)
        let first = fit(range.lowerBound..<middle)
        let last = fit(middle..<range.upperBound)
        let estimates = names.indices.map { index -> HuntEstimate.Route in
            let mean = whole?.means[index] ?? Mean(value: 0, error: .infinity)
            return HuntEstimate.Route(
                name: names[index], requests: counts[index], retained: mean.value,
                error: mean.error,
                course: HuntRegression.course(mean, first?.means[index], last?.means[index]))
        }
        routes = HuntEstimate.sharingGrowth(estimates)
    }

    private static func course(_ whole: Mean, _ first: Mean?, _ last: Mean?) -> HuntEstimate.Course
    {
        guard whole.isCertain, whole.value >= leastBytes, let first, let last else { return .none }
        return last.value >= first.value / 2 && last.value > last.error ? .steady : .falling
    }

    /// The least memory of a process from each request to its last one.
    private static func floors(_ requests: [HuntEstimate.Request]) -> [Double] {
        var floors = [Double](repeating: 0, count: requests.count)
        var least: [(process: Int32, bytes: Double)] = []
        for index in requests.indices.reversed() {
            let bytes = Double(requests[index].residentBytes)
            if let known = least.firstIndex(where: { $0.process == requests[index].process }) {
                least[known].bytes = min(least[known].bytes, bytes)
                floors[index] = least[known].bytes
            } else {
                least.append((requests[index].process, bytes))
                floors[index] = bytes
            }
        }
        return floors
    }

    /// Solves the normal equations. Nil if there are too few blocks. With several processes the
    /// floors are not those of one sequence, so these are estimated only if one process served.
    private static func fit(
        _ range: Range<Int>, _ floors: [Double], _ routeOf: [Int], routes: Int
    ) -> Fit? {
        let blocks = min(mostBlocks, range.count / requestsPerBlock)
        guard blocks > routes + 1 else { return nil }
        var normal = [[Double]](
            repeating: [Double](repeating: 0, count: routes), count: routes)
        var right = [Double](repeating: 0, count: routes)
        var rows: [(counts: [Double], growth: Double)] = []
        for block in 0..<blocks {
            let from = range.lowerBound + range.count * block / blocks
            let to = range.lowerBound + range.count * (block + 1) / blocks
            var counts = [Double](repeating: 0, count: routes)
            for index in from..<to { counts[routeOf[index]] += 1 }
            let growth = floors[min(to, floors.count - 1)] - floors[from]
            rows.append((counts, growth))
            for a in 0..<routes where counts[a] > 0 {
                right[a] += counts[a] * growth
                for b in 0..<routes { normal[a][b] += counts[a] * counts[b] }
            }
        }
        guard let inverse = inverted(normal) else { return nil }
        let values = inverse.map { row in zip(row, right).reduce(0) { $0 + $1.0 * $1.1 } }
        let squares = rows.reduce(0.0) { sum, row in
            let left = row.growth - zip(row.counts, values).reduce(0) { $0 + $1.0 * $1.1 }
            return sum + left * left
        }
        let variance = squares / Double(blocks - routes)
        return Fit(
            means: values.indices.map { index in
                Mean(
                    value: values[index],
                    error: (variance * max(0, inverse[index][index])).squareRoot())
            })
    }

    /// Gauss-Jordan elimination with pivots; nil for a singular matrix.
    private static func inverted(_ matrix: [[Double]]) -> [[Double]]? {
        let size = matrix.count
        var left = matrix
        var right = (0..<size).map { row in (0..<size).map { $0 == row ? 1.0 : 0.0 } }
        for index in 0..<size where left[index][index] == 0 {
            // A route that does not occur in this range explains nothing.
            left[index][index] = 1
        }
        for column in 0..<size {
            let pivot = (column..<size).max { abs(left[$0][column]) < abs(left[$1][column]) }
            guard let pivot, abs(left[pivot][column]) > 1e-9 else { return nil }
            left.swapAt(column, pivot)
            right.swapAt(column, pivot)
            let factor = left[column][column]
            for index in 0..<size {
                left[column][index] /= factor
                right[column][index] /= factor
            }
            for row in 0..<size where row != column && left[row][column] != 0 {
                let factor = left[row][column]
                for index in 0..<size {
                    left[row][index] -= factor * left[column][index]
                    right[row][index] -= factor * right[column][index]
                }
            }
        }
        return right
    }
}
